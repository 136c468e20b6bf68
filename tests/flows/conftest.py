"""Fixtures of the flows: see `tests.flows.bridge`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from passerelle.core.ids import UserId
from passerelle.core.model import RoomMember
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.flows.context import FlowContext
from passerelle.store.engine import Store
from passerelle.store.rooms import put_members
from passerelle.wiring import build_context
from tests.flows.bridge import BOT, MONIQUE, ROOM, START, Bridge, MakeBridge, settings_of


@pytest.fixture
async def make_bridge(tmp_path: Path) -> AsyncIterator[MakeBridge]:
    """Make a bridge with keys of its link; `confirmed=False` leaves it without consent."""
    stores: list[Store] = []

    async def make(
        *, confirmed: bool = True, at: datetime = START, coordinators: list[dict[str, str]] | None = None, **link: Any
    ) -> Bridge:
        settings = settings_of(tmp_path, link, coordinators or [MONIQUE])
        store = await Store.open(settings.store.url, exclusive=True)
        stores.append(store)
        clock = [at]
        built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
        ctx = FlowContext(
            store=store,
            settings=settings,
            links=built.links,
            renderer=built.renderer,
            upload_limit_bytes=built.upload_limit_bytes,
            now=lambda: clock[0],
        )
        bridge = Bridge(ctx, clock)
        async with store.write() as conn:
            members = [("@lea:lab.test", "Léa"), ("@karim:lab.test", "Karim"), (BOT, "passerelle")]
            await put_members(
                conn,
                [
                    RoomMember(room_id=ROOM, user_id=UserId(user), display_name=name, membership="join", joined_at=None)
                    for user, name in members
                ],
            )
        if confirmed:
            await ask_consent(ctx, bridge.link)
            await bridge.notices_leave()
            assert await confirm_link(ctx, bridge.link, by="Monique") == "now"
            bridge.pass_time(seconds=1)
        return bridge

    yield make
    for store in stores:
        await store.close()


@pytest.fixture
async def bridge(make_bridge: MakeBridge) -> Bridge:
    made: Bridge = await make_bridge()
    return made
