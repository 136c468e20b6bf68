"""French on the terminal: no line ends at a non-breaking space, and where é is missing, e stands for it."""

from __future__ import annotations

import codecs
import unicodedata
from typing import IO, Any, TextIO, cast

from rich.text import Text

#: Rich breaks lines at non-breaking spaces, so another character stands for them meanwhile. It is of the private use
#: area: one column wide for Rich, and no space.
_STAND_IN = "\ue000"
_HIDE = str.maketrans({"\u00a0": _STAND_IN, "\u202f": _STAND_IN})


#: What stands for characters that a terminal lacks and that are no letters with an accent.
_PLAIN = {"’": "'", "«": '"', "»": '"', "…": "...", "✓": "ok", "✗": "NON", "↳": ">", "·": "-", "─": "-", "→": ">"}
#: The name of that way to write, for :meth:`io.TextIOWrapper.reconfigure`.
PLAINLY = "passerelle-plainly"


def _plainly(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    letters = (_PLAIN.get(c) or unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode() for c in lacking)
    return "".join(letter or "?" for letter in letters), error.end


codecs.register_error(PLAINLY, _plainly)


def unbroken(text: Text) -> Text:
    """Return ``text`` such that no line ends at a non-breaking space; to be written to a :class:`FrenchOutput`."""
    hidden = text.copy()
    hidden.plain = text.plain.translate(_HIDE)
    return hidden


def restored(output: str) -> str:
    """Return what Rich made of such a text, its non-breaking spaces back (narrow ones are missing in many fonts)."""
    return output.replace(_STAND_IN, "\u00a0")


class FrenchOutput:
    """A terminal or file to which Rich writes; non-breaking spaces arrive as such."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, text: str) -> int:
        """Write, restored."""
        return self._output.write(restored(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def as_file(self) -> IO[str]:
        """Return this object as what Rich's Console asks for."""
        return cast("IO[str]", self)
