"""What may become of an entry of the register: one table of moves. Pure.

```
decision   asked ─confirm─► proposed ─adopt─► adopted ─replace─► replaced
             │                │  ▲               │ review: to be looked at again on a day
           decline          object withdraw,     └─drop─► dropped
             ▼                ▼  │ settle
          dropped ◄──drop── objected
action     open ─finish─► done ─reopen─► open ; open ─drop─► dropped
loan       out ─give_back─► returned         booking   booked ─drop─► dropped
question   open ─finish─► done               agenda    wanted ─treat─► treated, ─carry─► carried
others     kept ─drop─► dropped              configured kinds: from any of their states to any other
```

Nothing is adopted tacitly (PEOPLE 15): the end of the delay changes no state, it only lets a coordinator adopt. An
objection counts at once and blocks until whoever objected withdraws it, or a meeting's minutes settle it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from passerelle.core.folding import fold
from passerelle.core.register_model import Entry
from passerelle.core.secretary_settings import KindSettings

MoveName = Literal[
    "confirm", "decline", "object", "withdraw", "settle", "adopt", "replace", "review", "drop", "finish", "reopen",
    "give_back", "treat", "carry", "take_back", "set",
]  # fmt: skip
#: Who may make a move besides coordinators, who may make all of them but `confirm`, `withdraw`: see `Move.by`.
By = Literal["author", "participant", "objector", "coordinator", "minutes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One arrow of the table."""

    name: MoveName
    kind: str
    before: tuple[str, ...]
    after: str
    by: tuple[By, ...]


def _move(name: MoveName, kind: str, before: str, after: str, *by: By) -> Move:
    return Move(name=name, kind=kind, before=tuple(before.split()), after=after, by=by)


MOVES: tuple[Move, ...] = (
    _move("confirm", "decision", "asked", "proposed", "author"),
    _move("decline", "decision", "asked", "dropped", "author"),
    _move("object", "decision", "proposed objected", "objected", "participant"),
    _move("withdraw", "decision", "objected", "proposed", "objector"),
    _move("settle", "decision", "objected", "proposed", "minutes"),
    _move("adopt", "decision", "proposed", "adopted", "coordinator"),
    _move("replace", "decision", "adopted", "replaced", "coordinator"),
    _move("review", "decision", "adopted", "adopted", "coordinator"),
    _move("drop", "decision", "proposed objected", "dropped", "author", "coordinator"),
    _move("drop", "decision", "adopted", "dropped", "coordinator"),
    _move("finish", "action", "open", "done", "participant"),
    _move("reopen", "action", "done dropped", "open", "participant"),
    _move("drop", "action", "open", "dropped", "author", "coordinator"),
    _move("give_back", "loan", "out", "returned", "participant"),
    _move("reopen", "loan", "returned", "out", "participant"),
    _move("drop", "loan", "out", "dropped", "author", "coordinator"),
    _move("drop", "booking", "booked", "dropped", "author", "coordinator"),
    _move("finish", "question", "open", "done", "participant"),
    _move("reopen", "question", "done", "open", "participant"),
    _move("treat", "agenda", "wanted carried", "treated", "minutes"),
    _move("carry", "agenda", "wanted", "carried", "minutes"),
    *(
        _move("drop", kind, before, "dropped", "author", "coordinator")
        for kind, before in (
            ("question", "open"), ("agenda", "wanted carried"), ("info", "kept"), ("idea", "kept"), ("count", "kept"),
        )
    ),
)  # fmt: skip

#: How an entry of each kind begins.
FIRST_STATES: Mapping[str, str] = {
    "decision": "proposed", "action": "open", "loan": "out", "booking": "booked", "question": "open",
    "agenda": "wanted", "info": "kept", "idea": "kept", "count": "kept",
}  # fmt: skip
#: States in which something is still expected.
OPEN_STATES = frozenset({"asked", "proposed", "objected", "open", "out", "wanted", "carried"})
#: Nothing happened to the entry yet but that it was noted: it goes when its words are taken back.
_UNTOUCHED = frozenset({"asked", "proposed", "open", "out", "booked", "wanted", "kept"})
#: Kinds that both sides hear of, since they bind or name somebody (PEOPLE 14).
TOLD_KINDS = frozenset({"decision", "action", "loan", "booking"})


def first_state(kind: str, kinds: Sequence[KindSettings] = ()) -> str:
    """How an entry begins. Raises KeyError for a kind that there is not."""
    own = next((one for one in kinds if one.name == kind), None)
    return own.states[0] if own is not None else FIRST_STATES[kind]


def find_move(name: MoveName, kind: str, state: str) -> Move | None:
    """The arrow of that name from a state; None where there is none."""
    return next((m for m in MOVES if m.name == name and m.kind == kind and state in m.before), None)


def is_untouched(entry: Entry) -> bool:
    """Whether nothing has become of an entry but that it was noted."""
    return entry.state in _UNTOUCHED


def state_named(word: str, kind: str, kinds: Sequence[KindSettings]) -> str | None:
    """The state of a configured kind that a word means, whatever accents and capitals; None where it means none."""
    own = next((one for one in kinds if one.name == kind), None)
    wanted = fold(word).strip(" .!")
    return next((state for state in own.states if fold(state) == wanted), None) if own is not None else None


Refusal = Literal["objected", "still_open", "not_told", "wrong_state", "not_yours"]


def judge_adoption(entry: Entry, *, now: datetime, standing_objections: int) -> Refusal | None:
    """Why a decision cannot be adopted now; None where it can.

    It waits until both sides were told and the delay has gone by (PEOPLE 14): a coordinator's word shortens no one's
    right to object.
    """
    if entry.state == "objected" or standing_objections:
        return "objected"
    if find_move("adopt", entry.kind, entry.state) is None:
        return "wrong_state"
    if entry.open_until is None:
        return "not_told"
    return "still_open" if now < entry.open_until else None


def judge_move(move: Move, entry: Entry, *, person_id: int | None, is_coordinator: bool) -> Refusal | None:
    """Why that person may not make a move; None where they may. Who takes part at all is judged elsewhere."""
    if "participant" in move.by:
        return None
    if "coordinator" in move.by and is_coordinator:
        return None
    is_author = person_id is not None and person_id == entry.author_person_id
    return None if "author" in move.by and is_author else "not_yours"


def is_overdue(entry: Entry, today: date) -> bool:
    """Whether an action or loan should have been done or given back before today (of the association's zone)."""
    return entry.state in ("open", "out") and entry.due_on is not None and entry.due_on < today


def clashes(entry: Entry, others: Collection[Entry]) -> list[Entry]:
    """Bookings of the same thing that overlap this one: a day without a time is the whole day."""
    return [other for other in others if other.id != entry.id and other.state == "booked" and _overlap(entry, other)]


def _overlap(one: Entry, other: Entry) -> bool:
    first, second = _bounds(one), _bounds(other)
    return first is not None and second is not None and first[0] < second[1] and second[0] < first[1]


def _bounds(entry: Entry) -> tuple[tuple[date, str], tuple[date, str]] | None:
    """From when to when, as what sorts in time: a whole day lasts from the beginning to the end of its hours."""
    if entry.due_on is None:
        return None
    last = entry.until_on or entry.due_on
    begin = entry.due_at.isoformat("minutes") if entry.due_at else "00:00"
    end = entry.until_at.isoformat("minutes") if entry.until_at else "24:00"
    return (entry.due_on, begin), (last, end)
