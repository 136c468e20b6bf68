"""`passerelle meetings`: which are to come and which were; of one, its answers, its steps and its minutes."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, chosen_association, example, load, out, tables
from passerelle.cli.known import Unclear
from passerelle.cli.opened import now, opened, words_in
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_cycle import STEPS
from passerelle.core.meeting_model import Attendance, Meeting, MeetingState, MeetingStep, Presence, Rsvp, Step
from passerelle.core.permalinks import short_path
from passerelle.core.recurrence import instant_of
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.core.wording import Words
from passerelle.i18n import N_, _
from passerelle.store.meeting_minutes import newest_minutes
from passerelle.store.meeting_pages import MinutesPlace
from passerelle.store.meeting_people import list_attendance, list_rsvps
from passerelle.store.meeting_steps import list_steps
from passerelle.store.meetings import find_meeting_by_number, list_meetings, list_past_meetings

meetings = typer.Typer(
    name="meetings",
    help=_("Meetings and general assemblies: which are to come, which were, how far each is."),
    epilog=example("passerelle meetings list", "passerelle meetings show 4"),
    no_args_is_help=True,
)

AssociationOption = Annotated[
    str | None, typer.Option("--association", help=_("Whose meetings; needed where there are several."))
]
_STATES: dict[MeetingState, str] = {
    "planned": N_("planned"),
    "called": N_("agenda asked for"),
    "convened": N_("convocation sent"),
    "open": N_("under way"),
    "closed": N_("closed"),
    "drafted": N_("minutes as a draft"),
    "approved": N_("minutes approved"),
    "cancelled": N_("cancelled"),
}
_STEPS: dict[Step, str] = {
    "call": N_("Ask for the agenda"),
    "convocation": N_("Send the convocation"),
    "reminder": N_("Remind"),
    "draft": N_("Send the draft of the minutes"),
    "approval": N_("End of corrections"),
}
_SKIPPED = {"too_late": N_("left out: too late"), "off": N_("left out: not wanted"), "cancelled": N_("cancelled")}
_PRESENCES: dict[Presence, str] = {
    "present": N_("present"),
    "represented": N_("represented"),
    "excused": N_("excused"),
    "absent": N_("absent"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Whole:
    """One meeting and all that belongs to it."""

    meeting: Meeting
    steps: Sequence[MeetingStep]
    rsvps: Sequence[Rsvp]
    attendance: Sequence[Attendance]
    minutes: MinutesPlace | None
    #: The archive's address; "" without a web.
    web: str

    @property
    def counts(self) -> dict[str, int]:
        """How many answered what, and how many were there."""
        answers = {answer: sum(one.answer == answer for one in self.rsvps) for answer in ("yes", "no", "maybe")}
        return answers | {word: sum(one.presence == word for one in self.attendance) for word in _PRESENCES}


def starts_at(meeting: Meeting) -> datetime:
    """The instant at which a meeting begins (aware)."""
    return instant_of(meeting.starts_local, meeting.zone)


# ------------------------------------------------------------ all of them


@meetings.command(
    "list",
    help=_("List the meetings to come, the next first, and the last ones that were."),
    epilog=example("passerelle meetings list", "passerelle meetings list --link bureau --json"),
)
def list_(
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    link: Annotated[str, typer.Option("--link", metavar="LINK", help=_("Only this link's."))] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help=_("At most so many of either."))] = 20,
    as_json: Annotated[bool, typer.Option("--json", help=_("For another program: as JSON, in English."))] = False,
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    if link and link not in [one.name for one in chosen.links]:
        raise typer.BadParameter(_("there is no link of this name"))
    to_come, past = asyncio.run(_list(settings, chosen, link, limit))
    if as_json:
        both = {"to_come": [_as_json(one) for one in to_come], "past": [_as_json(one) for one in past]}
        typer.echo(json.dumps(both, indent=2, ensure_ascii=False))
        return
    if not to_come and not past:
        out().print(_("There is no meeting yet."))
    _print_table(_("To come"), to_come)
    if to_come and past:
        out().print()
    _print_table(_("Past"), past)


async def _list(
    settings: Settings, association: AssociationSettings, link: str, limit: int
) -> tuple[list[Meeting], list[Meeting]]:
    name, links = AssociationName(association.name), [LinkName(link)] if link else None
    # Each stands on the clock of its own zone; that of the association is near enough for which is to come.
    here = now().astimezone(association.zone()).replace(tzinfo=None)
    async with opened(settings) as store, store.read() as conn:
        to_come = await list_meetings(conn, name, links=links, since_local=here, limit=limit)
        past = await list_past_meetings(conn, name, before_local=here, links=links, limit=limit)
    return to_come, past


def _print_table(title: str, found: Sequence[Meeting]) -> None:
    if not found:
        return
    out().print(Text(title, style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("No."), _("When"), _("What"), _("Where"), _("State")):
        table.add_column(head, overflow="fold")
    for meeting in found:
        cells = (str(meeting.number), _moment(meeting), meeting.title, _place(meeting), _(_STATES[meeting.state]))
        table.add_row(*map(Text, cells))
    tables().print(table)


def _moment(meeting: Meeting) -> str:
    return words_in(ZoneInfo(meeting.zone)).moment(starts_at(meeting), weekday=True, year=True)


def _place(meeting: Meeting) -> str:
    return ", ".join(part for part in (meeting.place, meeting.url) if part) or "–"


# ------------------------------------------------------------ one of them


@meetings.command(
    "show",
    help=_("Show one meeting: how many come, what is done when, where its minutes are."),
    epilog=example("passerelle meetings show 4", "passerelle meetings show 4 --names"),
)
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help=_("What members call it: 4 of « réunion 4 »."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    names: Annotated[bool, typer.Option("--names", help=_("With the names that coordinators read."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("For another program: as JSON, in English."))] = False,
) -> None:
    settings = load(file)
    whole = asyncio.run(_show(settings, chosen_association(settings, association), number))
    if as_json:
        typer.echo(json.dumps(_whole_as_json(whole, names=names), indent=2, ensure_ascii=False))
    else:
        _print_whole(whole, names=names)


async def _show(settings: Settings, association: AssociationSettings, number: int) -> _Whole:
    async with opened(settings) as store, store.read() as conn:
        meeting = await find_meeting_by_number(conn, AssociationName(association.name), number)
        if meeting is None:
            raise Unclear(
                _("There is no meeting {number}. `passerelle meetings list` shows them.").format(number=number)
            )
        newest = await newest_minutes(conn, meeting.id)
        place = (
            MinutesPlace(meeting_id=meeting.id, state=newest.state, permalink=newest.permalink) if newest else None
        )  # fmt: skip
        return _Whole(
            meeting=meeting,
            steps=sorted(await list_steps(conn, meeting.id), key=lambda one: STEPS.index(one.step)),
            rsvps=await list_rsvps(conn, meeting.id),
            attendance=await list_attendance(conn, meeting.id),
            minutes=place,
            web=settings.web.url.rstrip("/") if settings.web is not None else "",
        )


def _print_whole(whole: _Whole, *, names: bool) -> None:
    meeting, console = whole.meeting, out()
    words = words_in(ZoneInfo(meeting.zone))
    title = meeting.title or words(f"meeting_title_{meeting.kind}")
    console.print(Text(f"{meeting.number}. {title}", style="bold"))
    console.print()
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(whole, words):
        facts.add_row(Text(name), Text(text))
    tables().print(facts)
    answers = {"yes": _("come"), "no": _("do not come"), "maybe": _("do not know yet")}
    _print_people(
        _("Answers"),
        {said: [one.name for one in whole.rsvps if one.answer == answer] for answer, said in answers.items()},
        names=names,
    )
    _print_people(
        _("Who was there"),
        {_(said): [one.name for one in whole.attendance if one.presence == word] for word, said in _PRESENCES.items()},
        names=names,
    )
    if whole.steps:
        console.print()
        console.print(Text(_("Steps"), style="bold"))
        for step in whole.steps:
            console.print(Text(f"  • {_(_STEPS[step.step])}: {_step_state(step, words)}"))


def _facts(whole: _Whole, words: Words) -> list[tuple[str, str]]:
    meeting = whole.meeting
    facts = [
        (_("When"), _moment(meeting)),
        (_("Where"), _place(meeting)),
        (_("State"), _(_STATES[meeting.state])),
        (_("Link"), meeting.link),
        (_("Called by"), meeting.organizer_name),
        (_("Chaired by"), meeting.chair_name),
        (_("Minutes"), _minutes(whole)),
    ]
    return [(name, text) for name, text in facts if text and text != "–"]


def _minutes(whole: _Whole) -> str:
    if whole.minutes is None:
        return ""
    said = _("approved") if whole.minutes.state == "approved" else _("a draft")
    return f"{said}, {_address(whole)}" if _address(whole) else said


def _address(whole: _Whole) -> str:
    if whole.minutes is None or not whole.web:
        return ""
    return whole.web + short_path(whole.meeting.association, whole.minutes.permalink)


def _print_people(title: str, people: dict[str, list[str]], *, names: bool) -> None:
    """Numbers, and names where they are wanted; nobody stands here because of their silence (PEOPLE 9)."""
    if not any(people.values()):
        return
    console = out()
    console.print()
    console.print(Text(title, style="bold"))
    for said, who in people.items():
        if who:
            console.print(Text(f"  • {said}: {', '.join(who) if names else len(who)}"))


def _step_state(step: MeetingStep, words: Words) -> str:
    if step.skipped:
        return _(_SKIPPED[step.skipped]) if step.skipped in _SKIPPED else step.skipped
    if step.done_at is not None:
        return _("done {at}").format(at=words.moment(step.done_at, year=True))
    return words.moment(step.due_at, year=True)


# ------------------------------------------------------------ for another program


def _as_json(meeting: Meeting) -> dict[str, Any]:
    return {
        "number": meeting.number,
        "link": meeting.link,
        "kind": meeting.kind,
        "title": meeting.title,
        "state": meeting.state,
        "starts_at": _iso(starts_at(meeting)),
        "zone": meeting.zone,
        "duration_minutes": meeting.duration_minutes,
        "place": meeting.place,
        "url": meeting.url,
        "rrule": meeting.rrule,
        "uid": meeting.uid,
    }


def _whole_as_json(whole: _Whole, *, names: bool) -> dict[str, Any]:
    told = {**_as_json(whole.meeting), "counts": whole.counts}
    if names:
        told["answers"] = [{"name": r.name, "answer": r.answer, "said_by": r.said_by} for r in whole.rsvps]
        told["attendance"] = [{"name": a.name, "presence": a.presence} for a in whole.attendance]
    told["steps"] = [
        {"step": s.step, "due_at": _iso(s.due_at), "done_at": _iso(s.done_at), "skipped": s.skipped}
        for s in whole.steps
    ]
    told["minutes"] = {"state": whole.minutes.state, "url": _address(whole)} if whole.minutes is not None else None
    return told


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at is not None else None
