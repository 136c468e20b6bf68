"""What a plain line and a plain mail ask of the database, from their arrival on until they are stored and placed.

Each flow adds its few statements, and nobody sees the sum: here it stands. Whoever needs one more says so here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from tests.flows.bridge import Bridge, mail

#: Taken in, claimed, placed, put in its open batch, finished; its lane let go and the next one looked for.
FOR_A_LINE = 39
#: The same, but for the batch; with the event that shows it, ready to leave.
FOR_A_MAIL = 44


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
