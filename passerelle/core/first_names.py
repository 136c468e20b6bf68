"""What somebody is called by: « Monique » of « Monique Delattre », « Paul » of « LAMBERT Paul ». Pure."""

from passerelle.core.folding import fold
from passerelle.core.names import safe_name
from passerelle.core.said_names import TITLES

#: What is called by a title has no first name in it.
_ALL_TITLES = TITLES | {"miss", "mx", "mademoiselle"}


def is_titled(name: str) -> bool:
    """Whether a name begins with a title: « Mme Haddad »."""
    parts = safe_name(name).split()
    return bool(parts) and fold(parts[0]).strip(".") in _ALL_TITLES


def first_name(name: str) -> str:
    """The first name in a name; "" where there is none: « Mme Haddad »."""
    parts = safe_name(name).split()
    if not parts or is_titled(name):
        return ""
    if len(parts) > 1 and parts[0].isupper() and len(parts[0].strip(".")) > 1:
        # « LAMBERT Paul », as forms have it; « J. Dupont » begins with an initial.
        return next((part for part in parts if not part.isupper()), parts[0])
    return parts[0]


def called(name: str) -> str:
    """How a letter calls somebody: by the first name, or by the whole name where there is none in it."""
    first = first_name(name)
    return first if len(first.strip(".")) > 1 else safe_name(name)
