"""The minutes of a meeting: made of what is known of it, corrected, approved. Pure.

The values are `core.minutes_model`'s; what they say in words is `core.minutes_words`'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from passerelle.core.assembly import judge_quorum
from passerelle.core.meeting_model import Meeting, MeetingSpan, Vote
from passerelle.core.minutes_corrections import apply_correction
from passerelle.core.minutes_model import (
    AgendaItem,
    EntryFacts,
    MeetingFacts,
    MeetingPost,
    Minutes,
    MinutesEntry,
    MinutesObjection,
    MinutesVote,
    NextMeeting,
    OtherKind,
    Pause,
)
from passerelle.core.minutes_presence import build_presence
from passerelle.core.minutes_topics import build_topics, cut, posts_within
from passerelle.core.names import list_author_name, one_line, safe_name
from passerelle.core.recurrence import instant_of
from passerelle.core.register_lines import parse_notes
from passerelle.core.register_model import Objection
from passerelle.core.wording import Words

__all__ = ["MeetingFacts", "Minutes", "apply_correction", "approve_minutes", "build_minutes"]

LONGEST_TEXT = 1000
_LONGEST_TITLE = 200
#: Kinds that are kept as they are said: nothing of them is shown once they were dropped.
_GONE_WHEN_DROPPED = frozenset({"action", "loan", "booking", "count", "info", "question", "idea", "agenda"})


def build_minutes(facts: MeetingFacts, *, words: Words) -> Minutes:
    """The draft of a meeting's minutes.

    Args:
        words: how somebody without a name is called, and an address that is masked.

    Raises MalformedRecurrence where the meeting's zone is none.
    """
    meeting = facts.meeting
    posts = posts_within(facts.posts, facts.spans)
    items = [one for one in facts.entries if one.entry.kind == "agenda" and one.entry.state != "dropped"]
    topics, treated = build_topics(
        posts, [_text(one.entry.text) for one in items], noted_lines=partial(_noted_lines, facts), words=words
    )
    presence = build_presence(
        facts.attendances,
        facts.rsvps if meeting.state != "cancelled" else (),
        [post.author for post in posts],
        proxy_limit=facts.proxy_limit,
        words=words,
    )
    starts_at, ends_at = _bounds(meeting, facts.spans)
    entries = _Entries(facts, words)
    return Minutes(
        association=one_line(facts.association),
        title=cut(one_line(meeting.title), _LONGEST_TITLE),
        number=meeting.number,
        zone=meeting.zone,
        starts_at=starts_at,
        ends_at=ends_at,
        pauses=_pauses(facts.spans),
        kind=meeting.kind,
        was_held=meeting.state != "cancelled",
        place=cut(one_line(meeting.place), _LONGEST_TITLE),
        url=one_line(meeting.url),
        chair=safe_name(meeting.chair_name),
        secretary=safe_name(meeting.secretary_name),
        presence=presence,
        quorum=judge_quorum(facts.quorum, presence) if meeting.kind == "assembly" and facts.quorum else None,
        decisions=entries.of("decision"),
        actions=entries.of("action"),
        loans=entries.of("loan", "booking"),
        counts=entries.of("count"),
        infos=entries.of("info"),
        questions=entries.of("question"),
        ideas=entries.of("idea"),
        others=entries.others(),
        votes=entries.other_votes(),
        agenda=tuple(_item(place, one, treated) for place, one in enumerate(items)),
        topics=topics,
        open_before=tuple(_entry(one, (), words) for one in facts.open_before),
        corrections_left=facts.corrections_left,
        next_meeting=_next(facts.next_meeting),
        source=facts.source,
        path=facts.path,
        version=facts.version,
    )


def approve_minutes(minutes: Minutes, on: date) -> Minutes:
    """The minutes as they stand, approved: a version of its own, which nothing corrects any more."""
    return replace(minutes, state="approved", approved_on=on, version=minutes.version + 1)


class _Entries:
    """What was noted, by kind."""

    def __init__(self, facts: MeetingFacts, words: Words) -> None:
        self._facts = facts
        self._words = words
        self._shown = [
            one for one in facts.entries if not (one.entry.state == "dropped" and one.entry.kind in _GONE_WHEN_DROPPED)
        ]
        self._decisions = {one.entry.id for one in self._shown if one.entry.kind == "decision"}

    def of(self, *kinds: str) -> tuple[MinutesEntry, ...]:
        return tuple(self._built(one) for one in self._shown if one.entry.kind in kinds)

    def others(self) -> tuple[OtherKind, ...]:
        """Of configured kinds; the last of a kind's words is its plural, as one writes them."""
        found = [(kind.words[-1].capitalize(), self.of(kind.name)) for kind in self._facts.kinds]
        return tuple(OtherKind(title=title, entries=entries) for title, entries in found if entries)

    def other_votes(self) -> tuple[MinutesVote, ...]:
        return tuple(_vote(vote) for vote in self._facts.votes if vote.entry_id not in self._decisions)

    def _built(self, one: EntryFacts) -> MinutesEntry:
        is_decision = one.entry.id in self._decisions
        votes = [vote for vote in self._facts.votes if is_decision and vote.entry_id == one.entry.id]
        return _entry(one, votes, self._words)


def _entry(one: EntryFacts, votes: Iterable[Vote], words: Words) -> MinutesEntry:
    entry = one.entry
    return MinutesEntry(
        kind=entry.kind,
        number=entry.number,
        text=_text(entry.text),
        state=entry.state,
        names=tuple(list_author_name(person.name, words) for person in one.people),
        label=_text(entry.label),
        quantity=entry.quantity,
        due_on=entry.due_on,
        due_at=entry.due_at,
        until_on=entry.until_on,
        until_at=entry.until_at,
        open_until=entry.open_until,
        review_on=entry.review_on,
        author=safe_name(entry.author_name),
        said_for=safe_name(entry.said_for),
        objections=tuple(_objection(objection, words) for objection in one.objections),
        votes=tuple(_vote(vote) for vote in votes),
        path=one.path,
    )


def _text(text: str) -> str:
    return cut(one_line(text), LONGEST_TEXT)


def _vote(vote: Vote) -> MinutesVote:
    return MinutesVote(
        text=_text(vote.text),
        in_favour=vote.in_favour,
        against=vote.against,
        abstained=vote.abstained,
        method=vote.method,
    )


def _objection(objection: Objection, words: Words) -> MinutesObjection:
    settled = objection.settled_at is not None
    return MinutesObjection(
        name=list_author_name(objection.name, words),
        passed_on_by=safe_name(objection.passed_on_by),
        reason=_text(objection.reason),
        state="withdrawn" if objection.withdrawn_at is not None else "settled" if settled else "standing",
    )


def _item(place: int, one: EntryFacts, treated: frozenset[int]) -> AgendaItem:
    """An item of the agenda: what was moved by hand stands; else, where items were called up, the others wait."""
    state = one.entry.state
    if state not in ("treated", "carried"):
        state = "treated" if place in treated else "carried" if treated else "wanted"
    return AgendaItem(
        text=_text(one.entry.text),
        state="treated" if state == "treated" else "carried" if state == "carried" else "wanted",
        number=one.entry.number,
    )


def _noted_lines(facts: MeetingFacts, post: MeetingPost) -> frozenset[int]:
    """The lines of a post that the grammar took."""
    zone = ZoneInfo(facts.meeting.zone)
    return frozenset(note.line for note in parse_notes(post.text, kinds=facts.kinds, now=post.said_at, zone=zone))


def _bounds(meeting: Meeting, spans: Sequence[MeetingSpan]) -> tuple[datetime, datetime | None]:
    """When it began and ended: as it was captured, else as it was called."""
    if not spans:
        return instant_of(meeting.starts_local, meeting.zone), meeting.closed_at if meeting.opened_at else None
    ordered = sorted(spans, key=lambda span: span.started_at)
    return ordered[0].started_at, ordered[-1].ended_at or meeting.closed_at


def _pauses(spans: Sequence[MeetingSpan]) -> tuple[Pause, ...]:
    ordered = sorted(spans, key=lambda span: span.started_at)
    return tuple(
        Pause(starts_at=before.ended_at, ends_at=after.started_at)
        for before, after in pairwise(ordered)
        if before.ended_at is not None and before.ended_at < after.started_at
    )


def _next(meeting: Meeting | None) -> NextMeeting | None:
    if meeting is None:
        return None
    return NextMeeting(
        title=cut(one_line(meeting.title), _LONGEST_TITLE),
        starts_at=instant_of(meeting.starts_local, meeting.zone),
        place=cut(one_line(meeting.place), _LONGEST_TITLE),
    )
