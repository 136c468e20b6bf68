"""The display name of an email's author: what list servers and careless programs put around it goes. Pure.

What is shown of any name is `names.safe_name`'s to decide; here a name first loses the address that it holds.
"""

import re

from passerelle.core.names import safe_name

MAX_NAME_CHARACTERS = 64
_ADDRESS = re.compile(r"[<(\[]?(?:mailto:)?[^\s<>()\[\],;:\"'«»]+@[^\s<>()\[\],;:\"'«»]+[>)\]]?")
#: `jean(at)example.org`, `jean at example dot org`, as archives write addresses.
_MASKED_ADDRESS = re.compile(
    r"[\w.+-]{1,64}\s?[\[({]\s?(?:at|arobase|chez)\s?[\])}]\s?[\w.-]{1,80}"
    r"|[\w.+-]{1,64} (?:at|arobase) [\w-]{1,60}(?:\.| (?:dot|point) )[\w.-]{2,60}",
    re.IGNORECASE,
)
_QUOTES = ("''", '""', "“”", "‘’", "``", "´´")
_LIKE_A_LOCAL_PART = re.compile(r"[\d._+]")


def clean_display_name(name: str, *, address: str = "") -> str:
    """`name` as it may be shown; empty where nothing presentable is left.

    A name that is an address or holds one loses it: no address may reach a room. So does a name that is no more
    than the local part of `address` and looks like one (`j.dupont75`).
    """
    text = " ".join(_MASKED_ADDRESS.sub(" ", _ADDRESS.sub(" ", name[:1000])).split())
    text = safe_name(_unquoted(text.strip(" ,;:<>|/\\@")), max_length=MAX_NAME_CHARACTERS)
    local_part = address.rpartition("@")[0].casefold()
    if local_part and text.casefold() == local_part and _LIKE_A_LOCAL_PART.search(text):
        return ""
    return text if any(c.isalnum() or not c.isascii() for c in text) else ""


def _unquoted(text: str) -> str:
    """Google Groups writes `'Jean Dupont' via …`; some programs quote twice."""
    while len(text) > 1 and any(text[0] == pair[0] and text[-1] == pair[1] for pair in _QUOTES):
        text = text[1:-1].strip()
    return text
