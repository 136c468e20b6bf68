"""« Hors archive », on either side: relayed, and then nowhere in the store any more, in no table and no blob."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select, text

from passerelle.flows.erase import MailboxErased
from passerelle.flows.not_kept import forget_passed, next_passed_at
from passerelle.flows.report_failures import report_failures, settle_unknown
from passerelle.flows.retain import retain
from passerelle.store.blobs import get_blob
from passerelle.store.outbox import list_outbox, mark_failed, mark_sending, mark_sent, mark_unknown
from passerelle.store.tables import blob, metadata, post
from tests.flows.bridge import LIST, Bridge, MakeBridge, body_of, mail

SECRET = "rhododendron"
#: The same word as a mail carries it.
IN_MAILS = (SECRET, "cmhvZG9kZW5kcm9u", "Rhododendron")


async def where_stands(bridge: Bridge, *words: str) -> set[str]:
    """Tables and columns in which one of these words stands, blobs unpacked."""
    found: set[str] = set()
    wanted = [word.lower() for word in words or IN_MAILS]
    async with bridge.ctx.store.read() as conn:
        for table in metadata.sorted_tables:
            for row in (await conn.execute(text(f"SELECT * FROM {table.name}"))).mappings():
                for column, value in row.items():
                    said = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    if any(word in said.lower() for word in wanted):
                        found.add(f"{table.name}.{column}")
        for name in (await conn.execute(select(blob.c.hash))).scalars():
            data = (await get_blob(conn, name)).decode("utf-8", "replace").lower()
            if any(word in data for word in wanted):
                found.add("blob")
    return found


async def leave(bridge: Bridge) -> None:
    """Everything that leaves for the list is taken by its server."""
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10_000):
            if row.kind == "email":
                await mark_sending(conn, row.id)
                await mark_sent(conn, row.id, bridge.now())


async def states(bridge: Bridge) -> list[tuple[str, str]]:
    async with bridge.ctx.store.read() as conn:
        rows = (await conn.execute(select(post.c.state, post.c.flagged).order_by(post.c.id))).all()
    return [(row.state, row.flagged) for row in rows]


TOMBSTONE = ("withdrawn", "no_archive")


@pytest.mark.parametrize("field", [{"X_No_Archive": "yes"}, {"Restrict": "no-external-archive"}])
async def test_a_mail_is_relayed_and_nothing_is_kept(bridge: Bridge, field: dict[str, str]) -> None:
    await bridge.receive(mail(f"Le {SECRET} est malade.", subject=f"Rhododendron {SECRET}", **field))
    assert await forget_passed(bridge.ctx) == 0, "it has not left"
    assert SECRET in str(await bridge.shown())
    assert await where_stands(bridge) == {"outbox.content"}, "only what leaves holds its words"
    await bridge.deliver_events()
    assert await next_passed_at(bridge.ctx) == bridge.ctx.now()
    assert await forget_passed(bridge.ctx) == 1
    assert await where_stands(bridge) == set()
    assert await states(bridge) == [TOMBSTONE]
    assert await next_passed_at(bridge.ctx) is None


async def test_its_files_go_with_it(bridge: Bridge) -> None:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Monique <monique@membres.lab.test>", LIST, "Une photo"
    made["Message-ID"], made["List-Id"], made["X-No-Archive"] = "<photo@x>", "<bureau.listes.lab.test>", "yes"
    made.set_content("Voici.")
    made.add_attachment(f"{SECRET} en fleur".encode(), maintype="text", subtype="plain", filename=f"{SECRET}.txt")
    await bridge.receive(made.as_bytes())
    assert "blob" in await where_stands(bridge)
    await bridge.deliver_events()
    await forget_passed(bridge.ctx)
    assert await where_stands(bridge) == set()


async def test_answers_keep_their_place_under_the_tombstone(bridge: Bridge) -> None:
    await bridge.receive(mail("Le loto ?", message_id="a"))
    await bridge.receive(
        mail(f"Le {SECRET}.", message_id="b", answering=("a",), subject=f"Re: {SECRET}", X_No_Archive="yes")
    )
    await bridge.receive(mail("Bien dit.", message_id="c", answering=("a", "b"), subject="Re: Loto du quartier"))
    await bridge.deliver_events()
    await forget_passed(bridge.ctx)
    assert await states(bridge) == [("accepted", ""), TOMBSTONE, ("accepted", "")]
    async with bridge.ctx.store.read() as conn:
        rows = (await conn.execute(select(post).order_by(post.c.id))).all()
    assert [row.parent_post_id for row in rows] == [None, rows[0].id, rows[1].id]
    assert len({row.thread_id for row in rows}) == 1


async def test_it_comes_in_once_also_when_it_comes_again(bridge: Bridge) -> None:
    raw = mail(f"Le {SECRET}.", X_No_Archive="yes")
    await bridge.receive(raw)
    await bridge.deliver_events()
    await forget_passed(bridge.ctx)
    await bridge.receive(raw)
    assert await states(bridge) == [TOMBSTONE]
    assert await where_stands(bridge) == set()


async def test_a_line_leaves_in_a_mail_of_its_own_that_asks_not_to_be_archived(bridge: Bridge) -> None:
    await bridge.say("Qui vient samedi ?")
    await bridge.say(f"Hors-archive : le {SECRET} est malade.", sender="@karim:lab.test")
    await bridge.say("Moi, je viens.")
    kept, alone = sorted(await bridge.settle(), key=lambda one: "X-No-Archive" in one)
    assert alone["X-No-Archive"] == "Yes"
    assert kept["X-No-Archive"] is None
    assert f"le {SECRET} est malade." in body_of(alone)
    assert "archive" not in body_of(alone).lower(), "the mark is for us"
    assert "Moi, je viens." in body_of(kept)
    assert SECRET not in kept.as_string()
    assert "post.text" in await where_stands(bridge)
    assert await forget_passed(bridge.ctx) == 0, "it has not left"
    await leave(bridge)
    assert await forget_passed(bridge.ctx) == 1
    assert await where_stands(bridge) == set()
    assert await states(bridge) == [("accepted", ""), TOMBSTONE, ("accepted", "")]


async def test_its_echo_is_not_kept_either(bridge: Bridge) -> None:
    await bridge.say(f"hors-archive: le {SECRET} est malade.")
    (sent,) = await bridge.settle()
    await leave(bridge)
    await forget_passed(bridge.ctx)
    sent["List-Id"] = "<bureau.listes.lab.test>"
    echo = sent.as_bytes()
    del sent["X-No-Archive"]  # a list may leave out what it does not know
    for raw in (echo, sent.as_bytes()):
        await bridge.receive(raw)
    assert (await bridge.reasons())[-2:] == ["own", "own"]
    assert await where_stands(bridge) == set()


async def test_an_edit_before_it_left_stays_outside_the_archive(bridge: Bridge) -> None:
    event = await bridge.say(f"hors-archive: le {SECRET} est malade.")
    await edit(bridge, event, "il est guéri, le magnolia")
    (alone,) = await bridge.settle()
    assert alone["X-No-Archive"] == "Yes"
    assert "guéri" in body_of(alone)
    await leave(bridge)
    await forget_passed(bridge.ctx)
    assert await where_stands(bridge, SECRET, "magnolia", "gu=C3=A9ri") == set()


async def test_an_edit_takes_a_line_out_of_the_archive_before_it_left(bridge: Bridge) -> None:
    event = await bridge.say(f"Le {SECRET} est malade.")
    await bridge.say("Qui vient samedi ?")
    await edit(bridge, event, f"hors-archive : le {SECRET} est malade.")
    kept, alone = sorted(await bridge.settle(), key=lambda one: "X-No-Archive" in one)
    assert SECRET in body_of(alone)
    assert SECRET not in kept.as_string()
    assert "Qui vient samedi ?" in body_of(kept)
    await leave(bridge)
    await forget_passed(bridge.ctx)
    assert await where_stands(bridge) == set()


async def test_an_edit_takes_a_line_out_of_the_archive_after_it_left(bridge: Bridge) -> None:
    event = await bridge.say(f"Le {SECRET} est malade.")
    assert len(await bridge.settle()) == 1
    await leave(bridge)
    await edit(bridge, event, f"hors-archive : le {SECRET} est malade.")
    assert len(await bridge.settle()) == 1, "no correction leaves"
    await forget_passed(bridge.ctx)
    assert await where_stands(bridge) == set()
    assert await states(bridge) == [TOMBSTONE]


async def test_a_line_that_nobody_sends_is_forgotten_within_a_day(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(policy="on_request")
    await bridge.say(f"hors-archive : le {SECRET} est malade.")
    assert await forget_passed(bridge.ctx) == 0
    bridge.pass_time(hours=25)
    assert await forget_passed(bridge.ctx) == 1
    assert await where_stands(bridge) == set()


async def test_after_six_mails_a_day_it_still_leaves_alone(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(mails_per_day=1)
    await bridge.say("Bonjour.")
    await bridge.settle()
    await bridge.say("Qui vient samedi ?")
    await bridge.say(f"hors-archive: le {SECRET}.")
    await bridge.say("Rien à voir.", **{"m.relates_to": {"m.in_reply_to": {"event_id": "$unknown"}}})
    for _ in range(3):
        bridge.pass_time(hours=4)
        await bridge.seal()
    alone = [one for one in await bridge.list_mails() if "X-No-Archive" in one]
    assert [SECRET in body_of(one) for one in alone] == [True]
    assert all("samedi" not in body_of(one) for one in alone)


async def test_redacting_it_before_it_left_sends_nothing(bridge: Bridge) -> None:
    event = await bridge.say(f"hors-archive: le {SECRET}.")
    await bridge.happen(bridge.event("@lea:lab.test", {"redacts": event}, kind="m.room.redaction", redacts=event))
    assert await bridge.settle() == []
    assert await where_stands(bridge) == set()


async def edit(bridge: Bridge, event: str, words: str) -> None:
    """The author of a line writes it anew."""
    await bridge.happen(
        bridge.event(
            "@lea:lab.test",
            {
                "msgtype": "m.text",
                "body": f"* {words}",
                "m.new_content": {"msgtype": "m.text", "body": words},
                "m.relates_to": {"rel_type": "m.replace", "event_id": event},
            },
        )
    )


# ------------------------------------------------------------ deliveries that do not go well


async def test_of_a_delivery_that_failed_nothing_is_kept(bridge: Bridge) -> None:
    await bridge.say(f"hors-archive: le {SECRET} est malade.")
    await bridge.settle()
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10_000):
            if row.kind == "email":
                await mark_sending(conn, row.id)
                await mark_failed(conn, row.id, bridge.now(), "550 no such list")
    await report_failures(bridge.ctx)
    await forget_passed(bridge.ctx)
    assert await where_stands(bridge) == set()


async def test_a_delivery_of_unknown_fate_is_kept_for_a_week_at_the_most(bridge: Bridge) -> None:
    """The list gives no echo, and nobody decides."""
    await bridge.say(f"hors-archive: le {SECRET} est malade.")
    await bridge.settle()
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10_000):
            if row.kind == "email":
                await mark_sending(conn, row.id)
                await mark_unknown(conn, row.id, bridge.now(), "the connection broke")
    bridge.pass_time(hours=2)
    await settle_unknown(bridge.ctx, heard=lambda _: True)
    assert await forget_passed(bridge.ctx) == 0, "somebody may have it sent again"
    due = await next_passed_at(bridge.ctx)
    assert due is not None
    assert due > bridge.now()
    bridge.pass_time(days=7, seconds=1)
    assert await next_passed_at(bridge.ctx) == bridge.now()
    assert await forget_passed(bridge.ctx) == 1
    assert await where_stands(bridge) == set()


async def test_its_copies_leave_the_bridges_mailbox_at_night(bridge: Bridge) -> None:
    asked: list[str] = []

    async def emails(box: Any, message_ids: Sequence[str]) -> MailboxErased:
        asked.extend(message_ids)
        return MailboxErased(count=len(message_ids), folders=())

    await bridge.receive(mail(f"Le {SECRET}.", message_id="secret@x", X_No_Archive="yes"))
    await bridge.receive(mail("Le loto ?", message_id="loto@x"))
    await bridge.say(f"hors-archive: le {SECRET} est malade.")
    (ours,) = await bridge.settle()
    bridge.pass_time(days=1)
    await retain(bridge.ctx, emails=emails)
    assert asked == [], "they have not left"
    await leave(bridge)
    await forget_passed(bridge.ctx)
    bridge.pass_time(days=1)
    await retain(bridge.ctx, emails=emails)
    assert sorted(asked) == sorted(["secret@x", str(ours["Message-ID"]).strip("<>")])
