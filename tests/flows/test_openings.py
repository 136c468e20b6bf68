"""Opening an archive: nothing opens before both sides were told and the delay has gone by; closing is at once."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import insert

from passerelle.core.ids import MailAddress
from passerelle.core.links import Links
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.flows.open_archive import openings_due_at, settle_openings
from passerelle.flows.readers import reader_of, stranger
from passerelle.render import Renderer
from passerelle.store.acts import list_acts
from passerelle.store.archive_tables import import_run
from passerelle.store.openings import list_openings_of
from passerelle.store.outbox import cancel_outbox, list_outbox, mark_failed, mark_sent
from passerelle.store.people import find_or_insert_person, note_participant
from tests.flows.bridge import Bridge, MakeBridge, body_of

EVERYONE = "Bientôt, tout le monde pourra nous lire"


async def settle(bridge: Bridge) -> None:
    """The alarm clock rings, as often as it says."""
    for _ in range(5):
        if await openings_due_at(bridge.ctx) is None:
            return
        await settle_openings(bridge.ctx)
    raise AssertionError("it never settles")


async def notices(bridge: Bridge) -> list[str]:
    return [str(mail["Subject"]) for mail in await opening_mails(bridge)]


async def opening_mails(bridge: Bridge) -> list[Any]:
    rows = [row for row in await bridge.outbox("email") if row.unique_key.startswith("archive_opening:")]
    return [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]


async def leave(bridge: Bridge, *kinds: str) -> None:
    """What waits in the outbox leaves."""
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=1000):
            if not kinds or row.kind in kinds:
                await mark_sent(conn, row.id, bridge.now())


async def everyone(bridge: Bridge) -> Reader:
    async with bridge.ctx.store.read() as conn:
        return await stranger(bridge.ctx, conn, bridge.link.association_name)


async def import_something(bridge: Bridge, side: str) -> None:
    link = bridge.link
    async with bridge.ctx.store.write() as conn:
        row = {"association": link.association_name, "link": link.name, "side": side, "source": "x", "format": "mbox"}
        await conn.execute(insert(import_run).values(**row, started_at=bridge.now(), imported=3))


def configured(bridge: Bridge, **archive: Any) -> None:
    """The administrator changes the configuration, and starts anew."""
    settings = bridge.ctx.settings.model_dump(by_alias=True)
    settings["associations"][0]["links"][0]["archive"].update(archive)
    new = type(bridge.ctx.settings).model_validate(settings)
    bridge.ctx = FlowContext(
        **{
            name: getattr(bridge.ctx, name)
            for name in ("store", "renderer", "upload_limit_bytes", "now", "decrypt", "restored")
        },
        settings=new,
        links=Links(new),
    )


async def test_both_sides_are_told_once_and_it_opens_after_the_delay(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(archive={"visibility": "public", "opening_delay_days": 10})
    await settle(bridge)
    await settle(bridge)
    (mail,) = await opening_mails(bridge)
    assert mail["Subject"] == EVERYONE
    assert "Auto-Submitted" not in mail
    assert mail["To"] == "bureau@listes.lab.test"
    assert "monique@" in mail["Reply-To"]
    assert "Pas avant le vendredi 27 novembre" in body_of(mail)
    (event,) = [row for row in await bridge.outbox("event") if row.unique_key.startswith("archive_opening:")]
    assert event.content is not None
    assert "s’ouvriront à tout le monde" in event.content["body"]
    # The delay begins when both have left, not when they were written.
    bridge.pass_time(days=3)
    await leave(bridge, "event")
    await settle(bridge)
    bridge.pass_time(days=30)
    assert (await everyone(bridge)).shelves == frozenset()
    await leave(bridge, "email")
    await settle(bridge)
    bridge.pass_time(days=9, hours=23)
    assert (await everyone(bridge)).shelves == frozenset()
    bridge.pass_time(hours=1)
    assert {shelf.origin for shelf in (await everyone(bridge)).shelves} == {"live"}
    assert await notices(bridge) == [EVERYONE]


async def test_nobody_is_told_before_the_bridge_itself_was_agreed_to(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(confirmed=False, archive={"visibility": "public"})
    assert await openings_due_at(bridge.ctx) is None
    await settle_openings(bridge.ctx)
    assert await notices(bridge) == []


async def test_a_private_archive_has_nothing_to_tell(bridge: Bridge) -> None:
    await import_something(bridge, "list")
    assert await openings_due_at(bridge.ctx) is None
    assert await settle_openings(bridge.ctx) == 0


async def test_a_notice_that_failed_opens_nothing(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(archive={"visibility": "public"})
    await settle(bridge)
    await leave(bridge, "event")
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10):
            await mark_failed(conn, row.id, bridge.now(), "refused")
    await settle(bridge)
    bridge.pass_time(days=100)
    assert (await everyone(bridge)).shelves == frozenset()
    assert await notices(bridge) == [EVERYONE]


async def test_setting_it_back_closes_at_once_and_opening_again_tells_again(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(archive={"visibility": "public"})
    await settle(bridge)
    await leave(bridge)
    await settle(bridge)
    bridge.pass_time(days=14)
    assert (await everyone(bridge)).shelves
    configured(bridge, visibility="participants")
    assert (await everyone(bridge)).shelves == frozenset()
    await settle(bridge)
    configured(bridge, visibility="public")
    assert (await everyone(bridge)).shelves == frozenset()
    await settle(bridge)
    await leave(bridge)
    await settle(bridge)
    assert await notices(bridge) == [EVERYONE, EVERYONE]
    bridge.pass_time(days=13)
    assert (await everyone(bridge)).shelves == frozenset()
    bridge.pass_time(days=1)
    assert (await everyone(bridge)).shelves
    async with bridge.ctx.store.read() as conn:
        acts = await list_acts(conn, bridge.link.association_name)
    assert [act.what for act in acts] == ["open", "close", "open"]


async def test_a_past_is_told_of_once_there_is_one(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(archive={"past": "participants"})
    await settle(bridge)
    assert await notices(bridge) == []
    await import_something(bridge, "list")
    await settle(bridge)
    (mail,) = await opening_mails(bridge)
    assert mail["Subject"] == "Bientôt, nos anciens messages se liront des deux côtés"
    assert "les personnes du salon pourront lire les anciens courriels de cette liste" in body_of(mail)
    assert "tout le monde" not in body_of(mail)


async def test_participants_read_on_while_everyone_else_waits(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(archive={"past": "participants"})
    await import_something(bridge, "room")
    async with bridge.ctx.store.write() as conn:
        annie = await find_or_insert_person(
            conn, bridge.link.association_name, name="Annie", address=MailAddress("a@b.test"), now=bridge.now()
        )
        await note_participant(conn, bridge.link.association_name, bridge.link.name, annie, "list", bridge.now())

    async def annie_reads() -> set[str]:
        async with bridge.ctx.store.read() as conn:
            reader = await reader_of(bridge.ctx, conn, bridge.link.association_name, annie)
        return {f"{shelf.origin} {shelf.side}" for shelf in reader.shelves}

    own = {"live None", "import list"}
    await settle(bridge)
    await leave(bridge)
    await settle(bridge)
    assert await annie_reads() == own
    bridge.pass_time(days=14)
    assert await annie_reads() == own | {"import room"}
    configured(bridge, past="public")
    await settle(bridge)
    assert await annie_reads() == own | {"import room"}
    await leave(bridge)
    await settle(bridge)
    bridge.pass_time(days=14)
    assert (await everyone(bridge)).shelves
    # Narrowed again, participants need no second notice.
    configured(bridge, past="participants")
    await settle(bridge)
    assert (await everyone(bridge)).shelves == frozenset()
    assert await annie_reads() == own | {"import room"}
    assert len(await notices(bridge)) == 2


async def test_after_a_restore_a_notice_that_was_cancelled_is_written_anew(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(archive={"visibility": "public"})
    await settle(bridge)
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10):
            await cancel_outbox(conn, row.id, "restored")
    bridge.pass_time(minutes=1)
    await settle(bridge)
    assert len(await notices(bridge)) == 2
    async with bridge.ctx.store.read() as conn:
        (opening,) = await list_openings_of(conn, bridge.link.association_name, bridge.link.name)
    assert opening.told_at == bridge.now()
    assert opening.opens_at is None


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("past", ["participants", "public"])
async def test_every_wording_can_be_written(make_bridge: MakeBridge, language: str, past: str) -> None:
    bridge = await make_bridge(archive={"visibility": "public", "past": past, "indexed": past == "public"})
    settings = bridge.ctx.settings.model_dump(by_alias=True)
    assert settings["associations"][0]["language"] == "fr"
    await import_something(bridge, "list")
    await import_something(bridge, "room")
    renderer = bridge.ctx.renderer(bridge.link.association)
    if language == "en":
        renderer = Renderer(None, "en")
    for template in ("mail/archive_opening", "room/archive_opening"):
        text = renderer.render(
            template,
            association=bridge.link.association,
            link=bridge.link.settings,
            coordinator=bridge.link.association.coordinators[0],
            opens_posts=True,
            past_sides=["list", "room"],
            past_to=past,
            not_before=bridge.now() + timedelta(days=14),
            indexed=past == "public",
            url="https://archives.lab.test/epeule/",
        )
        assert "27 novembre" not in text
        assert ("1 décembre" in text) or ("1er décembre" in text) or ("December 1" in text) or ("1 December" in text)
