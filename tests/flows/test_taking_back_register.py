"""A line that was obeyed is no post: taken back, what it made goes all the same, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lab.postgres import Postgres
from passerelle.core.ids import UserId
from passerelle.core.model import RoomMember
from passerelle.core.settings import Settings
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.flows.context import FlowContext
from passerelle.flows.register_notice import next_telling_at, tell_entries
from passerelle.flows.send_reminders import next_reminder_due_at
from passerelle.store.engine import Store
from passerelle.store.register_history import list_objections
from passerelle.store.rooms import put_members
from passerelle.wiring import build_context
from tests.flows.bridge import BOT, MONIQUE, ROOM, START, Bridge, settings_of
from tests.flows.meetings import reply_to
from tests.flows.test_register_commands import told_in_room
from tests.flows.test_register_notes import entries, notices, tell

REASON = "Paul vole dans la caisse."
OBJECTION = f"Objection : {REASON}\nEt je le prouverai demain."
#: Where words of members stand that the secretary keeps.
TABLES = ("entry", "entry_person", "entry_change", "objection", "reminder", "ask", "post", "inbox")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def bridge(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bridge]:
    settings = settings_of(tmp_path, {}, [MONIQUE])
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings = Settings.model_validate(
            settings.model_dump(by_alias=True) | {"store": {"url": postgres.create_database().replace("+asyncpg", "")}}
        )
    store = await Store.open(settings.store.url, exclusive=True)
    clock = [START]
    built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    ctx = FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: clock[0],
    )
    made = Bridge(ctx, clock)
    members = [("@lea:lab.test", "Léa"), ("@karim:lab.test", "Karim"), (BOT, "passerelle")]
    async with store.write() as conn:
        await put_members(
            conn,
            [
                RoomMember(room_id=ROOM, user_id=UserId(user), display_name=name, membership="join", joined_at=None)
                for user, name in members
            ],
        )
    await ask_consent(ctx, made.link)
    await made.notices_leave()
    await confirm_link(ctx, made.link, by="Monique")
    made.pass_time(seconds=1)
    yield made
    await store.close()


async def take_back(bridge: Bridge, event_id: str) -> str:
    """Its author takes a line back; how the redaction ended."""
    await bridge.happen(bridge.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=event_id))
    return (await bridge.reasons())[-1]


async def words_kept(bridge: Bridge) -> str:
    """What the tables of the secretary hold, and what leaves or left."""
    async with bridge.ctx.store.read() as conn:
        rows = [row for table in TABLES for row in (await conn.execute(text(f"SELECT * FROM {table}"))).all()]
        rows += (await conn.execute(text("SELECT content FROM outbox WHERE content IS NOT NULL"))).all()
    return "\n".join(map(str, rows)).encode().decode("unicode_escape", "replace") + "\n".join(map(str, rows))


async def notice_of(bridge: Bridge) -> str:
    """The event of the room's latest notice of entries."""
    return [f"$sent{row.id}" for row in await bridge.outbox("event") if "/notice/" in row.unique_key][-1]


async def test_a_noted_entry_goes_with_the_command_that_noted_it(bridge: Bridge) -> None:
    said = await bridge.say("!action @Karim appeler Zorglub le voleur")
    assert "Zorglub" in await words_kept(bridge)
    assert await take_back(bridge, said) == ""
    assert await entries(bridge) == []
    assert "Zorglub" not in await words_kept(bridge)
    assert await next_telling_at(bridge.ctx) is None
    await bridge.say("!actions")
    assert "Zorglub" not in (await told_in_room(bridge))[-1]


async def test_a_notice_that_has_not_left_does_not_tell_of_it(bridge: Bridge) -> None:
    said = await bridge.say("!décision renvoyer Zorglub")
    await bridge.say("!décision louer la salle")
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = due_at
    await tell_entries(bridge.ctx)
    assert await take_back(bridge, said) == ""
    made = [row for row in await bridge.outbox() if "/notice/" in row.unique_key]
    assert [row.state for row in made] == ["cancelled", "cancelled"]
    assert "Zorglub" not in await words_kept(bridge)
    bridge.pass_time(days=2)
    await tell(bridge)
    after = [row for row in await bridge.outbox() if "/notice/" in row.unique_key and row not in made]
    (mail,) = [await bridge.raw_of(row) for row in after if row.kind == "email"]
    (line,) = [str(row.content) for row in after if row.kind == "event"]
    assert b"louer la salle" in mail
    assert "louer la salle" in line
    assert b"Zorglub" not in mail
    assert "Zorglub" not in line


async def test_what_somebody_acted_on_stands(bridge: Bridge) -> None:
    said = await bridge.say("!action @Karim appeler la mairie")
    await bridge.say("!fait 1", sender="@karim:lab.test")
    assert await take_back(bridge, said) == ""
    (action,) = await entries(bridge)
    assert (action.state, action.text) == ("done", "appeler la mairie")


async def test_an_objection_that_nobody_was_told_of_is_none_any_more(bridge: Bridge) -> None:
    await bridge.say("décision : louer la salle")
    await tell(bridge)
    said = await bridge.say(OBJECTION, **reply_to(await notice_of(bridge)))
    (decision,) = await entries(bridge)
    assert decision.state == "objected"
    assert await take_back(bridge, said) == ""
    (decision,) = await entries(bridge)
    assert decision.state == "proposed"
    async with bridge.ctx.store.read() as conn:
        (objection,) = await list_objections(conn, decision.id)
    assert (objection.reason, objection.withdrawn_at) == ("", bridge.now())
    bridge.pass_time(days=2)
    await tell(bridge)
    to_list, to_room = await notices(bridge)
    assert not [one for one in (*to_list, *to_room) if "vole" in one]


async def test_an_objection_that_was_told_stands_without_its_reason(bridge: Bridge) -> None:
    await bridge.say("décision : louer la salle")
    await tell(bridge)
    said = await bridge.say(OBJECTION, **reply_to(await notice_of(bridge)))
    bridge.pass_time(days=2)
    await tell(bridge)
    assert REASON in (await notices(bridge))[0][-1]
    bridge.pass_time(minutes=5)
    assert await take_back(bridge, said) == ""
    (decision,) = await entries(bridge)
    assert decision.state == "objected"
    async with bridge.ctx.store.read() as conn:
        (objection,) = await list_objections(conn, decision.id)
    assert (objection.reason, objection.withdrawn_at) == ("", None)


async def test_a_reason_that_is_about_to_leave_does_not(bridge: Bridge) -> None:
    await bridge.say("décision : louer la salle")
    await tell(bridge)
    said = await bridge.say(OBJECTION, **reply_to(await notice_of(bridge)))
    bridge.pass_time(days=2)
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = due_at
    await tell_entries(bridge.ctx)
    assert await take_back(bridge, said) == ""
    assert not [row for row in await bridge.outbox() if "/notice/" in row.unique_key and row.state == "waiting"]
    assert "vole" not in await words_kept(bridge)
    (decision,) = await entries(bridge)
    assert decision.state == "objected"


async def test_a_reminder_does_not_come(bridge: Bridge) -> None:
    said = await bridge.say("!rappel demain 9h apporter les clés de Zorglub")
    assert await next_reminder_due_at(bridge.ctx) is not None
    assert await take_back(bridge, said) == ""
    assert await next_reminder_due_at(bridge.ctx) is None
    assert "Zorglub" not in await words_kept(bridge)


async def test_a_day_that_was_asked_back_is_asked_no_longer(bridge: Bridge) -> None:
    said = await bridge.say("!action @Karim appeler Zorglub pour jeudi 13")
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM ask WHERE answered_at IS NULL"))).scalar() == 1
    assert await take_back(bridge, said) == ""
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM ask WHERE answered_at IS NULL"))).scalar() == 0
    assert "Zorglub" not in await words_kept(bridge)


async def test_a_line_that_made_nothing_is_still_nothing(bridge: Bridge) -> None:
    said = await bridge.say("!décisions")
    assert await take_back(bridge, said) == "redaction_of_nothing"
