"""A mail that went to two lists is one post: erased, it is erased in both."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tests.flows import test_same_post_both_ways as both
from tests.flows.bridge import mail
from tests.flows.test_erasure import words_in_rows
from tests.flows.test_erasure_reach import erase_post, first_post

open_bridge = both.open_bridge


async def test_the_other_lists_copy_goes_however_short_it_is(open_bridge: Any) -> None:
    bridge = await open_bridge(two=True)
    for list_id in ("<bureau.listes.lab.test>", "<fetes.listes.lab.test>"):
        await bridge.receive(mail("Zorglubine.", subject="Loto", message_id="z@x", to=both.TO_BOTH, list_id=list_id))
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM cross_post"))).scalar_one() == 1
    await bridge.deliver_events()
    await erase_post(bridge, await first_post(bridge))
    assert await words_in_rows(bridge) == {}
