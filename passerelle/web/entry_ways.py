"""What a reader may do with an entry from its page: which buttons stand there. Pure.

The flow judges again what is sent (`flows.register_acts`): here nothing is allowed, only offered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from passerelle.core.permissions import Act, Actor, judge_act
from passerelle.core.register_model import Entry, Objection
from passerelle.core.register_moves import MoveName, Refusal, find_move, judge_adoption, judge_move
from passerelle.core.secretary_settings import KindSettings, PermissionSettings

#: The moves that have a button.
Way = Literal[
    "confirm", "decline", "object", "withdraw", "finish", "give_back", "reopen", "adopt", "replace", "review", "drop",
    "set",
]  # fmt: skip
WAYS: tuple[Way, ...] = get_args(Way)
_ACTS: dict[Way, Act] = {
    "confirm": "note", "decline": "note", "object": "object", "withdraw": "withdraw", "finish": "finish",
    "give_back": "finish", "reopen": "finish", "adopt": "adopt", "replace": "adopt", "review": "adopt",
    "drop": "adopt", "set": "finish",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """What is offered."""

    offered: frozenset[Way]
    #: Why the decision cannot be adopted yet, to who might.
    not_yet: Refusal | None = None
    #: States to which an entry of a configured kind may go.
    states: tuple[str, ...] = ()


def find_ways(
    entry: Entry,
    objections: Sequence[Objection],
    *,
    actor: Actor,
    permissions: PermissionSettings,
    kinds: Sequence[KindSettings],
    now: datetime,
) -> Ways:
    """What a reader may do with an entry now. `objections`: those that stand."""
    offered: set[Way] = {way for way in WAYS if way != "set" and _may(way, entry, actor, permissions)}
    if not _objects(actor, objections):
        offered.discard("withdraw")
    else:
        offered.discard("object")
    not_yet: Refusal | None = None
    # With an objection there is no move, and who might adopt is told why.
    if _allowed("adopt", actor, permissions) and entry.kind == "decision" and entry.state in ("proposed", "objected"):
        not_yet = judge_adoption(entry, now=now, standing_objections=len(objections))
        if not_yet is not None:
            offered.discard("adopt")
    own = next((kind for kind in kinds if kind.name == entry.kind), None)
    states: tuple[str, ...] = ()
    if own is not None and _allowed("set", actor, permissions):
        states = tuple(state for state in own.states if state != entry.state)
        offered = offered | {"set"} if states else offered
    return Ways(offered=frozenset(offered), not_yet=not_yet, states=states)


def _may(way: Way, entry: Entry, actor: Actor, permissions: PermissionSettings) -> bool:
    name: MoveName = way
    move = find_move(name, entry.kind, entry.state)
    if move is None:
        return False
    is_own = actor.person_id is not None and actor.person_id == entry.author_person_id
    # What one noted oneself one may drop, until others have relied on it.
    act: Act = "note" if way == "drop" and is_own and entry.state != "adopted" else _ACTS[way]
    if judge_act(act, actor, permissions) != "allowed":
        return False
    if "objector" in move.by:
        return True
    return judge_move(move, entry, person_id=actor.person_id, is_coordinator=actor.is_coordinator) is None


def _allowed(way: Way, actor: Actor, permissions: PermissionSettings) -> bool:
    return judge_act(_ACTS[way], actor, permissions) == "allowed"


def _objects(actor: Actor, objections: Sequence[Objection]) -> bool:
    return actor.person_id is not None and any(one.person_id == actor.person_id for one in objections)
