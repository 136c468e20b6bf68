"""Meetings in a digest, with their tally; their minutes; what this reader was asked back. Pure.

Who has not answered is known to nobody but themselves (PEOPLE 9): a tally counts answers, and only the reader's own
missing one is asked for.
"""

from collections.abc import Iterator
from datetime import datetime

from passerelle.core.digest_facts import AskFact, MeetingFact
from passerelle.core.digest_items import Item, Reason, ReasonCode, Section, Tally
from passerelle.core.digest_telling import LONGEST_TITLE, Telling, cut_line
from passerelle.core.digest_weights import MEETING_WITHIN, WEIGHTS
from passerelle.core.meeting_cycle import TO_COME


def meeting_items(telling: Telling) -> Iterator[Item]:
    """Meetings to come and those that were called off; minutes that were made in the digest's time."""
    for fact in telling.facts.meetings:
        if telling.until <= fact.starts_at <= telling.until + MEETING_WITHIN:
            if fact.meeting.state in TO_COME:
                yield _to_come(telling, fact)
            elif fact.meeting.state == "cancelled":
                yield _meeting(telling, fact, "cancelled", stands=False)
        if fact.minutes_at is not None and fact.minutes_at < telling.until:
            yield from _minutes(telling, fact, fact.minutes_at)


def _to_come(telling: Telling, fact: MeetingFact) -> Item:
    asks = fact.is_called and fact.own_answer is None and not fact.is_quiet and telling.person_id is not None
    return _meeting(telling, fact, "rsvp_wanted" if asks else "to_come", stands=True)


def _meeting(telling: Telling, fact: MeetingFact, code: ReasonCode, *, stands: bool) -> Item:
    meeting = fact.meeting
    section: Section = "asked" if code == "rsvp_wanted" else "meetings"
    return Item(
        key=f"meeting:{meeting.id}",
        section=section,
        kind="meeting",
        # Another time or place is another SEQUENCE. Who answers changes the tally, which is no news by itself.
        state=f"{_stage(fact)}:{meeting.sequence}",
        title=cut_line(meeting.title, LONGEST_TITLE),
        reason=Reason(code=code, at=fact.starts_at),
        weight=WEIGHTS[code] + telling.urgency(at=fact.starts_at),
        link=meeting.link,
        stands=stands,
        meeting_id=meeting.id,
        post_id=meeting.post_id,
        number=meeting.number,
        path=fact.path,
        author=meeting.organizer_name,
        at=fact.starts_at,
        place=meeting.place,
        tally=Tally(yes=fact.yes, no=fact.no, maybe=fact.maybe),
        happened_at=meeting.created_at,
    )


def _stage(fact: MeetingFact) -> str:
    if fact.meeting.state == "cancelled":
        return "off"
    return "called" if fact.is_called else "planned"


def _minutes(telling: Telling, fact: MeetingFact, made_at: datetime) -> Iterator[Item]:
    is_open = fact.minutes_state == "draft" and (
        fact.corrections_until is not None and fact.corrections_until > telling.until
    )
    if not is_open and not telling.is_in_time(made_at):
        return
    code: ReasonCode = "minutes_draft" if fact.minutes_state == "draft" else "minutes_approved"
    meeting = fact.meeting
    yield Item(
        key=f"minutes:{meeting.id}",
        section="meetings",
        kind="minutes",
        state=fact.minutes_state,
        title=cut_line(meeting.title, LONGEST_TITLE),
        reason=Reason(code=code, at=fact.corrections_until if is_open else None),
        weight=WEIGHTS[code] + telling.urgency(at=fact.corrections_until if is_open else None),
        link=meeting.link,
        stands=is_open,
        meeting_id=meeting.id,
        number=meeting.number,
        path=fact.minutes_path,
        at=fact.starts_at,
        happened_at=made_at,
    )


def ask_items(telling: Telling) -> Iterator[Item]:
    """What the reader was asked back, and has not answered."""
    for fact in telling.facts.asks:
        if fact.ask.answered_at is None and fact.ask.asked_at < telling.until:
            yield _ask(telling, fact)


def _ask(telling: Telling, fact: AskFact) -> Item:
    ask = fact.ask
    return Item(
        key=f"ask:{ask.id}",
        section="asked",
        kind="ask",
        state="open",
        title=cut_line(fact.text, LONGEST_TITLE),
        reason=Reason(code="asked_back", days=(telling.until - ask.asked_at).days),
        weight=WEIGHTS["asked_back"],
        link=ask.link,
        stands=True,
        ask_id=ask.id,
        entry_id=fact.entry_id,
        meeting_id=fact.meeting_id,
        number=fact.number,
        path=fact.path,
        happened_at=ask.asked_at,
    )
