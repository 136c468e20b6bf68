"""Words to the bridge in the room: a line that begins with `!` and the name of a command. Pure."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

CommandName = Literal["link", "search"]

#: How members call each command, folded: lower case, no accents. French first, then its English alias.
_NAMES: dict[str, CommandName] = {
    "lien": "link",
    "link": "link",
    "cherche": "search",
    "chercher": "search",
    "recherche": "search",
    "search": "search",
}
#: No command's name is longer; a line may be as long as it likes.
_MAX_NAME = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomCommand:
    """What a line asks of the bridge; `rest` is what follows the name, without the spaces around it."""

    name: CommandName
    rest: str = ""


def parse_command(body: str) -> RoomCommand | None:
    """The command that a line is, or None: an unknown word after `!` is a line like any other (« !!! », « !super »).

    Args:
        body: the line's own text, without what it answers.
    """
    text = body.lstrip()
    words = text[1:].split(None, 1)
    # « ! lien » is an exclamation.
    if not text.startswith("!") or not words or text[1:2].isspace() or len(words[0]) > _MAX_NAME:
        return None
    word, rest = words[0], words[1] if len(words) > 1 else ""
    marked = unicodedata.normalize("NFKD", word.casefold())
    name = _NAMES.get("".join(c for c in marked if not unicodedata.combining(c)))
    return None if name is None else RoomCommand(name=name, rest=rest.strip())
