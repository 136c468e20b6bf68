"""A digest in words, for its text, its HTML, its page and the room: what each item is, why it stands there. Pure.

Numbers stand in sentences; the bars of `Bar` only show them once more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from passerelle.core.catch_up import BEGINNING, MOST
from passerelle.core.digest_answers import AnswerWay
from passerelle.core.digest_choice import Chosen, Item
from passerelle.core.digest_items import SECTIONS, Reason, Section, Tally
from passerelle.core.digest_model import DigestKind
from passerelle.core.digest_summary import build_summary
from passerelle.core.names import list_author_name, one_line
from passerelle.core.wording import Words

#: Of each section, where more of it stands on the web; nowhere for what only the administrator's commands show.
_MORE = {
    "asked": "", "decisions": "register", "actions": "register", "questions": "register", "meetings": "meetings",
    "threads": "", "files": "", "newcomers": "",
}  # fmt: skip
_LABELLED = frozenset({"decision", "action", "loan", "question", "meeting", "minutes"})
#: Reasons that say « demain », « jeudi »: with a day, or without one.
_DAYS = frozenset({"own_overdue", "own_due", "overdue", "due", "to_review"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a digest's reader is led to."""

    #: The archive's root on the web, without a slash at the end; "" without a web.
    web: str = ""
    #: The association's short name, and what it is called.
    association: str
    title: str
    #: How each link is called; said where there are several.
    links: Mapping[str, str] = field(default_factory=dict)
    #: By item key: where an answer to it goes.
    answers: Mapping[str, AnswerWay] = field(default_factory=dict)

    def page(self, path: str) -> str:
        return f"{self.web}{path}" if self.web and path else ""

    def below(self, name: str) -> str:
        return f"{self.web}/{self.association}/{name}" if self.web else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownItem:
    """One item in words."""

    key: str
    #: « Décision 7 : louer la salle ».
    title: str
    #: « objections jusqu'au jeudi 12 novembre à 18 h »: why it stands here, a phrase without a full stop.
    reason: str
    #: « Léa : « Qui a les clés ? » »; "" where the title says it all.
    extract: str = ""
    #: The same of each sentence of a conversation, in a catch-up.
    sentences: tuple[str, ...] = ()
    #: In which link, where there are several.
    where: str = ""
    url: str = ""
    #: `mailto:` by which it is answered; "" where it is not.
    answer: str = ""
    #: By which an answer that quotes it is placed; "" where it is not answered.
    token: str = ""
    #: An answer to that address goes to everyone on the list.
    answer_to_list: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What stands together."""

    name: Section
    title: str
    items: tuple[ShownItem, ...]
    #: « Et 3 autres. »; "" where all is named.
    more: str = ""
    more_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar of a chart that table cells make: so much of the whole, in percent. `words` says the same."""

    label: str
    words: str
    percent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownDigest:
    """A digest in words."""

    #: Of the mail, and the page's title.
    subject: str
    #: What it is, in a sentence.
    intro: str
    #: How much of what, and how long it takes to read; "" of what is no weekly digest.
    summary: str
    #: Of one person, who may change how often it comes; not a summary for a list.
    is_personal: bool
    #: Which time it tells of.
    period: str
    #: What is asked of its reader, what binds everyone …, in this order.
    parts: tuple[Part, ...]
    #: Its time in numbers, one sentence each.
    figures: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    is_cut: bool = False

    @property
    def is_answered(self) -> bool:
        """Its items bear tokens, or numbers, by which an answer is placed."""
        return any(item.token for part in self.parts for item in part.items)


def build_shown(
    chosen: Chosen, words: Words, place: Place, *, kind: DigestKind, since: datetime, until: datetime
) -> ShownDigest:
    """A digest that was chosen, in words; `since` and `until` (aware) are the time that it tells of."""
    parts = tuple(
        Part(
            name=name,
            title=words(f"digest_section_{name}"),
            items=tuple(_shown(item, words, place) for item in chosen.section(name)),
            more=_more(chosen, name, words),
            more_url=place.below(_MORE[name]) if name in _MORE else "",
        )
        for name in _sections(chosen, kind)
    )
    period = words("digest_period", since=words.day(since, weekday=True), until=words.day(until, weekday=True))
    return ShownDigest(
        subject=_subject(len(chosen.items), words, place, kind=kind),
        intro=words(f"digest_intro_{kind}"),
        summary=build_summary(chosen, words, _texts(parts)) if kind in ("coordinator", "member") else "",
        is_personal=kind in ("coordinator", "member"),
        period=since_in_words(since, until, words) if kind == "catch_up" else period,
        parts=parts,
        figures=_figures(chosen, words),
        bars=_bars(chosen, words),
        is_cut=chosen.is_cut,
    )


def _texts(parts: tuple[Part, ...]) -> Iterator[str]:
    for part in parts:
        for item in part.items:
            yield from (item.title, item.reason, item.extract, *item.sentences)


def since_in_words(since: datetime, until: datetime, words: Words) -> str:
    """« Depuis le mardi 3 mars. », « Depuis le début. »; both aware."""
    if since == BEGINNING:
        return words("catch_up_since_beginning")
    is_of_year = since.astimezone(words.zone).year == until.astimezone(words.zone).year
    return words("catch_up_since", day=words.day(since, weekday=is_of_year, year=not is_of_year))


def _subject(count: int, words: Words, place: Place, *, kind: DigestKind) -> str:
    title = one_line(place.title)
    if kind == "catch_up":
        return words("catch_up_subject", title=title)
    return words.count("digest_subject", count, title=title) if count else words("digest_subject_none", title=title)


def _sections(chosen: Chosen, kind: DigestKind) -> tuple[Section, ...]:
    """Those that name something, or of which something is counted: all that there is is told."""
    order = tuple(MOST) if kind == "catch_up" else SECTIONS
    return tuple(name for name in order if name in chosen.sections or name in chosen.counted)


def _more(chosen: Chosen, name: Section, words: Words) -> str:
    count = chosen.counted.get(name, 0)
    if not count:
        return ""
    return words.count("digest_more" if name in chosen.sections else "digest_only_counted", count)


# ------------------------------------------------------------ one item


def _shown(item: Item, words: Words, place: Place) -> ShownItem:
    # What the daemon says of a trouble is for who administers it, and in English.
    extract = "" if item.section == "service" else item.extract
    if extract and item.author:
        extract = _said(item.author, extract, words)
    way = place.answers.get(item.key)
    return ShownItem(
        key=item.key,
        title=title_in_words(item, words, place),
        reason=_reason(item, words),
        extract=extract,
        sentences=tuple(_said(one.author, one.text, words) for one in item.sentences),
        where=place.links.get(item.link, item.link) if item.link and len(place.links) > 1 else "",
        url=place.page(item.path),
        answer=way.url if way is not None else "",
        token=way.token if way is not None else "",
        answer_to_list=way is not None and way.to_list,
    )


def _said(author: str, text: str, words: Words) -> str:
    return words("digest_said", name=list_author_name(author, words), text=text)


def title_in_words(item: Item, words: Words, place: Place) -> str:
    """What an item is called: « Décision 7 : louer la salle »."""
    title = item.title
    if item.kind in _LABELLED and item.number is not None:
        return words(f"digest_title_{item.kind}", number=item.number, title=title)
    if item.kind == "newcomers":
        return words("digest_title_newcomers", link=place.links.get(item.link, item.link))
    if item.kind in ("held", "failed", "bounce"):
        return words.count(f"digest_title_{item.kind}", item.reason.count)
    return title or words("digest_title_none")


def _reason(item: Item, words: Words) -> str:
    """Why an item stands in a digest, in words."""
    reason = item.reason
    told = _told(item, reason, words)
    more: list[str] = []
    if item.kind == "meeting" and reason.code in ("rsvp_wanted", "to_come") and item.tally is not None:
        more = _tally(item.tally, words)
    if item.kind in ("action", "loan") and item.names and reason.code == "due":
        more = [words.names(tuple(list_author_name(name, words) for name in item.names))]
    if item.kind == "meeting" and item.place:
        more.insert(0, item.place)
    if reason.code == "rsvp_wanted":
        # The question stands at the end: it is what is asked.
        return words("digest_reason_asked_rsvp", told=", ".join([told, *more]))
    return ", ".join([told, *more])


def _told(item: Item, reason: Reason, words: Words) -> str:
    code = reason.code
    if code in _DAYS and reason.day is not None:
        return words(f"digest_reason_{code}", day=_day(reason.day, reason.clock, words))
    if code == "own_open" and reason.day is not None:
        return words("digest_reason_own_due", day=_day(reason.day, None, words))
    if code in ("asked_back", "unanswered"):
        return words.count(f"digest_reason_{code}", reason.days)
    if code in ("objected", "own_objection", "held", "failed", "bounce"):
        moment = words.moment(reason.at, weekday=True) if reason.at is not None else ""
        return words.count(f"digest_reason_{code}", reason.count, moment=moment)
    if code in ("new", "woken", "goes_on"):
        return _conversation(reason, words)
    if code == "newcomers":
        return _newcomers(item, words)
    if code == "file":
        name = list_author_name(item.author, words)
        return words("digest_reason_file", name=name, size=words.size(item.size_bytes))
    if reason.at is not None:
        return words(f"digest_reason_{code}", moment=words.moment(reason.at, weekday=True))
    return words(f"digest_reason_{code}" if code != "minutes_draft" else "digest_reason_minutes_over")


def _conversation(reason: Reason, words: Words) -> str:
    """« 7 personnes de 2 listes », « reprise après 20 jours : 3 personnes »."""
    people = words.count("digest_people", reason.count)
    if reason.links > 1:
        people = words.count("digest_people_links", reason.count, links=reason.links)
    if reason.code == "woken":
        return words.count("digest_reason_woken", reason.days, people=people)
    return words(f"digest_reason_{reason.code}", people=people)


def _newcomers(item: Item, words: Words) -> str:
    names = tuple(list_author_name(name, words) for name in item.names)
    others = item.reason.count - len(names)
    if not names:
        return words.count("digest_people", item.reason.count)
    return words.count("names_and_others", others, names=", ".join(names)) if others > 0 else words.names(names)


def _tally(tally: Tally, words: Words) -> list[str]:
    told = [(tally.yes, "tally_yes"), (tally.maybe, "tally_maybe"), (tally.no, "tally_no")]
    return [words.count(key, count) for count, key in told if count]


def _day(day: date, clock: time | None, words: Words) -> str:
    if clock is None:
        return words.calendar_day(day)
    return words.moment(datetime.combine(day, clock, words.zone), weekday=True)


# ------------------------------------------------------------ in numbers


def _figures(chosen: Chosen, words: Words) -> tuple[str, ...]:
    figures, told = chosen.figures, []
    if figures.people:
        told.append(
            words.count(
                "digest_figure_people",
                figures.people,
                by_mail=figures.people_by_mail,
                in_room=figures.people_in_room,
            )
        )
    for name, done, left in _shares(chosen):
        if done + left:
            told.append(words.count(f"digest_figure_{name}", done, all=done + left))
    if figures.decisions_adopted:
        told.append(words.count("digest_figure_decisions", figures.decisions_adopted))
    return tuple(told)


def _shares(chosen: Chosen) -> tuple[tuple[str, int, int], ...]:
    figures = chosen.figures
    return (
        ("questions", figures.questions_answered, figures.questions_open),
        ("actions", figures.actions_done, figures.actions_open),
    )


def _bars(chosen: Chosen, words: Words) -> tuple[Bar, ...]:
    """How many of those who spoke did so on each side; how many questions were answered, actions done."""
    figures, bars = chosen.figures, []
    if figures.people:
        for side, count in (("mail", figures.people_by_mail), ("room", figures.people_in_room)):
            told = words("digest_bar_of", part=count, all=figures.people)
            bars.append(Bar(label=words(f"digest_bar_{side}"), words=told, percent=_percent(count, figures.people)))
    for name, done, left in _shares(chosen):
        if done + left:
            told = words("digest_bar_of", part=done, all=done + left)
            bars.append(Bar(label=words(f"digest_bar_{name}"), words=told, percent=_percent(done, done + left)))
    return tuple(bars)


def _percent(part: int, whole: int) -> int:
    return round(100 * min(part, whole) / whole)
