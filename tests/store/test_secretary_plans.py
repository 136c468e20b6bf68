"""SQLite's own plans: what the clock asks again and again is answered by an index, however long the register is."""

import re
from pathlib import Path

import pytest

from passerelle.store import (
    asks,
    meeting_steps,
    people,
    register_lists,
    register_notices,
    register_said,
    register_things,
    reminders,
)
from passerelle.store.engine import Store


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (reminders._DUE, "ix_reminder_next"),
        (reminders._NEXT, "ix_reminder_next"),
        (meeting_steps._DUE, "ix_meeting_step_due"),
        (meeting_steps._NEXT, "ix_meeting_step_due"),
        (asks._DUE, "ix_ask_open"),
        (asks._NEXT, "ix_ask_open"),
        (asks._OPEN_OF, "ix_ask_person"),
        (register_lists._TO_DECIDE, "ix_entry_open_until"),
        (register_lists._NEXT_TO_DECIDE, "ix_entry_open_until"),
        (register_lists._TO_REMIND, "ix_entry_due"),
        (register_lists._OVERDUE, "ix_entry_due"),
        (register_notices._LIST_WANTED, "ix_entry_to_tell"),
        (register_notices._OLDEST_WANTED, "ix_entry_to_tell"),
        (register_things._OVERLAPPING, "ix_entry_thing"),
        (register_things._OPEN_LOAN, "ix_entry_thing"),
        (register_said._ENTRIES, "ix_entry_said"),
        (register_said._OBJECTIONS, "ix_objection_said"),
        (register_said._REMINDERS, "ix_reminder_said"),
        (people._NAMES, "ix_person_association"),
    ],
)
async def test_what_is_asked_again_and_again_has_an_index(tmp_path: Path, statement: object, index: str) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/s.db", exclusive=True)
    compiled = statement.compile(dialect=store._reading_engine.dialect)  # type: ignore[attr-defined]
    words = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "('x')", str(compiled))
    async with store.read() as conn:
        plan = await conn.exec_driver_sql("EXPLAIN QUERY PLAN " + words, tuple(["1"] * words.count("?")))
        steps = [row[3] for row in plan]
    await store.close()
    assert index in set(re.findall(r"USING (?:COVERING )?INDEX (\w+)", "\n".join(steps))), steps
    assert not [step for step in steps if re.match(r"SCAN (entry|reminder|ask|meeting_step|person)$", step)], steps
