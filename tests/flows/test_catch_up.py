"""Catching up on demand: by mail, in the room, in a direct room; told to who asked, once, with their rights."""

from __future__ import annotations

from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import select

from passerelle.core.catch_up import BEGINNING
from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_model import Digest
from passerelle.core.ids import AssociationName, PostId
from passerelle.core.model import OutboxRow
from passerelle.flows.catch_up import MOST_A_DAY
from passerelle.flows.hide_post import hide_post
from passerelle.store.digest_tables import digest_shown, digest_subscription
from passerelle.store.digests import list_digests
from passerelle.store.outbox import mark_sending, mark_sent
from passerelle.store.tables import post
from tests.flows.bridge import BRIDGE, Bridge, body_of, mail
from tests.flows.test_link_meant import say_alone

EPEULE = AssociationName("epeule")
NADIA = "Nadia Haddad <nadia@membres.lab.test>"
MONIQUE = "Monique <monique@membres.lab.test>"
PAUL = "Paul Mercier <paul@membres.lab.test>"


async def conversation(bridge: Bridge, number: int = 1) -> None:
    first, date = f"fete{number}@membres.lab.test", format_datetime(bridge.now())
    text = (
        "Bonjour à tous,\n\nJe propose de partager les stands de la fête d’hiver entre les familles du quartier. "
        "Qui peut tenir la buvette samedi ?\n"
    )
    await bridge.receive(mail(text, subject=f"Fête d’hiver {number}", message_id=first, author=NADIA, Date=date))
    bridge.pass_time(minutes=5)
    date = format_datetime(bridge.now())
    answer = mail(
        "Je tiens la buvette avec ma sœur, samedi à partir de midi.\n\n> Qui peut tenir la buvette samedi ?\n",
        subject=f"Re: Fête d’hiver {number}", message_id=f"reponse{number}@membres.lab.test", author=PAUL,
        answering=(first,), Date=date,
    )  # fmt: skip
    await bridge.receive(answer)


def letter(text: str, *, subject: str = "Bonjour", number: int = 1, author: str = PAUL) -> bytes:
    message_id = f"rattrapage{number}@membres.lab.test"
    raw = mail(text, subject="SUBJECT", message_id=message_id, author=author, to=BRIDGE, list_id=None)
    return raw.replace(b"[bureau] SUBJECT", Header(subject, "utf-8").encode().encode())


async def kept(bridge: Bridge) -> list[Digest]:
    async with bridge.ctx.store.read() as conn:
        return [one for one in await list_digests(conn, EPEULE, limit=50) if one.kind == "catch_up"]


async def directs(bridge: Bridge) -> list[OutboxRow]:
    return await bridge.outbox("direct")


def words(row: OutboxRow) -> str:
    return " ".join(str((row.content or {})["body"]).split())


async def answers(bridge: Bridge) -> list[EmailMessage]:
    return [one for one in await bridge.personal_mails() if "paul@" in str(one["To"])]


# ------------------------------------------------------------ by mail


@pytest.mark.parametrize(
    ("subject", "text"),
    [("rattrapage depuis lundi", ""), ("Bonjour", "rattrapage depuis lundi"), ("catch up since Monday", "")],
)
async def test_a_mail_is_answered_with_what_was_missed(bridge: Bridge, subject: str, text: str) -> None:
    await conversation(bridge)
    bridge.pass_time(hours=1)
    await bridge.receive(letter(text, subject=subject))
    (answer,) = await answers(bridge)
    told = " ".join(body_of(answer).split())
    assert " ".join(str(answer["Subject"]).split()) == "Comité de quartier de l’Épeule : ce que vous avez manqué"
    assert "Depuis le lundi 16 novembre." in told
    assert "Fête d’hiver 1" in told
    assert "Nadia Haddad : « Je propose de partager les stands de la fête d’hiver" in told
    assert "Paul Mercier : « Je tiens la buvette avec ma sœur, samedi à partir de midi. »" in told
    assert "> Qui peut" not in told
    html = answer.get_body(("html",))
    assert html is not None
    assert "Je tiens la buvette" in html.get_content()
    assert answer["In-Reply-To"] == "<rattrapage1@membres.lab.test>"
    assert answer["Auto-Submitted"] == "auto-replied"
    (one,) = await kept(bridge)
    assert one.until == bridge.now()


async def test_one_command_has_one_answer(bridge: Bridge) -> None:
    await conversation(bridge)
    bridge.pass_time(hours=1)
    for _ in range(3):
        await bridge.receive(letter("", subject="rattrapage depuis lundi"))
    assert len(await answers(bridge)) == 1
    assert len(await kept(bridge)) == 1


async def test_without_a_date_it_is_since_what_one_knows(bridge: Bridge) -> None:
    await conversation(bridge)
    bridge.pass_time(days=3)
    await conversation(bridge, 2)
    bridge.pass_time(hours=1)
    # Paul wrote last in the second conversation: nothing was said since.
    await bridge.receive(letter("", subject="rattrapage"))
    assert "Rien de nouveau depuis 11 h 10 : vous êtes à jour. Bonne journée !" in spaced(await answers(bridge))
    assert await kept(bridge) == []
    # Nadia has not seen his answer.
    await bridge.receive(letter("", subject="rattrapage", author=NADIA, number=2))
    told = body_of((await bridge.personal_mails())[-1])
    assert "Fête d’hiver 2" in told
    assert "Fête d’hiver 1" not in told
    # What she was told she knows.
    bridge.pass_time(minutes=5)
    await bridge.receive(letter("", subject="rattrapage", author=NADIA, number=3))
    assert "Rien de nouveau depuis 12 h" in spaced((await bridge.personal_mails())[-1:])


def spaced(mails: list[EmailMessage]) -> str:
    return " ".join(" ".join(map(body_of, mails)).split())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("rattrapage depuis mardi prochain", "« mardi prochain » n’est pas encore arrivé"),
        ("rattrapage depuis mes vacances", "Nous n’avons pas compris depuis quand : « mes vacances »."),
        ("rattrapage depuis le 3 ou le 4 mars", "Nous n’avons pas compris depuis quand : « le 3 ou le 4 mars »."),
    ],
)
async def test_a_date_that_is_not_clear_is_answered_by_a_sentence(bridge: Bridge, asked: str, told: str) -> None:
    await conversation(bridge)
    await bridge.receive(letter("", subject=asked))
    (answer,) = await answers(bridge)
    assert told in spaced([answer])
    assert "rattrapage depuis mardi" in spaced([answer])
    assert await kept(bridge) == []


async def test_who_takes_part_nowhere_is_told_nothing(bridge: Bridge) -> None:
    await conversation(bridge)
    await bridge.receive(letter("", subject="rattrapage depuis lundi", author="Max <max@ailleurs.test>"))
    assert "Fête" not in spaced(await bridge.personal_mails())
    assert await kept(bridge) == []


async def test_it_changes_neither_what_digests_tell_nor_when(bridge: Bridge) -> None:
    await bridge.receive(letter("", subject="résumé hebdomadaire", author="Monique <monique@membres.lab.test>"))
    await conversation(bridge)
    before = await digest_rows(bridge)
    bridge.pass_time(hours=1)
    await bridge.receive(letter("", subject="rattrapage depuis lundi", number=2, author=MONIQUE))
    assert len(await kept(bridge)) == 1
    assert await digest_rows(bridge) == before


async def digest_rows(bridge: Bridge) -> list[list[Any]]:
    async with bridge.ctx.store.read() as conn:
        return [list((await conn.execute(select(table))).all()) for table in (digest_shown, digest_subscription)]


async def test_a_day_has_so_many_and_no_more(bridge: Bridge) -> None:
    await conversation(bridge)
    for number in range(MOST_A_DAY + 2):
        bridge.pass_time(minutes=1)
        await bridge.receive(letter("", subject="rattrapage depuis lundi", number=number))
    assert len(await kept(bridge)) == MOST_A_DAY
    assert "Revenez demain" in body_of((await answers(bridge))[-1])
    bridge.pass_time(days=1)
    await bridge.receive(letter("", subject="rattrapage depuis lundi", number=99))
    assert len(await kept(bridge)) == MOST_A_DAY + 1


# ------------------------------------------------------------ in the room, and alone with the bridge


async def test_in_the_room_it_is_told_to_its_author_alone(bridge: Bridge) -> None:
    await bridge.say("Bonjour, moi c’est Léa")
    bridge.pass_time(hours=1)
    await conversation(bridge)
    bridge.pass_time(minutes=1)
    await bridge.say("!rattrapage depuis lundi")
    (answer,) = await directs(bridge)
    assert answer.recipient == "@lea:lab.test"
    assert "Fête d’hiver 1" in words(answer)
    assert "Nadia Haddad : « Je propose" in words(answer)
    shown = [row for row in await bridge.outbox("event") if row.post_id is None and "Fête" in str(row.content)]
    assert shown == []
    (sign,) = await bridge.outbox("reaction")
    assert "✅" in str(sign.content)
    assert await bridge.reasons() == ["", "", "", "obeyed"]


async def test_a_line_that_comes_late_is_not_answered(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    await conversation(bridge)
    event = bridge.event("@lea:lab.test", {"msgtype": "m.text", "body": "!rattrapage depuis lundi"})
    bridge.pass_time(hours=2)
    await bridge.happen(event)
    assert await directs(bridge) == []
    assert await kept(bridge) == []


async def test_alone_with_the_bridge_no_sign_is_needed(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    bridge.pass_time(minutes=5)
    await conversation(bridge)
    bridge.pass_time(minutes=1)
    await say_alone(bridge, "rattrapage depuis le début", sender="@lea:lab.test")
    (answer,) = await directs(bridge)
    assert "Depuis le début." in words(answer)
    assert "Fête d’hiver 1" in words(answer)
    (one,) = await kept(bridge)
    assert one.since == BEGINNING


# ------------------------------------------------------------ what is hidden


async def post_of(bridge: Bridge, words: str) -> int:
    async with bridge.ctx.store.read() as conn:
        return int((await conn.execute(select(post.c.id).where(post.c.text.contains(words)))).scalar_one())


async def test_what_is_hidden_is_never_told(bridge: Bridge) -> None:
    await conversation(bridge)
    bridge.pass_time(minutes=1)
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, PostId(await post_of(bridge, "Je tiens la buvette")), by="Monique")
    await bridge.receive(letter("", subject="rattrapage depuis lundi"))
    told = spaced(await answers(bridge))
    assert "Je propose" in told
    assert "ma sœur" not in told


@pytest.mark.parametrize("has_left", [False, True])
async def test_what_is_hidden_afterwards_goes_from_it(bridge: Bridge, has_left: bool) -> None:
    await conversation(bridge)
    bridge.pass_time(minutes=1)
    await bridge.receive(letter("", subject="rattrapage depuis lundi"))
    (row,) = [row for row in await bridge.outbox("email") if row.unique_key.startswith("digest/")]
    async with bridge.ctx.store.write() as conn:
        if has_left:
            await mark_sending(conn, row.id)
            await mark_sent(conn, row.id, bridge.now())
        await hide_post(bridge.ctx, conn, PostId(await post_of(bridge, "Je tiens la buvette")), by="Monique")
    (row,) = [row for row in await bridge.outbox("email") if row.unique_key.startswith("digest/")]
    assert row.state == ("sent" if has_left else "cancelled")
    assert [item for one in await kept(bridge) for item in Chosen.from_json(one.document).items if item.sentences] == []
    assert "ma sœur" not in str([one.document for one in await kept(bridge)])


# ------------------------------------------------------------ to the list by mistake


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("rattrapage depuis lundi", ""),
        ("Bonjour", "Bonjour à tous,\n\nrattrapage depuis lundi, merci !\n\nPaul\n"),
    ],
)
async def test_what_is_nothing_else_is_obeyed_and_shown_to_nobody(bridge: Bridge, subject: str, text: str) -> None:
    await conversation(bridge)
    bridge.pass_time(hours=1)
    before = len(await bridge.shown())
    astray = mail(text, subject=subject, author=PAUL, message_id="astray@membres.lab.test")
    for _ in range(2):
        await bridge.receive(astray)
    assert len(await bridge.shown()) == before
    (answer,) = await answers(bridge)
    assert "Fête d’hiver 1" in spaced([answer])
    assert len(await kept(bridge)) == 1


async def test_a_wish_or_a_consent_said_to_the_list_is_asked_about(bridge: Bridge) -> None:
    await conversation(bridge)
    before = len(await bridge.shown())
    for number, text in enumerate(("résumé hebdomadaire\n", "mon prénom : oui\n")):
        await bridge.receive(mail(text, subject="Bonjour", author=PAUL, message_id=f"wish{number}@membres.lab.test"))
    assert len(await bridge.shown()) == before
    asked = [" ".join(str(one["Subject"]).split()) for one in await answers(bridge)]
    assert asked == ["Une demande à votre nom : est-ce bien vous ?"] * 2


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Rattrapage", ""),
        ("Cours", "rattrapage depuis mardi\n\nQui vient au cours de rattrapage ?\n"),
        ("Séance", "Rattrapage : la séance est déplacée à jeudi.\n"),
        ("Résumé de la réunion", ""),
    ],
)
async def test_what_says_more_or_may_be_meant_for_all_is_relayed(bridge: Bridge, subject: str, text: str) -> None:
    await conversation(bridge)
    before = len(await bridge.shown())
    await bridge.receive(mail(text, subject=subject, author=PAUL, message_id="tous@membres.lab.test"))
    assert len(await bridge.shown()) == before + 1
    assert await answers(bridge) == []
