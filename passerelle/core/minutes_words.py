"""Minutes said in a language: `build_sheet` makes of the value the texts that every form shows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from passerelle.core.minutes_model import (
    AgendaItem,
    Attendee,
    Minutes,
    MinutesEntry,
    MinutesObjection,
    MinutesVote,
    Proxy,
    Quorum,
    Topic,
)
from passerelle.core.minutes_sheet import (
    Fact,
    MinutesSheet,
    PresenceGroup,
    SheetExcerpt,
    SheetItem,
    SheetLine,
    SheetSection,
    SheetTopic,
    Signature,
)
from passerelle.core.wording import Words

#: States of which there is something to say.
_TOLD_STATES: Mapping[str, str] = {
    "decision": "asked proposed objected adopted replaced dropped",
    "action": "done",
    "loan": "returned",
    "question": "open done",
    "booking": "",
    "agenda": "",
    "info": "",
    "idea": "",
    "count": "",
}


def build_sheet(
    minutes: Minutes,
    *,
    words: Words,
    site: str = "",
    corrections_until: datetime | None = None,
    is_signed: bool = False,
) -> MinutesSheet:
    """The minutes in words.

    Args:
        words: of the association; times are told in the meeting's own zone.
        site: the archive's root (`https://archives.example`), before each path; "" where there is no web.
        corrections_until: until when corrections are taken (aware); of a draft only.
        is_signed: with a block to sign; an assembly's minutes always have one.
    """
    words = replace(words, zone=ZoneInfo(minutes.zone))
    say = _Saying(words=words, minutes=minutes, site=site.rstrip("/"))
    is_assembly = minutes.kind == "assembly"
    is_draft = minutes.state == "draft"
    return MinutesSheet(
        language=words.language,
        association=minutes.association,
        kind=say.kind(),
        title=minutes.title,
        subject=say.subject(),
        when=say.when(),
        is_draft=is_draft,
        is_assembly=is_assembly,
        was_held=minutes.was_held,
        status=say.status(),
        facts=say.facts(),
        presence=say.presence(),
        presence_notes=say.presence_notes() if minutes.was_held else (),
        decisions=say.lines(minutes.decisions),
        actions=say.lines(minutes.actions),
        sections=say.sections(),
        votes=tuple(say.vote_line(vote) for vote in minutes.votes),
        agenda=tuple(_item(item, words) for item in minutes.agenda),
        topics=tuple(say.topic(topic) for topic in minutes.topics),
        open_before=say.lines(minutes.open_before),
        corrections=tuple(
            words("minutes_correction_left", name=one.by, text=one.text) for one in minutes.corrections_left
        ),
        next_meeting=say.next_meeting(),
        corrections_until=words.moment(corrections_until, weekday=True) if corrections_until and is_draft else "",
        signatures=say.signatures() if is_assembly or is_signed else (),
        url=say.url(minutes.path),
    )


def _item(item: AgendaItem, words: Words) -> SheetItem:
    told = {"treated": "state_agenda_treated", "carried": "state_agenda_carried"}
    return SheetItem(text=item.text, state=words(told[item.state]) if item.state in told else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Saying:
    words: Words
    minutes: Minutes
    site: str

    def url(self, path: str) -> str:
        return self.site + path if self.site and path else ""

    def kind(self) -> str:
        if not self.minutes.was_held:
            return self.words("minutes_kind_cancelled")
        return self.words("minutes_kind_assembly" if self.minutes.kind == "assembly" else "minutes_kind_meeting")

    def subject(self) -> str:
        kind = "assembly" if self.minutes.kind == "assembly" else "meeting"
        key = "minutes_subject_cancelled" if not self.minutes.was_held else f"minutes_subject_{kind}"
        if self.minutes.was_held and self.minutes.state == "draft":
            key = f"minutes_subject_draft_{kind}"
        return self.words(key, title=self.minutes.title, day=self.words.day(self.minutes.starts_at, weekday=True))

    def when(self) -> str:
        words, starts_at, ends_at = self.words, self.minutes.starts_at, self.minutes.ends_at
        if ends_at is None:
            return words.moment(starts_at, weekday=True, year=True)
        day = words.day(starts_at, weekday=True, year=True)
        if starts_at.astimezone(words.zone).date() == ends_at.astimezone(words.zone).date():
            return words("minutes_when", day=day, start=words.clock(starts_at), end=words.clock(ends_at))
        return words(
            "minutes_when_days", day=day, start=words.clock(starts_at), end=words.moment(ends_at, weekday=True)
        )

    def status(self) -> str:
        minutes = self.minutes
        if not minutes.was_held:
            return ""
        if minutes.approved_on is not None:
            day = self.words.calendar_day(minutes.approved_on, weekday=False, year=True)
            return self.words("minutes_approved", version=minutes.version, day=day)
        return self.words("minutes_draft", version=minutes.version)

    def facts(self) -> tuple[Fact, ...]:
        words, minutes = self.words, self.minutes
        pauses = ", ".join(
            words("minutes_pause", start=words.clock(pause.starts_at), end=words.clock(pause.ends_at))
            for pause in minutes.pauses
        )
        found = [
            Fact(label=words("minutes_when_label"), text=self.when()),
            Fact(label=words("minutes_pause_label"), text=pauses),
            Fact(label=words("minutes_place_label"), text=minutes.place),
            Fact(label=words("minutes_link_label"), text=minutes.url, url=web_address(minutes.url)),
            Fact(label=words("minutes_chair_label"), text=minutes.chair),
            Fact(label=words("minutes_secretary_label"), text=minutes.secretary),
        ]
        if minutes.source is not None:
            day = words.day(minutes.source.said_at, weekday=True)
            text = words("minutes_source", name=minutes.source.author, day=day)
            found.append(Fact(label=words("minutes_source_label"), text=text, url=self.url(minutes.source.path)))
        return tuple(fact for fact in found if fact.text)

    # ------------------------------------------------------------ presence

    def presence(self) -> tuple[PresenceGroup, ...]:
        presence = self.minutes.presence
        groups = (
            ("minutes_present", presence.present_count, [self.attendee(one) for one in presence.present]),
            ("minutes_represented", presence.represented_count, [self.proxy(one) for one in presence.represented]),
            ("minutes_excused", presence.excused_count, [self.attendee(one) for one in presence.excused]),
            ("minutes_absent", presence.absent_count, [self.attendee(one) for one in presence.absent]),
        )
        return tuple(
            PresenceGroup(label=self.words.count(key, count), count=count, people=tuple(people))
            for key, count, people in groups
            if count
        )

    def attendee(self, one: Attendee) -> str:
        more = [one.how] if one.how else []
        if one.said_by:
            more.append(self.words("minutes_said_by", name=one.said_by))
        return f"{one.name} ({', '.join(more)})" if more else one.name

    def proxy(self, one: Proxy) -> str:
        return self.words("minutes_proxy", giver=one.giver, holder=one.holder)

    def presence_notes(self) -> tuple[str, ...]:
        presence, words = self.minutes.presence, self.words
        notes = [self.quorum(self.minutes.quorum)] if self.minutes.quorum else []
        if not presence.is_noted and not self.minutes.quorum:
            notes.append(words("minutes_presence_unknown"))
        for proxy in presence.void_proxies:
            key = "minutes_proxy_too_many" if proxy.void == "too_many" else "minutes_proxy_absent"
            notes.append(words(key, giver=proxy.giver, holder=proxy.holder))
        if presence.spoke:
            notes.append(words.count("minutes_spoke", len(presence.spoke), names=words.names(presence.spoke)))
        return tuple(notes)

    def quorum(self, quorum: Quorum) -> str:
        if not quorum.is_known:
            return self.words("minutes_quorum_unknown", needed=quorum.needed)
        key = "minutes_quorum_reached" if quorum.is_reached else "minutes_quorum_missed"
        return self.words(key, counted=quorum.counted, needed=quorum.needed)

    # ------------------------------------------------------------ entries

    def lines(self, entries: Iterable[MinutesEntry]) -> tuple[SheetLine, ...]:
        return tuple(self.line(entry) for entry in entries)

    def line(self, entry: MinutesEntry) -> SheetLine:
        is_known = entry.kind in _TOLD_STATES
        state = entry.state if not is_known else ""
        if entry.state in _TOLD_STATES.get(entry.kind, "").split():
            state = self.words(f"state_{entry.kind}_{entry.state}")
        kind = self.words(f"kind_{entry.kind}") if is_known else self.words("minutes_number")
        return SheetLine(
            label=f"{kind} {entry.number}",
            number=entry.number,
            text=entry.text or entry.label,
            who=self.who(entry),
            due=self.due(entry),
            state=state[:1].upper() + state[1:],
            notes=self.notes(entry),
            url=self.url(entry.path),
        )

    def who(self, entry: MinutesEntry) -> str:
        if entry.kind == "action" and not entry.names:
            return self.words("minutes_nobody")
        names = self.words.names(entry.names)
        if names and entry.kind in ("loan", "booking"):
            return self.words(f"minutes_who_{entry.kind}", names=names)
        return names

    def due(self, entry: MinutesEntry) -> str:
        if entry.due_on is None:
            return ""
        begin = self.day(entry.due_on, entry.due_at)
        if entry.kind == "booking" and entry.until_on is not None and entry.until_on != entry.due_on:
            return self.words("minutes_from_to", start=begin, end=self.day(entry.until_on, entry.until_at))
        key = {"action": "minutes_due_action", "loan": "minutes_due_loan"}.get(entry.kind, "minutes_due")
        return self.words(key, day=begin)

    def day(self, on: date, at: time | None) -> str:
        moved = on.year != self.minutes.starts_at.astimezone(self.words.zone).year
        day = self.words.calendar_day(on, year=moved)
        if at is None:
            return day
        return self.words("moment", day=day, clock=self.words.clock(datetime.combine(on, at, self.words.zone)))

    def notes(self, entry: MinutesEntry) -> tuple[str, ...]:
        words, found = self.words, [said for vote in entry.votes for said in self.vote(vote)]
        found += [self.objection(one) for one in entry.objections]
        if entry.state == "proposed" and entry.open_until is not None:
            found.append(words("minutes_open_until", moment=words.moment(entry.open_until, weekday=True)))
            found.append(words("minutes_silence"))
        if entry.review_on is not None:
            found.append(words("minutes_review", day=words.calendar_day(entry.review_on, year=True)))
        if entry.said_for:
            key = "minutes_said_for" if entry.author else "minutes_said_for_only"
            found.append(words(key, name=entry.said_for, author=entry.author))
        return tuple(found)

    def objection(self, one: MinutesObjection) -> str:
        words = self.words
        who = words("minutes_passed_on", name=one.name, by=one.passed_on_by) if one.passed_on_by else one.name
        state = words(f"minutes_objection_{one.state}")
        key = "minutes_objection_reason" if one.reason else "minutes_objection"
        return words(key, name=who, state=state, reason=one.reason)

    def vote(self, vote: MinutesVote) -> tuple[str, ...]:
        words = self.words
        method = words(f"minutes_vote_{vote.method}")
        total = vote.in_favour + vote.against + vote.abstained
        if vote.in_favour and total == vote.in_favour:
            said = words("minutes_vote_unanimous", method=method, favour=vote.in_favour)
        else:
            abstained = words.count("minutes_vote_abstained", vote.abstained)
            said = words(
                "minutes_vote", method=method, favour=vote.in_favour, against=vote.against, abstained=abstained
            )
        presence = self.minutes.presence
        counted = presence.present_count + presence.represented_count
        if self.minutes.kind == "assembly" and presence.is_noted and total > counted:
            return said, words("minutes_vote_exceeds", total=total, counted=counted)
        return (said,)

    def vote_line(self, vote: MinutesVote) -> SheetLine:
        text = vote.text or self.words("minutes_vote_untold")
        return SheetLine(label=self.words("minutes_vote_label"), number=0, text=text, notes=self.vote(vote))

    def sections(self) -> tuple[SheetSection, ...]:
        minutes, words = self.minutes, self.words
        found = [
            SheetSection(title=words("minutes_infos"), lines=self.lines(minutes.infos)),
            SheetSection(title=words("minutes_questions"), lines=self.lines(minutes.questions)),
            SheetSection(title=words("minutes_ideas"), lines=self.lines(minutes.ideas)),
            SheetSection(title=words("minutes_loans"), lines=self.lines(minutes.loans)),
            SheetSection(title=words("minutes_counts"), lines=self.lines(minutes.counts)),
            *(SheetSection(title=other.title, lines=self.lines(other.entries)) for other in minutes.others),
        ]
        return tuple(section for section in found if section.lines)

    # ------------------------------------------------------------ the rest

    def topic(self, topic: Topic) -> SheetTopic:
        left = topic.said_count - len(topic.excerpts)
        return SheetTopic(
            title=topic.title
            or self.words("minutes_topic_first" if len(self.minutes.topics) > 1 else "minutes_topic_only"),
            excerpts=tuple(
                SheetExcerpt(
                    author=one.author, clock=self.words.clock(one.said_at), text=one.text, url=self.url(one.path)
                )
                for one in topic.excerpts
            ),
            more=self.words.count("minutes_more", left) if left > 0 else "",
            url=self.url(topic.path),
        )

    def next_meeting(self) -> str:
        following = self.minutes.next_meeting
        if following is None:
            return ""
        title = following.title[:1].upper() + following.title[1:]
        parts = [title, self.words.moment(following.starts_at, weekday=True, year=True), following.place]
        return ", ".join(part for part in parts if part)

    def signatures(self) -> tuple[Signature, ...]:
        return (
            Signature(role=self.words("minutes_sign_chair"), name=self.minutes.chair),
            Signature(role=self.words("minutes_sign_secretary"), name=self.minutes.secretary),
        )


def web_address(text: str) -> str:
    """An address that a reader may follow; "" for anything else, whatever an invitation says."""
    return text if text.startswith(("https://", "http://")) and " " not in text else ""
