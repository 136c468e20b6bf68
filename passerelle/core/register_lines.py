"""Lines that note something, read out of a mail's own words or a room's line: one grammar for both media. Pure.

A line begins with a word of `core.register_line_words` and a colon, or with `#` and such a word (MeetBot). A word with
a colon on a line of its own introduces the bullets below it. Quotes and signatures were cut before. For members:
docs/fr/registre.md.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.register_line_cutting import Item, cut_items
from passerelle.core.register_line_entries import read_entry
from passerelle.core.register_line_heads import Grammar
from passerelle.core.register_line_meetings import read_meeting
from passerelle.core.register_line_notes import (
    EntryNote,
    Note,
    OfferNote,
    PresenceNote,
    QuorumNote,
    ReturnNote,
    RoleNote,
    VoteNote,
)
from passerelle.core.register_line_parts import Setting, says_something, tidied
from passerelle.core.register_line_words import MEETING_KINDS, OFFER_KINDS
from passerelle.core.secretary_settings import KindSettings

__all__ = [
    "EntryNote", "Note", "OfferNote", "PresenceNote", "QuorumNote", "ReturnNote", "RoleNote", "VoteNote", "parse_notes",
]  # fmt: skip

#: One text notes no more than this: what says more is no mail of a human.
MOST_NOTES = 300
_LONGEST_OFFER = 200


def parse_notes(
    text: str,
    *,
    kinds: Sequence[KindSettings] = (),
    now: datetime,
    zone: ZoneInfo,
    names_known: Collection[str] = (),
) -> tuple[Note, ...]:
    """What the lines of `text` note, in their order. Never raises.

    Args:
        text: own words, without quotes and signature.
        kinds: the association's own; their words go before ours.
        now: when it was said (aware): « jeudi » is counted from it.
        zone: whose calendar and clock dates are read by.
        names_known: names of persons: « Léa : » and « (Léa) » count as naming them, as `@Léa` does without it.
    """
    grammar = Grammar(kinds=kinds, names_known=names_known)
    setting = Setting(now=now, zone=zone, names_known=names_known)
    notes = (note for item in cut_items(text, grammar) for note in _notes_of(item, grammar, setting))
    return tuple(note for note, _ in zip(notes, range(MOST_NOTES), strict=False))


def _notes_of(item: Item, grammar: Grammar, setting: Setting) -> Iterator[Note]:
    own = any(kind.name == item.head.kind for kind in grammar.kinds)
    if not own and (item.head.kind in MEETING_KINDS or item.head.kind == "vote"):
        yield from read_meeting(item, grammar)
        return
    if not own and item.head.kind in OFFER_KINDS:
        yield from _read_offer(item)
        return
    for one in _parts(item):
        entry = read_entry(one, setting)
        if entry is not None:
            yield entry


def _read_offer(item: Item) -> Iterator[Note]:
    """Only for oneself: what another can help with, they say themselves."""
    text = tidied(item.text[:_LONGEST_OFFER])
    if not item.head.said_for and not item.head.names and says_something(text):
        yield OfferNote(text=text, ends=item.head.kind == "offer_end", line=item.line)


def _parts(item: Item) -> list[Item]:
    """« actions : @Léa relancer ; @Karim acheter », « ordre du jour : budget ; clés »: several on one line."""
    parts = [part.strip() for part in item.text.split(";")]
    are_several = item.head.kind == "agenda" or (item.head.kind == "action" and all(p[:1] == "@" for p in parts))
    return [replace(item, text=part) for part in parts] if are_several else [item]
