"""Which kind of list of members a file is."""

from passerelle.rosters.roster import Roster
from passerelle.rosters.sympa import is_dump, is_review, read_dump, read_review
from passerelle.rosters.table import decode, read_table


def read_roster(data: bytes) -> Roster:
    """The members in a file: Sympa's dump or answer to REVIEW, else a table. Raises MalformedRoster."""
    text = decode(data)
    if is_dump(text):
        return read_dump(text)
    if is_review(text):
        return read_review(text)
    return read_table(data)
