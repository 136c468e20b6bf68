"""Meetings as pages show them: when and where, in words, with absolute dates, and who comes as far as one may read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location

from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, Rsvp, RsvpAnswer
from passerelle.core.names import one_line
from passerelle.core.recurrence import instant_of
from passerelle.core.wording import Words
from passerelle.errors import MalformedRecurrence
from passerelle.flows.answer_meeting import takes_answers
from passerelle.flows.meeting_shown import titled
from passerelle.store.meeting_pages import MinutesPlace
from passerelle.web.entry_present import Fact, PersonView, name_of, person_view
from passerelle.web.lists import link_title
from passerelle.web.paths import Paths
from passerelle.web.present import day_of

#: The answers in the order in which they are offered.
ANSWERS: tuple[RsvpAnswer, ...] = ("yes", "no", "maybe")
#: States of which a list says something; of one to come there is nothing to say.
_TOLD_STATES = frozenset({"open", "cancelled"})
#: States in which it has been held.
HELD = frozenset({"closed", "drafted", "approved"})
_LONGEST_URL = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingLine:
    """A meeting in a list."""

    number: int
    path: str
    title: str
    starts_at: datetime
    ends_at: datetime
    #: « jeudi 12 novembre 2026, de 18 h 30 à 20 h 30 ».
    when: str
    place: str
    #: « annulée », « en cours »; "" where there is nothing to say.
    state_word: str
    is_cancelled: bool
    #: « 5 personnes viennent · 1 peut-être »; "" where nobody answered, or it is over.
    tally: str
    #: What the reader answered.
    own: RsvpAnswer | None
    takes_answers: bool
    #: Path of its minutes; "" where there are none.
    minutes: str
    is_draft: bool
    #: In which link; "" where there is one only.
    link: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What a list says of a meeting besides the meeting itself."""

    #: How many said what.
    answers: Mapping[RsvpAnswer, int]
    #: What the reader answered.
    own: RsvpAnswer | None
    minutes: MinutesPlace | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRow:
    """One row of the tally."""

    answer: RsvpAnswer
    title: str
    count: int
    #: Empty for who reads numbers only.
    people: tuple[tuple[PersonView, PersonView | None], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """From when to when a meeting lasts (aware), and the words of its own zone."""

    starts_at: datetime
    ends_at: datetime
    words: Words


def times_of(meeting: Meeting, link: Link, words: Words) -> Times:
    """When a meeting is; on the clock of the association where its own zone is none."""
    zone = meeting.zone
    try:
        start = instant_of(meeting.starts_local, zone)
    except MalformedRecurrence:
        zone = link.zone.key
        start = instant_of(meeting.starts_local, zone)
    end = start + timedelta(minutes=meeting.duration_minutes)
    return Times(starts_at=start, ends_at=end, words=replace(words, zone=ZoneInfo(zone)))


def when_of(times: Times, link: Link) -> str:
    """« jeudi 12 novembre 2026, de 18 h 30 à 20 h 30 », and of which place, where that is not here."""
    words = times.words
    told = words(
        "web_day_and_hours",
        day=day_of(words, times.starts_at),
        start=words.clock(times.starts_at),
        end=words.clock(times.ends_at),
    )
    if words.zone.key == link.zone.key:
        return told
    place = get_timezone_location(words.zone, locale=words.language, return_city=True)
    return told + " " + words("web_time_of", place=place)


def meeting_line(
    meeting: Meeting, link: Link, beside: Beside, *, now: datetime, words: Words, paths: Paths
) -> MeetingLine:
    """A meeting for a list."""
    times = times_of(meeting, link, words)
    is_open = takes_answers(meeting, now)
    return MeetingLine(
        number=meeting.number,
        path=paths.meeting(meeting.number),
        title=one_line(titled(meeting, words)),
        starts_at=times.starts_at,
        ends_at=times.ends_at,
        when=when_of(times, link),
        place=one_line(meeting.place),
        state_word=words(f"web_meeting_{meeting.state}") if meeting.state in _TOLD_STATES else "",
        is_cancelled=meeting.state == "cancelled",
        tally=tally_words(beside.answers, words) if is_open else "",
        own=beside.own if is_open else None,
        takes_answers=is_open,
        minutes=paths.minutes(beside.minutes.permalink) if beside.minutes is not None else "",
        is_draft=beside.minutes is not None and beside.minutes.state == "draft",
        link=link_title(meeting.link) if len(link.association.links) > 1 else "",
    )


def tally_words(answers: Mapping[RsvpAnswer, int], words: Words) -> str:
    """« 5 personnes viennent · 2 ne viennent pas »; "" where nobody answered."""
    told = [words.count(f"web_count_{answer}", answers[answer]) for answer in ANSWERS if answers.get(answer)]
    return " · ".join(told)


def answer_rows(rsvps: Sequence[Rsvp], words: Words, *, with_names: bool) -> list[AnswerRow]:
    """The tally; of what somebody passed on, with who did (PEOPLE 17)."""
    rows = []
    for answer in ANSWERS:
        mine = [rsvp for rsvp in rsvps if rsvp.answer == answer]
        people = tuple(
            (
                person_view(name_of(rsvp.name, words)),
                person_view(name_of(rsvp.said_by, words)) if rsvp.said_by else None,
            )
            for rsvp in mine
        )
        rows.append(
            AnswerRow(
                answer=answer,
                title=words(f"web_row_{answer}"),
                count=len(mine),
                people=people if with_names else (),
            )
        )
    return rows


def meeting_facts(meeting: Meeting, link: Link, times: Times, words: Words) -> list[Fact]:
    """What is known of a meeting, each with its name; what is not is left out."""
    url = one_line(meeting.url)[:_LONGEST_URL]
    is_web = url.lower().startswith(("https://", "http://"))
    several = len(link.association.links) > 1
    facts = [
        Fact(name=words("web_fact_when"), text=when_of(times, link)),
        Fact(name=words("web_fact_place"), text=one_line(meeting.place)),
        Fact(name=words("web_fact_from_afar"), text=url if is_web else "", url=url if is_web else ""),
        *(
            Fact(name=words(key), people=(person_view(name_of(name, words)),))
            for key, name in (
                ("web_fact_organizer", meeting.organizer_name),
                ("web_fact_chair", meeting.chair_name),
                ("web_fact_secretary", meeting.secretary_name),
            )
            if name
        ),
        Fact(name=words("web_fact_link"), text=link_title(meeting.link) if several else ""),
    ]
    return [fact for fact in facts if fact.text or fact.people]
