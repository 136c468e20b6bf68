"""Who is on a list, as its server, or a coordinator's table, says. Values only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from passerelle.core.ids import MailAddress
from passerelle.core.names import safe_name

RosterSource = Literal["csv", "mailman", "sympa"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterMember:
    """One address on a list. `name` is "" where none is given."""

    address: MailAddress
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """All of a list's addresses, each once, whatever the case of its letters."""

    source: RosterSource
    members: tuple[RosterMember, ...]
    #: Numbers of lines in which something stands, but no address.
    unread_lines: tuple[int, ...] = ()


def build_roster(source: RosterSource, members: Iterable[RosterMember], unread_lines: Iterable[int] = ()) -> Roster:
    """A roster with each address once: the first that has a name. Names are made safe to be shown."""
    found: dict[str, RosterMember] = {}
    for member in members:
        key = member.address.lower()
        if key not in found or (member.name and not found[key].name):
            found[key] = RosterMember(address=member.address, name=safe_name(member.name))
    return Roster(source=source, members=tuple(found.values()), unread_lines=tuple(unread_lines))
