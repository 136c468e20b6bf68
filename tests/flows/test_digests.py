"""Digests on the way: who gets one, when, by which medium, and that each leaves once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from typing import Any

import pytest

from passerelle.core.archive_settings import WebSettings
from passerelle.core.digest_model import Subscription
from passerelle.core.ids import AssociationName, MailAddress
from passerelle.flows import digest_send
from passerelle.flows.digest_chat import next_chat_summary_at, send_chat_summaries
from passerelle.flows.digest_send import next_digest_due_at, send_digests
from passerelle.flows.digest_wishes import configured_digests, next_subscribing_at, subscribe_coordinators
from passerelle.store.digests import list_digests, list_subscriptions, put_subscription
from passerelle.store.readers import list_persons_at
from tests.flows.bridge import MONIQUE, Bridge, MakeBridge, body_of, mail

EPEULE = AssociationName("epeule")
#: The first Monday after `tests.flows.bridge.START`, a Tuesday, at eight in Paris.
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


async def subscribe(bridge: Bridge) -> int:
    return await subscribe_coordinators(bridge.ctx, configured_digests(bridge.ctx, bridge.ctx.settings))


async def subscriptions(bridge: Bridge) -> list[Subscription]:
    async with bridge.ctx.store.read() as conn:
        return await list_subscriptions(conn)


async def digest_mails(bridge: Bridge) -> list[EmailMessage]:
    return [one for one in await bridge.personal_mails() if "à savoir" in str(one["Subject"])]


async def something_happens(bridge: Bridge, number: int = 1) -> None:
    """A conversation of two on the list."""
    first = f"question{number}@membres.lab.test"
    await bridge.receive(mail("Qui vient samedi au loto ?", subject=f"Loto {number}", message_id=first))
    answer = mail("Moi, avec plaisir.", subject=f"Re: Loto {number}", message_id=f"answer{number}@membres.lab.test",
                  author="Paul Mercier <paul@membres.lab.test>", answering=(first,))  # fmt: skip
    await bridge.receive(answer)


async def ring(bridge: Bridge, at: datetime) -> int:
    bridge.clock[0] = at
    due_at = await next_digest_due_at(bridge.ctx)
    return await send_digests(bridge.ctx) if due_at is not None and due_at <= at else 0


# ------------------------------------------------------------ who gets one


async def test_coordinators_get_theirs_by_the_configuration_and_once(bridge: Bridge) -> None:
    configured = configured_digests(bridge.ctx, bridge.ctx.settings)
    assert await next_subscribing_at(bridge.ctx, configured) == bridge.now()
    assert await subscribe(bridge) == 1
    assert await next_subscribing_at(bridge.ctx, configured) == bridge.now() + timedelta(days=1)
    assert await next_subscribing_at(bridge.ctx, "another configuration") == bridge.now()
    assert await subscribe(bridge) == 0
    (one,) = await subscriptions(bridge)
    assert (one.kind, one.rhythm, one.medium, one.next_at) == ("coordinator", "weekly", "mail", MONDAY)


async def test_the_monday_mail_tells_what_happened_and_leaves_once(bridge: Bridge) -> None:
    await subscribe(bridge)
    await something_happens(bridge)
    assert await ring(bridge, MONDAY - timedelta(seconds=1)) == 0
    assert await ring(bridge, MONDAY) == 1
    assert await send_digests(bridge.ctx) == 0
    (sent,) = await digest_mails(bridge)
    assert sent["To"] == "Monique Delattre <monique@membres.lab.test>"
    text = body_of(sent)
    assert "Loto 1" in text
    assert "2 personnes" in text
    html = sent.get_body(("html",))
    assert html is not None
    assert "Loto 1" in html.get_content()
    assert sent["Auto-Submitted"] == "auto-generated"
    assert "mailto:passerelle@membres.lab.test?subject=stop%20r%C3%A9sum%C3%A9" in str(sent["List-Unsubscribe"])
    async with bridge.ctx.store.read() as conn:
        (digest,) = await list_digests(conn, EPEULE, limit=5)
    assert (digest.until, digest.kind) == (MONDAY, "coordinator")
    (one,) = await subscriptions(bridge)
    assert (one.next_at, one.told_until) == (MONDAY + timedelta(days=7), MONDAY)


async def test_where_the_archive_is_read_by_https_one_click_ends_it(bridge: Bridge) -> None:
    web = WebSettings(url="https://archives.lab.test/pages", port=0)
    bridge.ctx = replace(bridge.ctx, settings=bridge.ctx.settings.model_copy(update={"web": web}))
    await subscribe(bridge)
    await something_happens(bridge)
    assert await ring(bridge, MONDAY) == 1
    (sent,) = await digest_mails(bridge)
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(sent["List-Unsubscribe"]).startswith("<https://archives.lab.test/pages/epeule/digests/stop/")
    assert sent["List-Archive"] == "<https://archives.lab.test/pages/epeule/>"
    assert sent["List-Help"] == "<https://archives.lab.test/pages/epeule/about>"
    assert "https://archives.lab.test/pages/epeule/digests/stop/" in body_of(sent)
    assert "https://archives.lab.test/pages/epeule/p/" in body_of(sent)


async def test_who_is_known_only_by_the_configuration_is_the_same_person_once_she_wrote(bridge: Bridge) -> None:
    await subscribe(bridge)
    (before,) = await subscriptions(bridge)
    await something_happens(bridge)  # Monique Delattre, as she calls herself
    assert await subscribe(bridge) == 0
    (one,) = await subscriptions(bridge)
    assert one.person_id == before.person_id
    assert await ring(bridge, MONDAY) == 1
    (sent,) = await digest_mails(bridge)
    assert sent["To"] == "Monique Delattre <monique@membres.lab.test>"


async def test_nothing_is_sent_when_there_is_nothing_to_say(bridge: Bridge) -> None:
    await subscribe(bridge)
    assert await ring(bridge, MONDAY) == 0
    assert await digest_mails(bridge) == []
    (one,) = await subscriptions(bridge)
    assert one.next_at == MONDAY + timedelta(days=7)


async def test_nothing_is_told_twice(bridge: Bridge) -> None:
    await subscribe(bridge)
    await something_happens(bridge)
    assert await ring(bridge, MONDAY) == 1
    assert await ring(bridge, MONDAY + timedelta(days=7)) == 0
    await something_happens(bridge, 2)
    assert await ring(bridge, MONDAY + timedelta(days=14)) == 1
    last = body_of((await digest_mails(bridge))[-1])
    assert "Loto 2" in last
    assert "Loto 1" not in last


async def test_whoever_makes_it_first_makes_it_alone(bridge: Bridge) -> None:
    await subscribe(bridge)
    await something_happens(bridge)
    bridge.clock[0] = MONDAY
    assert sorted(await asyncio.gather(*(send_digests(bridge.ctx) for _ in range(3)))) == [0, 0, 1]
    assert len(await digest_mails(bridge)) == 1


async def test_one_that_cannot_be_said_stops_no_other(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscribe(bridge)
    await something_happens(bridge)
    (hers,) = await subscriptions(bridge)
    async with bridge.ctx.store.write() as conn:
        ((paul, _, _),) = await list_persons_at(conn, EPEULE, MailAddress("paul@membres.lab.test"))
        await put_subscription(conn, replace(hers, person_id=paul, kind="member"))
    whole = digest_send.variables_of

    def failing(ctx: Any, made: Any, **more: Any) -> Any:
        if made.kind == "coordinator":
            raise ValueError("no words for it")
        return whole(ctx, made, **more)

    monkeypatch.setattr(digest_send, "variables_of", failing)
    assert await ring(bridge, MONDAY) == 1
    (sent,) = await digest_mails(bridge)
    assert "paul@" in str(sent["To"])
    assert all(one.next_at == MONDAY + timedelta(days=7) for one in await subscriptions(bridge))


async def test_a_digest_that_is_due_at_night_waits_for_the_morning(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    await subscribe(bridge)
    await something_happens(bridge)
    # The daemon was down all Monday and comes back at ten in the evening.
    assert await ring(bridge, datetime(2026, 11, 23, 21, 0, tzinfo=UTC)) == 0
    morning = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    assert await next_digest_due_at(bridge.ctx) == morning
    assert await ring(bridge, morning) == 1
    (one,) = await subscriptions(bridge)
    assert one.next_at == MONDAY + timedelta(days=7)


async def test_who_left_the_configuration_gets_no_more(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(coordinators=[MONIQUE, {"name": "Léa", "matrix": "@lea:lab.test"}])
    assert await subscribe(bridge) == 2
    assert {one.medium for one in await subscriptions(bridge)} == {"mail", "room"}
    settings = bridge.ctx.settings.associations[0]
    object.__setattr__(settings, "coordinators", settings.coordinators[:1])
    assert await subscribe(bridge) == 1
    assert [one.medium for one in await subscriptions(bridge)] == ["mail"]


async def test_who_chats_reads_theirs_in_a_direct_room(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(coordinators=[{"name": "Léa", "matrix": "@lea:lab.test"}])
    await subscribe(bridge)
    await something_happens(bridge)
    assert await ring(bridge, MONDAY) == 1
    (row,) = [row for row in await bridge.outbox("direct") if row.unique_key.startswith("digest/")]
    assert row.recipient == "@lea:lab.test"
    body = str((row.content or {})["body"])
    assert "Loto 1" in body
    assert await digest_mails(bridge) == []


# ------------------------------------------------------------ a room, for its list


async def summaries(bridge: Bridge) -> list[EmailMessage]:
    rows = [
        row for row in await bridge.outbox("email") if row.unique_key.endswith("/list") and "digest" in row.unique_key
    ]
    assert {row.lane for row in rows} <= {bridge.link.list_lane}
    return [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]  # type: ignore[misc]


async def test_a_list_that_wants_no_single_mails_gets_a_summary_each_day(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(chat_summary="daily", policy="on_request")
    await bridge.say("La salle est fermée demain")
    tomorrow = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    assert await next_chat_summary_at(bridge.ctx) == tomorrow
    assert await send_chat_summaries(bridge.ctx) == 0
    bridge.clock[0] = tomorrow
    assert await send_chat_summaries(bridge.ctx) == 1
    assert await send_chat_summaries(bridge.ctx) == 0
    (sent,) = await summaries(bridge)
    assert "La salle est fermée demain" in body_of(sent)
    assert "stop" not in body_of(sent)
    assert sent["To"] == sent["Reply-To"] == "bureau@listes.lab.test"
    # Sympa drops mails of programs; one member's click would unsubscribe everybody.
    assert not [name for name in sent if name.lower().startswith(("auto-", "list-", "precedence"))]
    # A day without a word brings none, and the next tells nothing twice.
    bridge.clock[0] = tomorrow + timedelta(days=1)
    assert await send_chat_summaries(bridge.ctx) == 0
    assert await next_chat_summary_at(bridge.ctx) == tomorrow + timedelta(days=2)
    await bridge.say("Elle rouvre vendredi")
    bridge.clock[0] = tomorrow + timedelta(days=4, hours=1)
    assert await send_chat_summaries(bridge.ctx) == 1
    last = body_of((await summaries(bridge))[-1])
    assert "Elle rouvre vendredi" in last
    assert "fermée" not in last


@pytest.mark.parametrize("link", [{}, {"confirmed": False, "chat_summary": "weekly"}])
async def test_no_summary_without_being_asked_for_nor_before_both_sides_know(
    make_bridge: MakeBridge, link: dict[str, Any]
) -> None:
    bridge = await make_bridge(**link)
    assert await next_chat_summary_at(bridge.ctx) is None
    assert await send_chat_summaries(bridge.ctx) == 0


# ------------------------------------------------------------ as each wishes


async def asked(bridge: Bridge, text: str, **fields: Any) -> str:
    """A mail to the bridge's own address; what it answers, "" where it does not."""
    before = len(await bridge.personal_mails())
    message_id = f"ask{before}{len(text)}@membres.lab.test"
    raw = mail("", subject="SUBJECT", message_id=message_id, to="passerelle@membres.lab.test", list_id=None, **fields)
    await bridge.receive(raw.replace(b"[bureau] SUBJECT", Header(text, "utf-8").encode().encode()))
    return "".join(body_of(one) for one in (await bridge.personal_mails())[before:])


async def direct_answers(bridge: Bridge) -> list[str]:
    return [str((row.content or {})["body"]) for row in await bridge.outbox("direct")]


async def test_a_member_asks_in_the_room_and_is_told_privately(bridge: Bridge) -> None:
    await bridge.say("!résumé hebdomadaire")
    (told,) = await direct_answers(bridge)
    assert "chaque semaine, le lundi" in told
    assert "lundi 23 novembre à 8" in told
    await something_happens(bridge)
    assert await ring(bridge, MONDAY) == 1
    assert "Loto 1" in (await direct_answers(bridge))[-1]


async def test_a_pause_is_the_digest_s_only_with_a_duration(bridge: Bridge) -> None:
    await bridge.say("!résumé chaque jour")
    await bridge.say("!pause 2 semaines")
    assert "Pas de résumé jusqu’au mardi 1er décembre" in (await direct_answers(bridge))[-1]
    (one,) = await subscriptions(bridge)
    assert one.next_at == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
    await bridge.say("!pause")  # a meeting's, and there is none
    assert await subscriptions(bridge) == [one]
    await bridge.say("!reprendre le résumé")
    (again,) = await subscriptions(bridge)
    assert again.next_at == datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    await bridge.say("!stop")
    assert "ne recevez plus" in (await direct_answers(bridge))[-1]
    assert await next_digest_due_at(bridge.ctx) is None


async def test_members_have_none_until_they_ask(bridge: Bridge) -> None:
    await something_happens(bridge)
    await bridge.say("Bonjour")
    assert await subscriptions(bridge) == []
    await bridge.say("!résumé")
    assert "ne recevez pas de résumé" in (await direct_answers(bridge))[-1]
    assert await subscriptions(bridge) == []


@pytest.mark.parametrize("text", ["pause 2 semaines", "stop", "reprendre"])
async def test_by_mail_a_word_is_enough(bridge: Bridge, text: str) -> None:
    await something_happens(bridge)
    await subscribe(bridge)
    told = await asked(bridge, text)
    expected = {"pause 2 semaines": "Pas de résumé jusqu’au", "stop": "ne recevez plus", "reprendre": "chaque semaine"}
    assert expected[text] in told
    (one,) = await subscriptions(bridge)
    assert one.kind == "member"  # what they said themselves counts from now on
    assert await subscribe(bridge) == 0


@pytest.mark.parametrize("said", ["stop", "Pause 2 semaines\n\nMerci, Monique", "Stop."])
async def test_a_digest_is_answered_by_a_word_about_it(bridge: Bridge, said: str) -> None:
    await subscribe(bridge)
    await something_happens(bridge)
    await ring(bridge, MONDAY)
    (sent,) = await digest_mails(bridge)
    quoted = "\n".join(f"> {line}" for line in body_of(sent).splitlines())
    message_id = str(sent["Message-ID"]).strip("<>")
    raw = mail(
        f"{said}\n\nLe lundi 23 novembre, Comité de quartier de l’Épeule a écrit :\n{quoted}\n",
        subject="SUBJECT", message_id="stop@membres.lab.test", answering=(message_id,), list_id=None,
        to="passerelle@membres.lab.test",
    )  # fmt: skip
    await bridge.receive(raw.replace(b"[bureau] SUBJECT", Header(f"Re: {sent['Subject']}", "utf-8").encode().encode()))
    told = body_of((await bridge.personal_mails())[-1])
    assert ("ne recevez plus" if said[0] in "sS" else "Pas de résumé jusqu’au lundi 7 décembre") in told


async def test_a_rhythm_by_a_mail_that_nothing_proves_is_confirmed_first(bridge: Bridge) -> None:
    await something_happens(bridge)
    told = await asked(bridge, "résumé chaque jour")
    assert "oui" in told
    assert await subscriptions(bridge) == []


async def test_all_in_one_brings_what_was_said_whole_and_no_address(bridge: Bridge) -> None:
    await bridge.say("!résumé hebdomadaire tout en un, par courriel")
    assert "avec tous les courriels en entier" in (await direct_answers(bridge))[-1]
    await something_happens(bridge)
    await bridge.say("Moi aussi")
    await subscribe(bridge)
    async with bridge.ctx.store.write() as conn:
        for one in await list_subscriptions(conn):
            await put_subscription(conn, replace(one, whole=True))
    assert await ring(bridge, MONDAY) == 2
    (sent,) = await digest_mails(bridge)
    (part,) = [part for part in sent.walk() if part.get_content_type() == "multipart/digest"]
    inner = [one.get_payload(0) for one in part.iter_parts()]
    assert [str(one["Subject"]) for one in inner] == ["Loto 1", "Loto 1", "Moi aussi"]
    assert str(inner[0]["Message-ID"]) == "<question1@membres.lab.test>"
    assert "Moi, avec plaisir." in inner[1].get_content()
    assert str(inner[1]["In-Reply-To"]) == "<question1@membres.lab.test>"
    assert {str(one["Reply-To"]) for one in inner} == {"bureau@listes.lab.test"}
    assert "Monique Delattre" in str(inner[0]["From"])
    assert "Qui vient samedi au loto ?" in inner[0].get_content()
    assert "paul@membres.lab.test" not in part.as_string()


async def test_who_is_nobody_here_gets_none(bridge: Bridge) -> None:
    await asked(bridge, "stop", author="Inconnu <inconnu@ailleurs.test>")
    assert await subscriptions(bridge) == []
