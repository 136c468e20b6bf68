"""Two daemons move one entry at once: the second is told how it stands, never that it was done."""

from __future__ import annotations

import pytest

from passerelle.core.permissions import Actor
from passerelle.core.register_moves import MoveName
from passerelle.flows.register_acts import Wish, change_entry
from passerelle.flows.said import Said
from passerelle.store.register_history import list_objections
from tests.flows import test_forged_acts
from tests.flows.bridge import Bridge
from tests.flows.test_forged_acts import decision

#: A decision that was told to both sides, and whose delay is over.
group = test_forged_acts.group


def said(bridge: Bridge, name: str, *, coordinates: bool) -> Said:
    actor = Actor(
        person_id=None, name=name, address=None, user_id=None, medium="room", is_participant=True,
        is_coordinator=coordinates, proof="room",
    )  # fmt: skip
    return Said(link=bridge.link, actor=actor, text="", said_at=bridge.now(), key=name)


@pytest.mark.parametrize(
    ("first", "second", "state", "reasons"),
    [
        ("adopt", "object", "adopted", []),
        ("object", "adopt", "objected", ["trop cher"]),
        ("adopt", "adopt", "adopted", []),
        ("drop", "adopt", "dropped", []),
    ],
)
async def test_who_comes_second_is_refused_and_leaves_nothing(
    group: Bridge, first: MoveName, second: MoveName, state: str, reasons: list[str]
) -> None:
    # Both read it before either wrote.
    entry = await decision(group)
    outcomes = []
    for number, name in enumerate((first, second)):
        async with group.ctx.store.write() as conn:
            wish = Wish(name=name, detail="trop cher")
            monique = said(group, f"Monique{number}", coordinates=True)
            outcomes.append((await change_entry(group.ctx, conn, monique, entry, wish)).reason)
    assert not outcomes[0].startswith("refused")
    assert outcomes[1].startswith("refused")
    assert (await decision(group)).state == state
    async with group.ctx.store.read() as conn:
        assert [one.reason for one in await list_objections(conn, entry.id)] == reasons
