"""A question that is asked back, never guessed: a date that may be two, a decision that somebody else saw in a line.

It is asked in the medium it came from. Unanswered for some days, coordinators are asked instead (PEOPLE 13); the entry
stands meanwhile.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.digest_answers import SEND_KEY
from passerelle.core.ids import AskId, EntryId
from passerelle.core.links import Link
from passerelle.core.register_model import Ask, AskKind, Entry, NewAsk, NewEntryChange
from passerelle.core.register_moves import find_move
from passerelle.core.when_model import When
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_unplaced import forget_question, tell_of_unplaced
from passerelle.flows.entries_shown import local_moment
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.reach_person import PersonalNotice, reach_coordinator, reach_person
from passerelle.flows.register_acts import make_move, may, note_change
from passerelle.flows.room_notice import RoomAnswer, insert_room_notice
from passerelle.flows.said import Said
from passerelle.store.asks import answer_ask, find_ask, insert_ask, list_asks_to_escalate, set_escalated
from passerelle.store.register import find_entry, set_entry_due
from passerelle.store.register_lists import find_shown_entry

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, of whom, and how it is worded."""

    kind: AskKind
    person_id: int | None
    about: Mapping[str, Any]
    #: A template of `templates/mail` and `templates/room`.
    template: str
    variables: Mapping[str, Any]


async def ask(ctx: FlowContext, conn: AsyncConnection, said: Said, question: Question) -> Ask:
    """Ask it of who spoke: beneath the line in the room, by mail otherwise."""
    now, link = ctx.now(), said.link
    days = timedelta(days=link.association.entry_register.escalate_days)
    asked = await insert_ask(
        conn,
        NewAsk(
            association=link.association_name,
            link=link.name,
            kind=question.kind,
            person_id=question.person_id,
            about=question.about,
            asked_at=now,
            escalate_at=now + days,
        ),
    )
    key = about_key(About(kind="ask", ids=(asked.id,)), "asked")
    variables = {"name": said.actor.name, **question.variables}
    if said.line is not None:
        answer = RoomAnswer(purpose="ask", template=question.template, variables=variables, unique_key=key)
        await insert_room_notice(ctx, conn, link, said.line, answer)
    elif said.email is not None and said.author is not None:
        mail = Personal(
            to=said.author, template=question.template, unique_key=key, variables=variables, answers=said.email
        )
        await insert_personal_email(ctx, conn, link, mail)
    return asked


async def ask_person(ctx: FlowContext, conn: AsyncConnection, link: Link, person_id: int, question: Question) -> None:
    """Ask somebody who did not just speak: by a direct message who chats, by mail otherwise."""
    now = ctx.now()
    days = timedelta(days=link.association.entry_register.escalate_days)
    asked = await insert_ask(
        conn,
        NewAsk(
            association=link.association_name,
            link=link.name,
            kind=question.kind,
            person_id=person_id,
            about=question.about,
            asked_at=now,
            escalate_at=now + days,
        ),
    )
    key = about_key(About(kind="ask", ids=(asked.id,)), "asked")
    notice = PersonalNotice(template=question.template, unique_key=key, variables=question.variables)
    await reach_person(ctx, conn, link, person_id, str(question.variables.get("name", "")), notice)


# ------------------------------------------------------------ a date that may be two


def date_question(entry: Entry, said: Said, written: str, candidates: Sequence[When], words: Words) -> Question:
    """« Est-ce le jeudi 12 ou le jeudi 19 novembre ? »"""
    return Question(
        kind="date",
        person_id=said.actor.person_id,
        about={"entry": entry.id, "written": written, "candidates": [_stored(one) for one in candidates]},
        template="ask_date",
        variables={
            "written": written,
            "choices": [local_moment(one.day, one.time, said.link, words) for one in candidates],
            "days": [one.day.day for one in candidates],
            "number": entry.number,
            "text": entry.text,
        },
    )


def _stored(when: When) -> dict[str, str]:
    return {"day": when.day.isoformat(), "time": when.time.isoformat("minutes") if when.time else ""}


def chosen(asked: Ask, number: int | None, day: date | None) -> tuple[date, time | None] | None:
    """Which of the candidates an answer means: by the day of the month, or by its date; None where it means none."""
    for one in asked.about.get("candidates", ()):
        candidate = date.fromisoformat(one["day"])
        if candidate == day or candidate.day == number:
            return candidate, time.fromisoformat(one["time"]) if one["time"] else None
    return None


async def settle_date(
    ctx: FlowContext, conn: AsyncConnection, said: Said, asked: Ask, when: tuple[date, time | None]
) -> Outcome:
    """The entry is due on the day that was meant; once, by who was asked, whose entry it is, or a coordinator."""
    words, now = ctx.renderer(said.link.association).words, ctx.now()
    entry = await find_entry(conn, EntryId(int(asked.about["entry"])))
    if entry is not None and (refused := await _may_settle(ctx, said, asked, entry)) is not None:
        return refused
    if entry is None or not await answer_ask(conn, asked.id, when[0].isoformat(), now):
        return sentence("ask_over", words("ask_over"), is_private=True)
    await set_entry_due(conn, entry.id, now, due_on=when[0], due_at=when[1])
    shown = local_moment(*when, said.link, words)
    await note_change(ctx, conn, said, entry, NewEntryChange(entry_id=entry.id, at=now, move="edited", detail=shown))
    return sentence("dated", words("ask_dated", number=entry.number, due=shown), reaction=NOTED)


async def _may_settle(ctx: FlowContext, said: Said, asked: Ask, entry: Entry) -> Outcome | None:
    theirs = {one for one in (asked.person_id, entry.author_person_id) if one is not None}
    if said.actor.is_coordinator or said.actor.person_id in theirs:
        return None
    if not theirs:
        # Nobody knows whose it is: whoever may note it.
        return await may(ctx, said, "note")
    words = ctx.renderer(said.link.association).words
    return sentence("ask_not_yours", words("ask_not_yours"), is_private=True)


# ------------------------------------------------------------ a decision that somebody else saw


async def settle_decision(ctx: FlowContext, conn: AsyncConnection, said: Said, asked: Ask, *, yes: bool) -> Outcome:
    """Its author says whether it is one: only then it is proposed to everyone."""
    words = ctx.renderer(said.link.association).words
    entry = await find_entry(conn, EntryId(int(asked.about["entry"])))
    if entry is None or asked.person_id is None or asked.person_id != said.actor.person_id:
        return sentence("ask_not_yours", words("ask_not_yours"), is_private=True)
    name = "confirm" if yes else "decline"
    move = find_move("confirm" if yes else "decline", entry.kind, entry.state)
    if move is None or not await answer_ask(conn, asked.id, name, ctx.now()):
        return sentence("ask_over", words("ask_over"), is_private=True)
    await make_move(ctx, conn, said, entry, move)
    key = "register_confirmed" if yes else "register_declined"
    return sentence(name, words(key, number=entry.number), reaction=NOTED)


# ------------------------------------------------------------ unanswered


async def escalate_asks(ctx: FlowContext) -> int:
    """Ask coordinators what somebody did not answer for some days; how many questions."""
    async with ctx.store.write() as conn:
        waiting = await list_asks_to_escalate(conn, ctx.now())
        for asked in waiting:
            link = ctx.links.find(f"{asked.association}/{asked.link}")
            if not await set_escalated(conn, asked.id, ctx.now()) or link is None:
                continue
            if asked.kind == "date":
                await _tell_coordinators(ctx, conn, link, asked)
            elif asked.kind == "digest_item":
                await tell_of_unplaced(ctx, conn, link, asked)
            elif asked.kind == "digest_send":
                await forget_question(conn, f"{SEND_KEY}{asked.id}")
    return len(waiting)


async def _tell_coordinators(ctx: FlowContext, conn: AsyncConnection, link: Link, asked: Ask) -> None:
    # Of a meeting there is no entry: its date is what it waits for.
    entry = await find_entry(conn, EntryId(int(asked.about["entry"]))) if "entry" in asked.about else None
    if entry is None and "text" not in asked.about:
        return
    # Of words that were taken out meanwhile nobody is told.
    if entry is not None and await find_shown_entry(conn, entry.association, entry.number, [entry.link]) is None:
        return
    words = ctx.renderer(link.association).words
    days = [date.fromisoformat(one["day"]) for one in asked.about["candidates"]]
    variables = {
        "written": asked.about["written"],
        "choices": [words.calendar_day(day) for day in days],
        "days": [day.day for day in days],
        "number": entry.number if entry is not None else 0,
        "text": entry.text if entry is not None else asked.about["text"],
        "author": entry.author_name if entry is not None else asked.about["author"],
    }
    about = About(kind="ask", ids=(asked.id,), step="escalated")
    for coordinator in link.association.coordinators:
        key = about_key(about, ctx.hashed("person", coordinator.address or coordinator.matrix or coordinator.name))
        notice = PersonalNotice(template="ask_date_again", unique_key=key, variables=variables)
        await reach_coordinator(ctx, conn, link, coordinator, notice)


async def get_asked(conn: AsyncConnection, about: About) -> Ask | None:
    """The question that an answer is about; None where it was erased."""
    return await find_ask(conn, AskId(about.id))
