"""Members as Sympa gives them: its file `member.dump`, or the mail with which it answers REVIEW.

The dump (`sympa.pl --dump_users --list=… --role=member`; Sympa 6.2, `Sympa::List`) has a line `key value` for
each thing known of a member, and an empty line after each. The answer to REVIEW (`mail_tt2/review.tt2`) has a line
`address - name - reception` for each, indented.
"""

import re
from collections.abc import Iterator

from passerelle.core.ids import MailAddress
from passerelle.errors import MalformedRoster
from passerelle.mail.addresses import parse_address
from passerelle.rosters.roster import Roster, RosterMember, build_roster

_DUMPED = re.compile(r"^email[ \t]+\S+@\S+[ \t]*$", re.MULTILINE)
_REVIEWED = re.compile(r"^[ \t]{0,8}(\S{1,320}@\S{1,255}) - (.{0,300}?)(?: - [^-]{1,80})?[ \t]*$", re.MULTILINE)


def is_dump(text: str) -> bool:
    """Whether a text looks like `member.dump`."""
    return _DUMPED.search(text) is not None


def is_review(text: str) -> bool:
    """Whether a text looks like the answer to REVIEW."""
    return _REVIEWED.search(text) is not None


def read_dump(text: str) -> Roster:
    """The members of `member.dump`. Raises MalformedRoster where there is none."""
    return _some(build_roster("sympa", _dumped(text)))


def read_review(text: str) -> Roster:
    """The members in the answer to REVIEW. Raises MalformedRoster where there is none."""
    found = ((parse_address(match[1]), match[2].strip()) for match in _REVIEWED.finditer(text))
    return _some(build_roster("sympa", (RosterMember(address=a, name=name) for a, name in found if a is not None)))


def _dumped(text: str) -> Iterator[RosterMember]:
    known: dict[str, str] = {}
    for line in [*text.splitlines(), ""]:
        key, _, value = line.strip().partition(" ")
        if key:
            known[key] = value.strip()
            continue
        address = parse_address(known.get("email", ""))
        if address is not None:
            yield RosterMember(address=MailAddress(address), name=known.get("gecos", ""))
        known = {}


def _some(roster: Roster) -> Roster:
    if not roster.members:
        raise MalformedRoster("There is no mail address in this list of members.")
    return roster
