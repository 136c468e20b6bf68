"""What people do to an entry of the register: adopt, object, finish, give back … Each move is one line of its history,
and a coordinator's stands in the acts that all participants read (PEOPLE 15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.permissions import Act, judge_act, role_needed
from passerelle.core.register_model import Entry, NewEntryChange, NewObjection, Objection
from passerelle.core.register_moves import (
    TOLD_KINDS,
    Move,
    MoveName,
    Refusal,
    find_move,
    judge_adoption,
    judge_move,
    state_named,
)
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import state_word
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.said import Said, said_key_hash
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.register import add_entry_source, get_entry, move_entry, set_replaced_by, set_review_on
from passerelle.store.register_history import (
    count_standing_objections,
    insert_entry_change,
    insert_objection,
    list_objections,
    withdraw_objections,
)
from passerelle.store.register_notices import want_telling

#: Which permission each move needs. Dropping what is one's own needs no more than noting it did.
_ACTS: Mapping[MoveName, Act] = {
    "adopt": "adopt", "replace": "adopt", "review": "adopt", "drop": "adopt", "object": "object",
    "withdraw": "withdraw", "finish": "finish", "reopen": "finish", "give_back": "finish", "confirm": "note",
    "decline": "note", "set": "finish",
}  # fmt: skip
#: Which sentence says that it is done (catalogue: `register_…`).
_SAID: Mapping[MoveName, str] = {
    "adopt": "adopted", "drop": "dropped", "finish": "done", "give_back": "returned", "reopen": "reopened",
    "confirm": "confirmed", "decline": "declined",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """One move that somebody wants to make."""

    name: MoveName
    #: A reason, or for whom it is said.
    detail: str = ""
    #: For whom it is passed on (PEOPLE 17).
    said_for: str = ""


async def change_entry(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, wish: Wish) -> Outcome:
    """Make one move of an entry, or say why not."""
    if wish.name == "object":
        return await object_to(ctx, conn, said, entry, wish)
    if wish.name == "withdraw":
        return await _withdraw(ctx, conn, said, entry, wish)
    if (refused := await may(ctx, said, _act_of(said, entry, wish.name))) is not None:
        return refused
    move = find_move(wish.name, entry.kind, entry.state)
    refusal = _refusal(said, entry, move) if wish.name != "adopt" else await _refused_adoption(ctx, conn, entry)
    if move is None or refusal is not None:
        return await _refuse(ctx, conn, said, entry, refusal or "wrong_state")
    if not await make_move(ctx, conn, said, entry, move, detail=wish.detail):
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    words = ctx.renderer(said.link.association).words
    text = words(f"register_{_SAID[wish.name]}", number=entry.number, text=entry.text)
    return sentence(wish.name, text, reaction=NOTED)


def _act_of(said: Said, entry: Entry, name: MoveName) -> Act:
    mine = said.actor.person_id is not None and said.actor.person_id == entry.author_person_id
    return "note" if name == "drop" and mine and entry.state != "adopted" else _ACTS[name]


def _refusal(said: Said, entry: Entry, move: Move | None) -> Refusal | None:
    if move is None:
        return "wrong_state"
    return judge_move(move, entry, person_id=said.actor.person_id, is_coordinator=said.actor.is_coordinator)


async def _refused_adoption(ctx: FlowContext, conn: AsyncConnection, entry: Entry) -> Refusal | None:
    standing = (await count_standing_objections(conn, [entry.id])).get(entry.id, 0)
    return judge_adoption(entry, now=ctx.now(), standing_objections=standing)


async def make_move(
    ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, move: Move, *, detail: str = ""
) -> bool:
    """Store a move that is allowed, with its line of history; False where somebody was quicker."""
    now = ctx.now()
    if not await move_entry(conn, entry.id, before_state=entry.state, after_state=move.after, now=now):
        return False
    await note_change(ctx, conn, said, entry, NewEntryChange(
        entry_id=entry.id, at=now, move=move.name, before_state=entry.state, after_state=move.after, detail=detail,
    ))  # fmt: skip
    if entry.kind in TOLD_KINDS and move.name in ("adopt", "replace", "drop", "confirm"):
        await want_telling(conn, entry.id, now)
    return True


async def note_change(
    ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, change: NewEntryChange
) -> None:
    """Write a line of an entry's history in the name of who said it; a coordinator's stands among the acts as well."""
    actor, post = said.actor, said.post
    await insert_entry_change(
        conn,
        NewEntryChange(
            entry_id=change.entry_id,
            at=change.at,
            move=change.move,
            by_name=actor.name,
            by_person_id=actor.person_id,
            medium=said.medium,
            before_state=change.before_state,
            after_state=change.after_state,
            detail=change.detail,
            post_id=post.id if post is not None else None,
        ),
    )
    if post is not None:
        await add_entry_source(conn, entry.id, post.id, "answer")
    if actor.is_coordinator and _ACTS.get(_named(change.move), "note") == "adopt":
        await insert_act(
            conn,
            NewAct(
                association=entry.association,
                link=entry.link,
                by=actor.name,
                what=f"entry_{change.move}",
                about={"entry": entry.number},
                at=change.at,
            ),
        )


def _named(move: str) -> MoveName:
    return next((name for name in _ACTS if name == move), "confirm")


# ------------------------------------------------------------ objections


async def object_to(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, wish: Wish) -> Outcome:
    """An objection counts at once, whoever makes it and however; it needs no proof of who wrote it (PEOPLE 15)."""
    words = ctx.renderer(said.link.association).words
    move = find_move("object", entry.kind, entry.state)
    if move is None:
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    name = wish.said_for or said.actor.name or words("someone")
    person_id = None if wish.said_for else said.actor.person_id
    if not await _objects_already(conn, entry, name, person_id):
        # Before the objection: none may stand on a decision that another daemon adopted just now.
        if not await make_move(ctx, conn, said, entry, move, detail=wish.said_for):
            return await _refuse(ctx, conn, said, entry, "wrong_state")
        await insert_objection(
            conn,
            NewObjection(
                entry_id=entry.id,
                person_id=person_id,
                name=name,
                passed_on_by=said.actor.name if wish.said_for else "",
                reason=wish.detail,
                at=ctx.now(),
                medium=said.medium,
                post_id=said.post.id if said.post is not None else None,
                said_key_hash=said_key_hash(ctx, said),
            ),
        )
        await want_telling(conn, entry.id, ctx.now())
    return sentence("objected", words("register_objected", number=entry.number), reaction=NOTED)


async def _objects_already(conn: AsyncConnection, entry: Entry, name: str, person_id: int | None) -> bool:
    standing = [o for o in await list_objections(conn, entry.id) if _stands(o)]
    return any(
        o.person_id == person_id if person_id is not None else o.person_id is None and o.name == name for o in standing
    )


def _stands(objection: Objection) -> bool:
    return objection.withdrawn_at is None and objection.settled_at is None


async def _withdraw(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, wish: Wish) -> Outcome:
    """Only who objected takes it back; for somebody else only whoever passed it on."""
    words = ctx.renderer(said.link.association).words
    mine = [o for o in await list_objections(conn, entry.id) if _stands(o) and _is_of(o, said, wish)]
    if not mine:
        return sentence("no_objection", words("register_no_objection", number=entry.number), is_private=True)
    if (refused := await may(ctx, said, "withdraw")) is not None:
        return refused
    now = ctx.now()
    for objection in mine:
        await withdraw_objections(conn, entry.id, person_id=objection.person_id, name=objection.name, now=now)
    standing = (await count_standing_objections(conn, [entry.id])).get(entry.id, 0)
    move = find_move("withdraw", entry.kind, entry.state)
    if move is not None and not standing:
        await make_move(ctx, conn, said, entry, move)
        await want_telling(conn, entry.id, now)
    return sentence("withdrawn", words("register_withdrawn", number=entry.number), reaction=NOTED)


def _is_of(objection: Objection, said: Said, wish: Wish) -> bool:
    if wish.said_for:
        return objection.name == wish.said_for and objection.passed_on_by == said.actor.name
    return objection.person_id is not None and objection.person_id == said.actor.person_id


# ------------------------------------------------------------ replace, review, states of configured kinds


async def replace_decision(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, by: Entry) -> Outcome:
    """One adopted decision stands no longer: another stands in its place."""
    if (refused := await may(ctx, said, "adopt")) is not None:
        return refused
    move = find_move("replace", entry.kind, entry.state)
    if move is None or by.id == entry.id or by.kind != "decision":
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    if not await make_move(ctx, conn, said, entry, move, detail=str(by.number)):
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    await set_replaced_by(conn, entry.id, by.id, ctx.now())
    words = ctx.renderer(said.link.association).words
    return sentence("replaced", words("register_replaced", number=entry.number, by=by.number), reaction=NOTED)


async def review_decision(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, day: date) -> Outcome:
    """An adopted decision is to be looked at again on a day: it comes onto the agenda then."""
    if (refused := await may(ctx, said, "adopt")) is not None:
        return refused
    move = find_move("review", entry.kind, entry.state)
    if move is None:
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    if not await make_move(ctx, conn, said, entry, move, detail=day.isoformat()):
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    await set_review_on(conn, entry.id, day, ctx.now())
    words = ctx.renderer(said.link.association).words
    told = words("register_review", number=entry.number, day=words.calendar_day(day))
    return sentence("review", told, reaction=NOTED)


async def set_state(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, word: str) -> Outcome | None:
    """An entry of a configured kind goes to the state that a word means; None where it means none."""
    kinds = said.link.association.entry_register.kinds
    state = state_named(word, entry.kind, kinds)
    if state is None:
        return None
    if (refused := await may(ctx, said, "finish")) is not None:
        return refused
    if state == entry.state:
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    move = Move(name="set", kind=entry.kind, before=(entry.state,), after=state, by=("participant",))
    if not await make_move(ctx, conn, said, entry, move):
        return await _refuse(ctx, conn, said, entry, "wrong_state")
    words = ctx.renderer(said.link.association).words
    return sentence("set", words("register_set", number=entry.number, state=state), reaction=NOTED)


# ------------------------------------------------------------ refusals


async def may(ctx: FlowContext, said: Said, act: Act) -> Outcome | None:
    """None where the actor may do that; otherwise what they are told, or asked to confirm."""
    permissions = said.link.association.permissions
    verdict = judge_act(act, said.actor, permissions)
    if verdict == "allowed":
        return None
    words = ctx.renderer(said.link.association).words
    if verdict == "confirm":
        return Outcome(reason="confirm", template="answer", variables={"sentence": words("register_confirm_sent")})
    who = words(f"role_{role_needed(act, permissions)}")
    coordinator = said.link.association.coordinators[0].name
    told = words("register_refused_permission", who=who, coordinator=coordinator)
    return sentence("refused", told, is_private=True)


async def _refuse(ctx: FlowContext, conn: AsyncConnection, said: Said, entry: Entry, refusal: Refusal) -> Outcome:
    words = ctx.renderer(said.link.association).words
    current = await get_entry(conn, entry.id)
    names = [o.name for o in await list_objections(conn, entry.id) if _stands(o)] if refusal == "objected" else []
    day = words.day(entry.open_until, weekday=True) if entry.open_until is not None else ""
    told = words(
        f"register_refused_{refusal}",
        number=entry.number,
        state=state_word(current, words),
        day=day,
        names=words.names(tuple(names)),
    )
    return sentence(f"refused_{refusal}", told, is_private=True)
