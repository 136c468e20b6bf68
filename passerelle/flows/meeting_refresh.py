"""What became of the entries of minutes between the draft and its approval: the words stay as everyone read them."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting
from passerelle.core.minutes_model import LeftCorrection, Minutes, MinutesEntry, MinutesObjection
from passerelle.core.names import safe_name
from passerelle.core.register_model import Entry, Objection
from passerelle.store.meeting_minutes import list_corrections
from passerelle.store.register import find_entry_by_number
from passerelle.store.register_history import list_objections

_LONGEST_REASON = 1000


async def refreshed(conn: AsyncConnection, link: Link, meeting: Meeting, minutes: Minutes) -> Minutes:
    """The minutes with the states of their entries as they are now: a decision that was adopted since says so."""
    listed = (*minutes.decisions, *minutes.actions, *minutes.loans, *minutes.questions)
    entries: dict[int, Entry] = {}
    objections: dict[int, list[Objection]] = {}
    for one in listed:
        entry = await find_entry_by_number(conn, link.association_name, one.number)
        if entry is not None and entry.kind == one.kind:
            entries[one.number] = entry
            objections[one.number] = await list_objections(conn, entry.id) if entry.kind == "decision" else []
    left = [one for one in await list_corrections(conn, meeting.id) if not one.applied]

    def all_of(of: tuple[MinutesEntry, ...]) -> tuple[MinutesEntry, ...]:
        return tuple(_refreshed(one, entries, objections) for one in of)

    return replace(
        minutes,
        decisions=all_of(minutes.decisions),
        actions=all_of(minutes.actions),
        loans=all_of(minutes.loans),
        questions=all_of(minutes.questions),
        corrections_left=tuple(LeftCorrection(by=one.by_name, text=one.text) for one in left),
    )


def _refreshed(
    one: MinutesEntry, entries: Mapping[int, Entry], objections: Mapping[int, list[Objection]]
) -> MinutesEntry:
    entry = entries.get(one.number)
    if entry is None:
        return one
    told = tuple(_objection(objection) for objection in objections.get(one.number, []))
    return replace(one, state=entry.state, open_until=entry.open_until, review_on=entry.review_on, objections=told)


def _objection(objection: Objection) -> MinutesObjection:
    settled = objection.settled_at is not None
    return MinutesObjection(
        name=safe_name(objection.name),
        passed_on_by=safe_name(objection.passed_on_by),
        reason=" ".join(objection.reason.split())[:_LONGEST_REASON],
        state="withdrawn" if objection.withdrawn_at is not None else "settled" if settled else "standing",
    )
