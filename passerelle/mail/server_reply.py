"""What a mail server answered, made fit for a log line or for a coordinator. Pure."""

import re

LONGEST_CHARACTERS = 300
#: Anything that looks like an address; the text is cut before, so that the search stays short.
_ADDRESS = re.compile(r"([^\s<>@])[^\s<>@]*@(?=[^\s<>@])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def quote_reply(text: str | bytes) -> str:
    """One line of at most 300 characters, without control characters, the local part of addresses shortened.

    Servers repeat the address that they refuse (`550 5.1.1 <lea.durand@example.org>: no such user`); a log must not.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    line = " ".join(_CONTROL.sub(" ", text[:LONGEST_CHARACTERS]).split())
    return _ADDRESS.sub(r"\1…@", line)
