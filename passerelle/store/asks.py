"""Questions that were asked back, each answered once."""

from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AskId
from passerelle.core.register_model import Ask, NewAsk
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import ask
from passerelle.store.types import Instant

_SHAPE = Shape(Ask, ask)
_WHICH: BindParameter[int] = bindparam("which")
_ALL = select(*_SHAPE.columns)
_OPEN = ask.c.answered_at.is_(None)
_TO_ESCALATE = (_OPEN, ask.c.escalated_at.is_(None))

_INSERT = insert(ask).returning(*_SHAPE.columns)
_GET = _ALL.where(ask.c.id == _WHICH)
_OPEN_OF = _ALL.where(_OPEN, ask.c.person_id == bindparam("person_id")).order_by(ask.c.id)
_ANSWER = update(ask).where(ask.c.id == _WHICH, _OPEN).values(answered_at=bindparam("now"), answer=bindparam("said"))
_DUE = _ALL.where(*_TO_ESCALATE, ask.c.escalate_at <= bindparam("now")).order_by(ask.c.escalate_at, ask.c.id)
_NEXT = select(func.min(ask.c.escalate_at, type_=Instant())).where(*_TO_ESCALATE)
_ESCALATED = update(ask).where(ask.c.id == _WHICH, *_TO_ESCALATE).values(escalated_at=bindparam("now"))
#: What was to be confirmed is needed no longer: why somebody does not come may stand in it. Nor are words that were
#: placed, or that their author did not want to be sent.
_HOLDING = ("confirm_command", "digest_item", "digest_send")
_FORGET = update(ask).where(ask.c.id == _WHICH, ask.c.kind.in_(_HOLDING)).values(about={})
#: Their author alone can say this word, and did not; words that were not placed are kept for them.
_OVER = update(ask).where(ask.c.id == _WHICH, ask.c.kind.in_(("confirm_command", "digest_send"))).values(about={})


async def insert_ask(conn: AsyncConnection, new: NewAsk) -> Ask:
    """Somebody is being asked."""
    return _SHAPE.value((await conn.execute(_INSERT, parameters(new) | {"answer": ""})).one())


async def find_ask(conn: AsyncConnection, id: AskId) -> Ask | None:
    """The question of that id."""
    row = (await conn.execute(_GET, {"which": id})).first()
    return None if row is None else _SHAPE.value(row)


async def list_open_asks(conn: AsyncConnection, person_id: int) -> list[Ask]:
    """What a person was asked and has not answered, the first first."""
    return _SHAPE.values((await conn.execute(_OPEN_OF, {"person_id": person_id})).all())


async def answer_ask(conn: AsyncConnection, id: AskId, answer: str, now: datetime) -> bool:
    """The answer, once: False where there is one already, and nothing is to be done. A command is forgotten by it."""
    is_first = (await conn.execute(_ANSWER, {"which": id, "said": answer, "now": now})).rowcount == 1
    await conn.execute(_FORGET, {"which": id})
    return is_first


async def list_asks_to_escalate(conn: AsyncConnection, now: datetime) -> list[Ask]:
    """What nobody answered for so long that coordinators are to be asked instead."""
    return _SHAPE.values((await conn.execute(_DUE, {"now": now})).all())


async def next_escalation_at(conn: AsyncConnection) -> datetime | None:
    """When coordinators are next to be asked."""
    found: datetime | None = (await conn.execute(_NEXT)).scalar_one()
    return found


async def set_escalated(conn: AsyncConnection, id: AskId, now: datetime) -> bool:
    """Coordinators are being asked; False where they were, or somebody has answered.

    A command waits for its author alone: nobody else is asked, and it is forgotten.
    """
    is_first = (await conn.execute(_ESCALATED, {"which": id, "now": now})).rowcount == 1
    await conn.execute(_OVER, {"which": id})
    return is_first
