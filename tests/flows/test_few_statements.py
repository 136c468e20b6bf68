"""What a plain line, a plain mail and a conversation that leaves ask of the database.

Each flow adds its few statements, and nobody sees the sum: here it stands. Whoever needs one more says so here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from passerelle.flows.seal_batches import seal_due_batches
from tests.flows.bridge import Bridge, mail

#: Taken in, claimed, placed, put in its open batch, finished; its lane let go and the next one looked for.
FOR_A_LINE = 39
#: The same, but for the batch; with the event that shows it, ready to leave.
FOR_A_MAIL = 44
#: One conversation that is due: found, asked whether it may leave, composed, stored; and the next one looked for.
FOR_A_CONVERSATION = 27


@contextmanager
def asked(bridge: Bridge) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, BEGIN among them."""
    statements: list[str] = []
    engines = [bridge.ctx.store._writing_engine, bridge.ctx.store._reading_engine]

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(re.sub(r"\s+", " ", statement)[:160])

    for engine in engines:
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_plain_line_takes_few_statements(bridge: Bridge) -> None:
    for text in ("Bonjour à tous", "Le local est ouvert"):
        await bridge.say(text)
    with asked(bridge) as statements:
        await bridge.say("Il fait bon dedans")
    assert statements
    assert len(statements) <= FOR_A_LINE, "\n".join(statements)


async def test_a_plain_mail_takes_few_statements(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour à tous\n"))
    await bridge.deliver_events()
    with asked(bridge) as statements:
        await bridge.receive(mail("Le local est ouvert.\n", message_id="local@membres.lab.test"))
    assert statements
    assert len(statements) <= FOR_A_MAIL, "\n".join(statements)


async def test_a_conversation_leaves_with_few_statements(bridge: Bridge) -> None:
    for text in ("Bonjour à tous", "Le local est ouvert"):
        await bridge.say(text)
        await bridge.settle()
    await bridge.say("Il fait bon dedans")
    bridge.pass_time(minutes=11)
    await bridge.deliver_events()
    with asked(bridge) as statements:
        assert await seal_due_batches(bridge.ctx, live_at=bridge.now()) == 1
    assert len(statements) <= FOR_A_CONVERSATION, "\n".join(statements)
