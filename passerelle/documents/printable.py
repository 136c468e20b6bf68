"""Text that XML and PDF can hold. Pure."""

import unicodedata
from typing import Any


def printable(text: str) -> str:
    """`text` without what XML 1.0 (§2.2) and PDF/A-2 (§6.2.11.7) refuse: controls, private and no characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character for character in text if _may_stand(character))


def _may_stand(character: str) -> bool:
    if character in "\t\n":
        return True
    return unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")


def printable_values(value: Any) -> Any:
    """The same for the texts of what `dataclasses.asdict` gives of a value of ours."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: printable_values(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [printable_values(one) for one in value]
    return value
