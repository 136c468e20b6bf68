"""Permanent addresses: on every mail that leaves (Archived-At), and in the room for who asks (`!lien`)."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from sqlalchemy import select

from passerelle.core.settings import Settings
from passerelle.store.tables import blob, inbox, post
from tests.flows.bridge import Bridge, MakeBridge, mail

WEB = "https://archives.lab.test"


@pytest.fixture
async def bridge(make_bridge: MakeBridge) -> Bridge:
    """A bridge whose archive is on the web."""
    made: Bridge = await make_bridge()
    settings = made.ctx.settings
    with_web = Settings.model_validate({**settings.model_dump(by_alias=True), "web": {"url": f"{WEB}/"}})
    object.__setattr__(made.ctx, "settings", with_web)
    return made


async def short_names(bridge: Bridge) -> list[str]:
    async with bridge.ctx.store.read() as conn:
        return list((await conn.execute(select(post.c.permalink).order_by(post.c.id))).scalars())


def answer_to(event: str) -> dict[str, object]:
    return {"m.relates_to": {"m.in_reply_to": {"event_id": event}}}


async def notices(bridge: Bridge) -> list[str]:
    """What the bot said in answer to lines."""
    rows = [row for row in await bridge.outbox("event") if row.unique_key.startswith("link:")]
    return [str((row.content or {})["body"]).strip() for row in rows]


async def test_a_mail_says_where_it_is_archived_in_both_ways(bridge: Bridge) -> None:
    await bridge.say("Qui vient samedi ?")
    await bridge.say("Moi !", sender="@karim:lab.test")
    (sent,) = await bridge.settle()
    assert isinstance(sent, EmailMessage)
    message_id = str(sent["Message-ID"]).strip("<>")
    first = (await short_names(bridge))[0]
    assert sent.get_all("Archived-At") == [f"<{WEB}/epeule/m/{message_id}>", f"<{WEB}/epeule/p/{first}>"]
    assert sent["List-Archive"] is None, "List-* fields are the list's (RFC 2369)"


async def test_what_is_not_archived_has_no_address(bridge: Bridge) -> None:
    await bridge.say("hors-archive : je suis malade.")
    (sent,) = await bridge.settle()
    assert sent["Archived-At"] is None


async def test_without_a_web_there_is_none(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    event = await bridge.say("Qui vient samedi ?")
    await bridge.say("!lien", **answer_to(event))
    (sent,) = await bridge.settle()
    assert sent["Archived-At"] is None
    assert await notices(bridge) == ["Nos messages n’ont pas encore d’adresse sur le web."]


async def test_the_room_is_told_where_a_message_stands(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui apporte les lots ?"))
    await bridge.deliver_events()
    shown = next(row.event_id for row in await bridge.outbox("event") if row.post_id)
    assert shown is not None
    line = await bridge.say("Moi.")
    for event, words in ((shown, "!lien"), (line, "!LINK")):
        await bridge.say(words, **answer_to(event))
    names = await short_names(bridge)
    assert len(names) == 2, "what asks is no post"
    assert await notices(bridge) == [f"{WEB}/epeule/p/{name}" for name in names]
    sent = (await bridge.settle())[-1]
    assert "!lien" not in sent.as_string()
    assert (await bridge.reasons())[-2:] == ["link", "link"]
    async with bridge.ctx.store.read() as conn:
        kept = (await conn.execute(select(inbox.c.raw_hash).order_by(inbox.c.id))).scalars().all()
        assert kept[-2:] == [None, None]
        assert (await conn.execute(select(blob))).first() is not None


async def test_why_a_message_has_no_address(bridge: Bridge) -> None:
    event = await bridge.say("hors-archive: je suis malade.")
    await bridge.say("!lien", **answer_to(event))
    await bridge.say("!lien", **answer_to("$unknown"))
    await bridge.say("!lien")
    gone = "Ce message n’est pas dans nos archives."
    assert await notices(bridge) == [
        gone,
        gone,
        "Pour avoir l’adresse d’un message, répondez à ce message par !lien.",
    ]


async def test_nobody_floods_the_room_with_addresses(bridge: Bridge) -> None:
    event = await bridge.say("Qui vient ?")
    for _ in range(22):
        await bridge.say("!lien", **answer_to(event))
    assert len(await notices(bridge)) == 20
    assert (await bridge.reasons())[-1] == "link_too_often"


async def test_an_old_question_is_not_answered(bridge: Bridge) -> None:
    event = await bridge.say("Qui vient ?")
    asked = bridge.event("@lea:lab.test", {"msgtype": "m.text", "body": "!lien", **answer_to(event)})
    bridge.pass_time(hours=2)
    await bridge.happen(asked)
    assert await notices(bridge) == []
    assert (await bridge.reasons())[-1] == "link_too_late"
