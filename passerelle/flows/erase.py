"""Erasing a post, a conversation or a person, everywhere that we reach; a receipt says what was done and what was not.

The work is cut into short transactions, each of which notes how far it has come: a crash loses nothing, and the request
goes on where it was. The order makes that possible: first everything is hidden; then the words are looked for in what
others wrote, while they are still here to compare with; then they go.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.core.pseudonyms import pseudonym_of, unname
from passerelle.core.settings import MailboxSettings
from passerelle.errors import DeliveryFailure, PasserelleError, StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.erase_departures import STEPS
from passerelle.flows.erase_entries import erase_entries_by
from passerelle.flows.erase_register import what_goes
from passerelle.flows.erase_rows import erase_person, erase_targets, hide_targets
from passerelle.flows.erase_traces import Erasing, begin, looked_for, targets
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.privacy_answers import insert_erasure_answer
from passerelle.flows.receipts import receipt_text
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.pages import renew_pages
from passerelle.store.privacy import (
    NewPrivacyRequest,
    PrivacyRequest,
    RequestedBy,
    find_known_person,
    find_request,
    finish_request,
    insert_request,
    list_open_requests,
    set_progress,
)
from passerelle.store.scrub_traffic import forget_content, forget_mail_bytes, forget_recipient

log = logging.getLogger(__name__)

#: What the next phase is. `leaving`: mails that were on their way when they were to be forgotten.
_PHASES = ("hide", "quotes", "posts", "register", "person", "mailbox", "leaving", "index", "pages")
Phase = Literal["hide", "quotes", "posts", "register", "person", "mailbox", "leaving", "index", "pages", "done"]
#: After this a mailbox that cannot be reached is given up; the receipt says so.
GIVE_UP_MAILBOX = timedelta(days=7)
#: Who does it is left alone with it for so long after each step; then somebody else goes on.
_HELD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class MailboxErased:
    """What was deleted in one mailbox, and which folders were looked through."""

    count: int
    folders: Sequence[str]
    #: Marked as deleted, but the server could not be had to let them go.
    left: int = 0


class EraseEmails(Protocol):
    """Deletes the emails with these Message-IDs in a mailbox, Sent included. Raises DeliveryFailure."""

    async def __call__(self, box: MailboxSettings, message_ids: Sequence[str]) -> MailboxErased: ...


class Say(Protocol):
    """Told of each phase as it begins, and of how far it is."""

    def __call__(self, phase: str, done: int) -> None: ...


def _silent(phase: str, done: int) -> None:
    """Nobody listens."""


async def ask_erasure(
    ctx: FlowContext,
    association: AssociationName,
    subject: Mapping[str, int],
    *,
    by: RequestedBy,
    who: str = "",
    keep: str = "",
) -> int:
    """Note an erasure that is confirmed already, and is done by whoever asks (`erase`); its id.

    A coordinator's or administrator's is logged under `who`. With `keep`, a reason, approved minutes and decisions stay
    as they are, with the person's name (PEOPLE 6); the receipt tells it.
    """
    async with ctx.store.write() as conn:
        new = NewPrivacyRequest(
            association=association,
            kind="erase",
            person_id=subject.get("person"),
            subject=subject,
            by=by,
            asked_at=ctx.now(),
            confirmed_at=ctx.now(),
        )
        request_id = await insert_request(conn, new)
        far = {"held_until": (ctx.now() + _HELD_FOR).isoformat()}
        if keep:
            far["keep"] = await _nameless(ctx, conn, association, subject, keep)
        await set_progress(conn, request_id, far)
        if by != "author":
            about = {"what": next(iter(subject)), "request": request_id}
            await insert_act(conn, NewAct(association=association, by=who, what="erase", about=about, at=ctx.now()))
    return request_id


async def _nameless(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, subject: Mapping[str, int], reason: str
) -> str:
    """A reason that names nobody who is to be forgotten: it stands in the receipt."""
    person = await find_known_person(conn, subject["person"]) if "person" in subject else None
    link = next((link for link in ctx.links if link.association_name == association), None)
    if person is None or link is None:
        return reason
    who = pseudonym_of([person.name], ctx.renderer(link.association).words("erased_person"))
    return unname(reason, who, whole_only=False)


async def erase(
    ctx: FlowContext, request_id: int, *, emails: EraseEmails | None = None, say: Say = _silent
) -> Mapping[str, Any] | None:
    """Do an erasure, or go on with it; its receipt, or None where something has to be waited for.

    Raises StoreError. Safe to be called again at any time, by whomever.
    """
    erasing = await _begin(ctx, request_id)
    if erasing is None:
        return None
    if erasing.request.done_at is not None:
        return erasing.request.receipt
    while (phase := _phase(erasing)) != "done":
        _hold(erasing)
        if not await _do(erasing, phase, emails, say):
            async with ctx.store.write() as conn:
                await set_progress(conn, request_id, erasing.far)
            return None
        await _go_on(erasing, phase)
    return await _finish(erasing)


async def _begin(ctx: FlowContext, request_id: int) -> Erasing | None:
    async with ctx.store.read() as conn:
        request = await find_request(conn, request_id)
        if request is None or request.kind != "erase":
            raise StoreError(f"There is no erasure {request_id}.")
        if request.confirmed_at is None:
            return None
        return await begin(ctx, conn, request)


def _hold(erasing: Erasing) -> None:
    """Nobody else takes it up meanwhile: a command beside the daemon, or another daemon; noted with each step."""
    erasing.far["held_until"] = (erasing.ctx.now() + _HELD_FOR).isoformat()


def _phase(erasing: Erasing) -> Phase:
    phase: Phase = erasing.far.get("phase", _PHASES[0])
    return phase


async def _go_on(erasing: Erasing, phase: Phase) -> None:
    _hold(erasing)
    at = _PHASES.index(phase) + 1
    erasing.far["phase"] = _PHASES[at] if at < len(_PHASES) else "done"
    async with erasing.ctx.store.write() as conn:
        await set_progress(conn, erasing.request.id, erasing.far)


async def _do(erasing: Erasing, phase: Phase, emails: EraseEmails | None, say: Say) -> bool:
    """Do what a phase has left to do; False where it must be waited for."""
    done = 0
    say(phase, done)
    if phase == "quotes":
        await _look_for_words(erasing, say)
    elif phase == "mailbox":
        return await _erase_emails(erasing, emails)
    elif phase == "leaving":
        return await _forget_what_left(erasing)
    elif phase == "index":
        while await index_waiting(erasing.ctx):
            pass
    elif phase == "pages":
        pages = await renew_pages(erasing.ctx.store)
        erasing.far["pages_whole"] = pages.whole
    else:
        steps = {"hide": hide_targets, "posts": erase_targets, "register": erase_entries_by, "person": erase_person}
        step = steps[phase]
        while await step(erasing):
            _hold(erasing)
            done += 1
            say(phase, done)
    return True


async def _look_for_words(erasing: Erasing, say: Say) -> None:
    async with erasing.ctx.store.read() as conn:
        own = frozenset(await targets(erasing, conn))
    wanted = await looked_for(erasing, own)
    wanted = replace(wanted, going=await what_goes(erasing, wanted, own))
    if not wanted:
        return
    done, before = 0, -1
    # Once more, for what came meanwhile; each goes on where it was.
    while done > before:
        before = done
        for step in STEPS:
            while await step(erasing, wanted, own):
                _hold(erasing)
                done += 1
                say("quotes", done)


async def _erase_emails(erasing: Erasing, emails: EraseEmails | None) -> bool:
    """Delete the copies in the bridge's own mailboxes; one that cannot be reached is tried again for a week."""
    waiting: dict[str, list[str]] = erasing.far.get("emails", {})
    for box in erasing.ctx.settings.mailboxes:
        ids = waiting.get(box.name, [])
        if not ids or box.imap is None:
            waiting.pop(box.name, None)
            continue
        if emails is None:
            return False
        try:
            erased = await emails(box, ids)
        except DeliveryFailure:
            confirmed = erasing.request.confirmed_at
            if confirmed is None or erasing.ctx.now() < confirmed + GIVE_UP_MAILBOX:
                return False
            erasing.count("mailbox_not_reached")
            waiting.pop(box.name)
            continue
        erasing.count("mailbox", erased.count)
        erasing.count("mailbox_left", erased.left)
        waiting.pop(box.name)
        async with erasing.ctx.store.write() as conn:
            await set_progress(conn, erasing.request.id, erasing.far)
    erasing.far.pop("emails", None)
    return True


async def _forget_what_left(erasing: Erasing) -> bool:
    """Mails that were leaving: by now they have left, or are to be waited for."""
    leaving: list[int] = erasing.far.get("leaving", [])
    async with erasing.ctx.store.write() as conn:
        still = []
        for outbox_id in leaving:
            if await forget_mail_bytes(conn, outbox_id):
                await forget_content(conn, outbox_id, None)
                if erasing.request.subject.get("person") is not None:
                    await forget_recipient(conn, outbox_id)
            else:
                still.append(outbox_id)
        erasing.far["leaving"] = still
        await set_progress(conn, erasing.request.id, erasing.far)
    return not still


async def _finish(erasing: Erasing) -> Mapping[str, Any]:
    ctx = erasing.ctx
    async with ctx.store.write() as conn:
        receipt: dict[str, Any] = {
            "counts": {name: number for name, number in erasing.far.get("counts", {}).items() if number},
            "pages_whole": bool(erasing.far.get("pages_whole", True)),
            "dialect": ctx.store.dialect,
            "still_member": bool(erasing.far.get("member")),
            "retained": _retained(erasing),
        }
        await finish_request(conn, erasing.request.id, ctx.now(), receipt)
        to = erasing.far.get("answer_to")
        if to is not None:
            link, number = erasing.links[0], erasing.request.id
            words = receipt_text(ctx, link.association, receipt, number=number, done_at=ctx.now())
            await insert_erasure_answer(ctx, conn, link, number=number, receipt=words, **to)
    return receipt


def _retained(erasing: Erasing) -> list[dict[str, Any]]:
    """What a coordinator kept, how much, and why."""
    kept: Mapping[str, int] = erasing.far.get("kept", {})
    return [{"what": what, "count": kept[what], "reason": erasing.far["keep"]} for what in sorted(kept) if kept[what]]


async def next_erasure_at(ctx: FlowContext) -> datetime | None:
    """When an erasure is to be gone on with; None where there is none."""
    async with ctx.store.read() as conn:
        waiting = [request for request in await list_open_requests(conn) if request.kind == "erase"]
    return min((_held_until(request, ctx.now()) for request in waiting), default=None)


def _held_until(request: PrivacyRequest, now: datetime) -> datetime:
    held = (request.progress or {}).get("held_until")
    return datetime.fromisoformat(held) if held else now


async def go_on_with_erasures(ctx: FlowContext, *, emails: EraseEmails | None) -> int:
    """Go on with each erasure that is confirmed and not done, and that nobody else does; how many came to their end."""
    async with ctx.store.hold("erasures") as alone:
        if not alone:
            return 0
        async with ctx.store.read() as conn:
            waiting = [request for request in await list_open_requests(conn) if request.kind == "erase"]
        due = [request.id for request in waiting if _held_until(request, ctx.now()) <= ctx.now()]
        return sum([await _go_on_with(ctx, request_id, emails) for request_id in due])


async def _go_on_with(ctx: FlowContext, request_id: int, emails: EraseEmails | None) -> bool:
    """Whether it came to its end; one that cannot go on keeps no other waiting, and is tried again."""
    try:
        return await erase(ctx, request_id, emails=emails) is not None
    except PasserelleError:
        log.exception("An erasure could not go on", extra={"request": request_id})
        async with ctx.store.write() as conn:
            request = await find_request(conn, request_id)
            far = dict((request.progress if request is not None else None) or {})
            await set_progress(conn, request_id, far | {"held_until": (ctx.now() + _HELD_FOR).isoformat()})
        return False
