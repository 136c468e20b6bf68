"""Votes of a meeting, as they were counted; never presented as secret (PEOPLE 16). Which decision each is about."""

import re
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.assembly import judge_proxies
from passerelle.core.folding import words_of
from passerelle.core.meeting_model import Meeting, NewVote, VoteMethod
from passerelle.core.minutes_model import Proxy
from passerelle.core.register_line_notes import VoteNote
from passerelle.core.register_model import Entry
from passerelle.flows.context import FlowContext
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_notes import Noted
from passerelle.flows.said import Said
from passerelle.store.meeting_minutes import insert_vote
from passerelle.store.meeting_people import list_attendance
from passerelle.store.register import find_entry_by_number
from passerelle.store.register_lists import EntryFilter, list_entries

#: How it was voted, where that was said: no part of what was voted on.
_METHOD = re.compile(
    r"[(,]?\s?\b(?:(?P<reply>par (?:correspondance|courriels?|mails?|réponses?)|by (?:mail|reply|post))"
    r"|(?P<ballot>(?:à|au|par) (?:bulletins?|scrutin)(?: secrets?)?|by (?:secret )?ballot)"
    r"|à main levée|by show of hands)\b\)?\s?[:,]?",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 6


async def note_vote(
    ctx: FlowContext,
    conn: AsyncConnection,
    said: Said,
    meeting: Meeting,
    note: VoteNote,
    noted: Noted | None,
) -> Outcome | None:
    """Keep a vote; of one that was unanimous, all are in favour who are there or represented.

    Args:
        noted: what the same post noted: a vote without words is about the decision that stands above it.

    Returns:
        what its author is asked where nobody noted who all are; None where the vote is kept.
    """
    in_favour = note.in_favour
    if in_favour is None:
        in_favour = await _voices(conn, meeting) if note.unanimous else 0
        if note.unanimous and not in_favour:
            words = ctx.renderer(said.link.association).words
            return sentence("vote_uncounted", words("vote_uncounted"), is_private=True)
    method = _METHOD.search(note.text)
    text = " ".join(_METHOD.sub(" ", note.text).split()).strip(" ,;:()–-")
    decision = await _voted_on(conn, said, meeting, (text, note.line), noted)
    await insert_vote(
        conn,
        NewVote(
            meeting_id=meeting.id,
            text=text,
            in_favour=in_favour,
            against=note.against,
            abstained=note.abstained,
            method=_method(method),
            entry_id=decision.id if decision is not None else None,
            at=said.said_at,
        ),
    )
    return None


def _method(said: re.Match[str] | None) -> VoteMethod:
    """How it was voted; by show of hands where nobody said otherwise."""
    if said is not None and said["reply"]:
        return "reply"
    return "ballot" if said is not None and said["ballot"] else "hands"


async def _voices(conn: AsyncConnection, meeting: Meeting) -> int:
    """Who is there, and whose proxy counts."""
    noted = await list_attendance(conn, meeting.id)
    present = [one.name for one in noted if one.presence == "present"]
    given = [Proxy(giver=one.name, holder=one.represented_by) for one in noted if one.presence == "represented"]
    return len(present) + len(judge_proxies(given, present, most_held=None)[0])


async def _voted_on(
    conn: AsyncConnection, said: Said, meeting: Meeting, what: tuple[str, int], noted: Noted | None
) -> Entry | None:
    """The decision that a vote is about: by its number, by its words; where it has none, the one noted before it."""
    text, line = what
    wanted = words_of(text)
    number = _number(wanted)
    if number is not None:
        found = await find_entry_by_number(conn, meeting.association, number)
        return found if found is not None and found.link == said.link.name and found.kind == "decision" else None
    filter_ = EntryFilter(links=[meeting.link], kinds=["decision"], meeting_id=meeting.id)
    decisions = await list_entries(conn, meeting.association, filter_, order="number", limit=1000)
    if wanted:
        alike = [one for one in decisions if _is_about(wanted, words_of(one.text))]
        return alike[-1] if alike else None
    here = {entry.id: at for entry, at in zip(noted.entries, noted.lines, strict=True)} if noted is not None else {}
    before = [one for one in decisions if here.get(one.id, -1) < line]
    return before[-1] if before else None


def _number(words: Sequence[str]) -> int | None:
    """Of « décision 12 », or « 12 »."""
    named = words[1:] if words and words[0] in ("decision", "decisions") else words
    is_number = len(named) == 1 and named[0].isdecimal() and len(named[0]) <= _LONGEST_NUMBER
    return int(named[0]) if is_number else None


def _is_about(wanted: Sequence[str], text: Sequence[str]) -> bool:
    """Whether the words of a vote are those of a decision: all of one stand in the other."""
    one, other = frozenset(wanted), frozenset(text)
    return bool(one and other) and (one <= other or other <= one)
