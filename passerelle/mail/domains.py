"""Domain names, as far as two of them are compared to know who vouches for whom. Pure.

Nothing is mapped: where IDNA 2003 makes `fass.de` of `faß.de`, a stranger would become the author. Two spellings of a
domain are one where the A-label (RFC 5890 §2.3.2.1) of one is, letter for letter, the other's.
"""

import re
import unicodedata

_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_A_LABEL = "xn--"
_MAX_CHARACTERS = 253


def parse_domain(text: str) -> str | None:
    """A domain to be compared: in lower case, A-labels decoded; None where it is none, or could be read otherwise."""
    if not text or len(text) > _MAX_CHARACTERS:
        return None
    labels = [_label(label) for label in text.split(".")]
    if len(labels) < 2 or None in labels:
        return None
    return ".".join(label for label in labels if label is not None)


def is_at_or_below(domain: str, parent: str) -> bool:
    """Whether `parent` is `domain`, or a domain above it. Both as `parse_domain` gives them."""
    return domain == parent or domain.endswith(f".{parent}")


def site_of(host: str) -> str:
    """The last two labels of a host or domain. Too wide where a registry gives out third levels: it is used only where
    a wider site proves less, or nothing more."""
    return ".".join(host.rsplit(".", 2)[-2:])


def _label(label: str) -> str | None:
    found = label.lower() if label.isascii() else label
    if found.startswith(_A_LABEL):
        try:
            decoded = found.removeprefix(_A_LABEL).encode("ascii").decode("punycode")
            if decoded.isascii() or decoded.encode("punycode").decode("ascii") != found.removeprefix(_A_LABEL):
                return None
        except UnicodeError:
            return None
        found = decoded
    plain = found.isascii() or (unicodedata.normalize("NFC", found) == found == found.lower())
    return found if plain and _LABEL.fullmatch(found) else None
