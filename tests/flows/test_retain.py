"""Once a night what was kept for long enough goes, by class; nothing else does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from sqlalchemy import text

from passerelle.core.archive_settings import RetentionSettings
from passerelle.core.digest_items import Chosen, Item, Reason
from passerelle.core.digest_model import NewDigest
from passerelle.core.meeting_model import NewMeeting
from passerelle.core.retention import limits_of, next_night, night_of
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.retain import next_retention_at, retain
from passerelle.store.blobs import get_blob
from passerelle.store.digests import insert_digest, list_digests
from passerelle.store.inbox import list_inbox
from passerelle.store.meetings import insert_meeting, list_meetings
from passerelle.store.register_lists import EntryFilter, list_entries
from tests.flows.bridge import Bridge, MakeBridge, mail

PARIS = ZoneInfo("Europe/Paris")


def test_nights_begin_at_three_by_the_wall_clock() -> None:
    assert night_of(datetime(2026, 11, 17, 1, 59, tzinfo=UTC), PARIS) == date(2026, 11, 16)
    assert night_of(datetime(2026, 11, 17, 2, 0, tzinfo=UTC), PARIS) == date(2026, 11, 17)
    now = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert next_night(None, now, PARIS) == now
    assert next_night(date(2026, 10, 23), now, PARIS) == now
    # The night in which clocks go back.
    assert next_night(date(2026, 10, 24), now, PARIS).astimezone(UTC) == datetime(2026, 10, 25, 2, 0, tzinfo=UTC)


def test_nothing_is_limited_but_what_was_set() -> None:
    now = datetime(2026, 11, 17, tzinfo=UTC)
    limits = {one.what: one.before for one in limits_of(RetentionSettings(posts_days=10, logs_days=0), now)}
    assert limits == {"posts": now - timedelta(days=10), "attachments": None, "minutes": None, "logs": None}


async def with_retention(make_bridge: MakeBridge, **days: int) -> Bridge:
    bridge: Bridge = await make_bridge(archive={"retention": {"logs_days": 0, **days}})
    return bridge


async def texts(bridge: Bridge) -> list[tuple[str, str]]:
    async with bridge.ctx.store.read() as conn:
        rows = (await conn.execute(text("SELECT state, text FROM post ORDER BY id"))).all()
    return [(row.state, row.text) for row in rows]


async def test_old_posts_go_and_new_ones_stay(make_bridge: MakeBridge) -> None:
    bridge = await with_retention(make_bridge, posts_days=30)
    await bridge.receive(mail("Le vieux mot.", message_id="old@x"))
    await bridge.say("une vieille ligne")
    await bridge.settle()
    bridge.pass_time(days=31)
    await bridge.receive(mail("Le mot neuf.", message_id="new@x", Date="Fri, 18 Dec 2026 10:00:00 +0000"))
    while await index_waiting(bridge.ctx):
        pass
    gone = await retain(bridge.ctx)
    assert gone["posts"] == 2
    assert await texts(bridge) == [("erased", ""), ("erased", ""), ("accepted", "Le mot neuf.")]
    async with bridge.ctx.store.read() as conn:
        hashes = (await conn.execute(text("SELECT hash FROM blob"))).scalars().all()
        said = b"".join([await get_blob(conn, one) for one in hashes])
    assert b"vieux mot" not in said
    assert b"vieille ligne" not in said
    assert b"Le mot neuf" in said


async def test_the_work_is_done_once_a_night(make_bridge: MakeBridge) -> None:
    bridge = await with_retention(make_bridge, posts_days=1)
    assert await next_retention_at(bridge.ctx) == bridge.now()
    await retain(bridge.ctx)
    due = await next_retention_at(bridge.ctx)
    assert due is not None
    assert due.astimezone(PARIS) == datetime(2026, 11, 18, 3, 0, tzinfo=PARIS)
    await bridge.receive(mail("Un mot.", message_id="m@x"))
    bridge.pass_time(hours=12)
    assert await retain(bridge.ctx) == {}
    bridge.pass_time(days=2)
    assert (await retain(bridge.ctx))["posts"] == 1


async def test_old_files_go_and_the_words_stay(make_bridge: MakeBridge) -> None:
    bridge = await with_retention(make_bridge, attachments_days=30)
    made = message_from_bytes(mail("Voici le plan.", message_id="f@x"), policy=policy.SMTP)
    assert isinstance(made, EmailMessage)
    made.add_attachment(b"plan secret " * 20, maintype="application", subtype="pdf", filename="plan.pdf")
    await bridge.receive(made.as_bytes())
    await bridge.deliver_events()
    bridge.pass_time(days=31)
    assert (await retain(bridge.ctx))["attachments"] == 1
    assert await texts(bridge) == [("accepted", "Voici le plan.")]
    async with bridge.ctx.store.read() as conn:
        raw_hash = (await conn.execute(text("SELECT raw_hash FROM post"))).scalar_one()
        kept = message_from_bytes(await get_blob(conn, raw_hash), policy=policy.default)
        hashes = (await conn.execute(text("SELECT hash FROM blob"))).scalars().all()
        said = b"".join([await get_blob(conn, one) for one in hashes])
    assert b"plan secret" not in said
    assert kept["X-Passerelle-Redacted"] == "yes"
    assert "Voici le plan." in kept.as_string()


async def test_old_minutes_and_entries_go_and_outlive_their_posts(make_bridge: MakeBridge) -> None:
    bridge = await with_retention(make_bridge, posts_days=10, minutes_days=30)
    await bridge.receive(mail("Décision : louer la salle", message_id="old@x"))
    place = {"association": bridge.link.association_name, "link": bridge.link.name, "zone": "Europe/Paris"}
    async with bridge.ctx.store.write() as conn:
        for title in ("Passée", "À venir"):
            starts = bridge.now().replace(tzinfo=None) + timedelta(days=0 if title == "Passée" else 40)
            new = NewMeeting(
                **place, uid=title, title=title, starts_local=starts, duration_minutes=60, created_at=bridge.now()
            )
            await insert_meeting(conn, new)
    bridge.pass_time(days=11)
    assert (await retain(bridge.ctx))["minutes"] == 0
    assert await texts(bridge) == [("erased", "")]
    async with bridge.ctx.store.read() as conn:
        (kept,) = await list_entries(conn, bridge.link.association_name, EntryFilter())
    assert kept.text == "louer la salle"
    bridge.pass_time(days=20)
    assert (await retain(bridge.ctx))["minutes"] == 2
    async with bridge.ctx.store.read() as conn:
        assert await list_entries(conn, bridge.link.association_name, EntryFilter()) == []
        assert [one.title for one in await list_meetings(conn, bridge.link.association_name)] == ["À venir"]


async def test_what_arrived_and_left_goes_after_its_time(make_bridge: MakeBridge) -> None:
    bridge = await with_retention(make_bridge, logs_days=100)
    await bridge.receive(mail("Absent", message_id="auto@x", Auto_Submitted="auto-replied"))
    await bridge.receive(mail("Bonjour.", message_id="q@x"))
    await bridge.say("une ligne")
    await bridge.settle()
    bridge.pass_time(days=101)
    await retain(bridge.ctx)
    async with bridge.ctx.store.read() as conn:
        assert [row.reason for row in await list_inbox(conn, limit=10)] == ["", ""], "what posts came of stays known"
        assert (await conn.execute(text("SELECT count(*) FROM tally"))).scalar_one() == 0
        assert (
            await conn.execute(text("SELECT count(*) FROM outbox WHERE state = 'sent' AND content IS NOT NULL"))
        ).scalar_one() == 0
    assert [state for state, _ in await texts(bridge)] == ["accepted", "accepted"]
    await bridge.receive(mail("Bonjour.", message_id="q@x"))
    assert (await bridge.reasons())[-1] == "duplicate"


async def test_digests_go_by_the_shortest_logs_and_tell_no_longer_of_posts_that_went(make_bridge: MakeBridge) -> None:
    bridge: Bridge = await make_bridge(archive={"retention": {"logs_days": 30, "posts_days": 10}})
    await bridge.receive(mail("Qui vient ?", subject="Loto", message_id="old@x"))
    async with bridge.ctx.store.write() as conn:
        ((post_id, person_id),) = (await conn.execute(text("SELECT id, person_id FROM post"))).all()
        item = Item(
            key="thread:1", section="threads", kind="thread", state="s", title="Loto", reason=Reason(code="new"),
            weight=1, post_id=post_id,
        )  # fmt: skip
        new = NewDigest(
            association=bridge.link.association_name, kind="member", person_id=person_id, since=bridge.now(),
            until=bridge.now(), document=Chosen(items=(item,)).to_json(), permalink="a", made_at=bridge.now(),
        )  # fmt: skip
        await insert_digest(conn, new)
    for days, left in ((9, ["Loto"]), (2, []), (21, None)):
        bridge.pass_time(days=days)
        await retain(bridge.ctx)
        async with bridge.ctx.store.read() as conn:
            found = await list_digests(conn, bridge.link.association_name, limit=5)
        told = [[one.title for one in Chosen.from_json(digest.document).items] for digest in found]
        assert told == ([] if left is None else [left])
