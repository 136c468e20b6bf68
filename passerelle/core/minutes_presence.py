"""Who was at a meeting, out of what the meeting noted and what people had answered. Pure.

What the meeting noted wins over every answer. Of the answers only « je ne peux pas » is shown, as an excuse: who had
said yes, or nothing, and was not noted stands nowhere (PEOPLE 9).
"""

from collections.abc import Sequence
from dataclasses import replace

from passerelle.core.assembly import find_name, judge_proxies
from passerelle.core.folding import words_of
from passerelle.core.meeting_model import Attendance, Rsvp
from passerelle.core.minutes_model import Attendee, Presence, Proxy
from passerelle.core.names import list_author_name, one_line, safe_name
from passerelle.core.wording import Words

_LONGEST_HOW = 80


def build_presence(
    attendances: Sequence[Attendance],
    rsvps: Sequence[Rsvp],
    speakers: Sequence[str],
    *,
    proxy_limit: int | None,
    words: Words,
) -> Presence:
    """The presence of a meeting.

    Args:
        speakers: authors of what was said during it, in their order.
        proxy_limit: how many proxies one person may hold; None where there is no limit.
        words: how somebody without a name is called.
    """
    noted = [replace(one, name=list_author_name(one.name, words)) for one in _last_of_each(attendances)]
    present = tuple(_attendee(one) for one in noted if one.presence == "present")
    given = [
        Proxy(giver=one.name, holder=list_author_name(one.represented_by, words))
        for one in sorted((one for one in noted if one.presence == "represented"), key=lambda one: one.at)
    ]
    counted, void = judge_proxies(given, [one.name for one in present], most_held=proxy_limit)
    excused = tuple(_attendee(one) for one in noted if one.presence == "excused") + tuple(
        Attendee(name=list_author_name(rsvp.name, words), said_by=safe_name(rsvp.said_by))
        for rsvp in rsvps
        if rsvp.answer == "no" and not _is_noted(rsvp, noted)
    )
    absent = tuple(_attendee(one) for one in noted if one.presence == "absent")
    return Presence(
        present=present,
        represented=counted,
        void_proxies=void,
        excused=excused,
        absent=absent,
        spoke=_unnoted(speakers, noted, words),
        present_count=len(present),
        represented_count=len(counted),
        excused_count=len(excused),
        absent_count=len(absent),
        is_noted=bool(present or given),
    )


def _attendee(one: Attendance) -> Attendee:
    how = one_line(one.how)[:_LONGEST_HOW]
    # Who types the list of those present is nobody's messenger; who tells of a telephone call is.
    return Attendee(name=one.name, how=how, said_by=safe_name(one.said_by) if how else "")


def _last_of_each(attendances: Sequence[Attendance]) -> list[Attendance]:
    """One of each person: the last word counts, but that somebody is excused does not take their proxy back."""
    kept: list[Attendance] = []
    for one in sorted(attendances, key=lambda one: one.at):
        place = next((n for n, other in enumerate(kept) if _is_same(other, one.name, one.person_id)), None)
        if place is None:
            kept.append(one)
        elif not (kept[place].presence == "represented" and one.presence in ("excused", "absent")):
            kept[place] = one
    return kept


def _is_same(one: Attendance, name: str, person_id: int | None) -> bool:
    if one.person_id is not None and person_id is not None:
        return one.person_id == person_id
    return bool(name) and words_of(one.name) == words_of(name)


def _is_noted(rsvp: Rsvp, noted: Sequence[Attendance]) -> bool:
    if any(_is_same(one, rsvp.name, rsvp.person_id) for one in noted):
        return True
    # « Paul », of whom nobody knows more, is the Paul Lefèvre who had answered.
    return find_name(rsvp.name, [one.name for one in noted if one.person_id is None]) is not None


def _unnoted(speakers: Sequence[str], noted: Sequence[Attendance], words: Words) -> tuple[str, ...]:
    known = [one.name for one in noted]
    names = dict.fromkeys(list_author_name(name, words) for name in speakers)
    return tuple(name for name in names if find_name(name, known) is None)
