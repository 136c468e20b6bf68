"""Why somebody does not come is kept nowhere, whichever way it was said (PEOPLE 9)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from passerelle.core.ids import BlobHash
from passerelle.core.model import OutboxRow
from passerelle.flows.ask_back import escalate_asks
from passerelle.store.blobs import get_blob
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import COORDINATORS, answered, letter, next_step, read, to_list

WHY = "fracture"


@pytest.fixture
async def convened(make_bridge: MakeBridge) -> Bridge:
    """A meeting that everyone was invited to."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.say("bonjour")
    await bridge.say("!réunion jeudi 3 décembre 18h30")
    for _ in range(2):
        await next_step(bridge)
    return bridge


async def kept(bridge: Bridge, word: str = WHY) -> list[str]:
    """Where a word stands: in a row, in bytes that came or in bytes that leave."""
    found: list[str] = []
    async with bridge.ctx.store.read() as conn:
        tables = (await conn.execute(text("select name from sqlite_master where type = 'table'"))).scalars().all()
        for table in tables:
            rows = (await conn.execute(text(f'select * from "{table}"'))).all()
            found += [table for row in rows if word in repr(tuple(row))]
    for row in await bridge.outbox("email"):
        sent = await read(bridge, row)
        if word in f"{sent['Subject']} {body_of(sent)}":
            found.append(row.unique_key)
    return found + [f"bytes of {key}" for key, raw in await came(bridge) if word.encode() in raw]


async def came(bridge: Bridge) -> list[tuple[str, bytes]]:
    """The bytes of arrivals that are kept."""
    async with bridge.ctx.store.read() as conn:
        query = "select key, raw_hash from inbox where raw_hash is not null"
        rows = (await conn.execute(text(query))).all()
        return [(key, await get_blob(conn, BlobHash(name))) for key, name in rows]


async def questions(bridge: Bridge) -> list[str]:
    return [body_of(await read(bridge, row)) for row in await asked(bridge)]


async def asked(bridge: Bridge) -> list[OutboxRow]:
    return [row for row in await bridge.outbox("email") if row.unique_key.startswith("ask:confirm:")]


async def commands(bridge: Bridge) -> list[str]:
    async with bridge.ctx.store.read() as conn:
        return list((await conn.execute(text("select about from ask where kind = 'confirm_command'"))).scalars())


# ------------------------------------------------------------ what waits for a « oui »


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Re: réunion 1", f"Excusée : Annie, hospitalisée pour une {WHY}."),
        ("Re: réunion 1", f"Excusée : Annie ({WHY})"),
        (f"excusée : Annie, {WHY}", ""),
        (f"!excusée Annie, hospitalisée pour une {WHY}", ""),
    ],
)
async def test_a_word_that_waits_for_yes_has_no_reason(convened: Bridge, subject: str, body: str) -> None:
    await convened.receive(letter(subject, body))
    (question,) = await questions(convened)
    assert "excusés : Annie" in question.replace("\u00a0", " ")
    assert await kept(convened) == []
    (row,) = await asked(convened)
    await convened.receive(letter("Re: x", "oui", message_id="oui@x", answering=(row.message_id,)))
    assert await answered(convened, 1) == {"Annie": "no"}
    assert await commands(convened) == ["{}"]


async def test_where_no_name_is_left_nothing_is_asked(convened: Bridge) -> None:
    await convened.receive(letter("Re: réunion 1", f"Excusée : moi, {WHY}"))
    assert await asked(convened) == []
    assert await kept(convened) == []
    assert "Il manque un nom" in body_of((await convened.personal_mails())[-1])


async def test_what_nobody_confirms_is_forgotten_when_it_is_over(convened: Bridge) -> None:
    await convened.receive(letter("Re: réunion 1", "Excusée : Annie"))
    (row,) = await asked(convened)
    convened.pass_time(days=3)
    await escalate_asks(convened.ctx)
    assert await commands(convened) == ["{}"]
    await convened.receive(letter("Re: x", "oui", message_id="oui@x", answering=(row.message_id,)))
    assert await answered(convened, 1) == {}


async def test_several_who_are_named_are_confirmed_at_once(convened: Bridge) -> None:
    await convened.receive(letter("Re: réunion 1", f"Excusés : Annie ({WHY}), Karim\nPrésents : Paul"))
    (row,) = await asked(convened)
    await convened.receive(letter("Re: x", "oui", message_id="oui@x", answering=(row.message_id,)))
    assert await answered(convened, 1) == {"Annie": "no", "Karim": "no", "Paul": "yes"}


# ------------------------------------------------------------ letters to the bridge


@pytest.mark.parametrize(
    ("subject", "body", "answer"),
    [
        ("Re: réunion 1", f"Non, opération, une {WHY}.", "no"),
        ("Re: réunion 1", f"Excusez-moi, je suis hospitalisée pour une {WHY}", "no"),
        ("Re: réunion 1", f"Je ne pourrai pas venir : {WHY}.", "no"),
        ("Re: réunion 1", f"À l'hôpital pour une {WHY}", None),
        ("Excusée 1", f"Je suis hospitalisée pour une {WHY}.", None),
        (f"Absence : {WHY}", "Bonjour", None),
        (f"Je ne pourrai pas venir, {WHY}", "", None),
        ("Jeudi", f"Je ne pourrai pas venir. J'ai une {WHY}, voilà tout.", None),
    ],
)
async def test_a_letter_about_a_meeting_is_forgotten_whatever_became_of_it(
    convened: Bridge, subject: str, body: str, answer: str | None
) -> None:
    before = len(await came(convened))
    await convened.receive(letter(subject, body))
    assert (await answered(convened, 1)).get("Monique Delattre") == answer
    assert await kept(convened) == []
    assert len(await came(convened)) == before


async def test_a_letter_that_answers_a_convocation_is_forgotten(convened: Bridge) -> None:
    (convocation,) = await to_list(convened, "convocation")
    about = str(convocation["Message-ID"]).strip("<>")
    await convened.receive(letter("Re: jeudi", f"C'est une {WHY}", answering=(about,)))
    assert (await convened.reasons())[-1] == "private_answer"
    assert await kept(convened) == []


async def test_a_letter_about_something_else_is_kept_as_it_came(convened: Bridge) -> None:
    await convened.receive(letter("Le loto", "Qui apporte les lots ?"))
    assert any(b"Qui apporte les lots" in raw for _, raw in await came(convened))


async def test_pardon_is_no_answer(convened: Bridge) -> None:
    await convened.receive(letter("Re: réunion 1", "Excusez-moi, je suis perdue, où est le local ?"))
    assert await answered(convened, 1) == {}


# ------------------------------------------------------------ answers to the convocation that reach the list


async def to_the_list(bridge: Bridge, body: str, *, message_id: str = "reponse@x") -> bool:
    """Whether a reply of the list to the convocation is relayed."""
    (convocation,) = await to_list(bridge, "convocation")
    about = str(convocation["Message-ID"]).strip("<>")
    shown = len(await bridge.shown())
    await bridge.receive(mail(body, subject="Re: Réunion", message_id=message_id, answering=(about,)))
    return len(await bridge.shown()) > shown


@pytest.mark.parametrize(
    "body",
    [
        f"Je ne pourrai pas venir : {WHY} ce jour-là.",
        f"Bonjour à tous,\n\nJe ne pourrai pas venir, j'ai une {WHY}.\nDésolée !\n\nBien à vous,\nMonique",
        f"Non, opération d'une {WHY}.",
        f"Excusez-moi, je suis hospitalisée pour une {WHY}",
    ],
)
async def test_a_few_words_that_say_why_are_not_relayed_to_the_room(convened: Bridge, body: str) -> None:
    assert not await to_the_list(convened, body)
    assert await answered(convened, 1) == {"Monique Delattre": "no"}
    assert (await convened.reasons())[-1] == "obeyed"
    assert await kept(convened) == []


@pytest.mark.parametrize(
    "body",
    [
        "Je ne pourrai pas venir jeudi. Quelqu'un peut-il ouvrir le local ?",
        "Je ne pourrai pas venir.\n\nLes clés du local sont chez Karim, rue des Lilas.",
        "Je ne pourrai pas venir.\naction : @Karim ouvrir le local",
        "Je ne pourrai pas venir, " + "et je vous raconte tout " * 6,
        "Je viens, et j'apporte le vidéoprojecteur.",
        "Je ne peux pas jeudi, vendredi plutôt si tout le monde veut bien.",
        "Je ne pourrai pas venir, on peut reporter à une autre date.",
    ],
)
async def test_what_says_more_is_a_post_like_any_other(convened: Bridge, body: str) -> None:
    assert await to_the_list(convened, body)
    assert "Monique Delattre" in await answered(convened, 1)


async def test_a_few_words_beneath_somebody_s_post_are_relayed(convened: Bridge) -> None:
    shown = len(await convened.shown())
    await convened.receive(
        mail("Je ne pourrai pas venir, j'ai piscine.", message_id="reponse@x", answering=("bonjour@x",))
    )
    assert len(await convened.shown()) > shown
