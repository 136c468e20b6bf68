"""Fiches, by the real flows: made from what was said, completed, published only with what was agreed to."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.core.fiche import Fiche
from passerelle.flows.fiche_read import SeenFiche, seen_by_readers
from passerelle.store.fiches import list_fiches
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.test_register_commands import COORDINATORS, MONIQUE, letter

PAUL = "Paul Mercier <paul@membres.lab.test>"
THE_WORDS = "Le loto a rempli la salle des fêtes en novembre."
PAULS_WORDS = "La prochaine fois, ouvrons la caisse une heure plus tôt."


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """Monique writes of the loto, Paul and Léa answer, Monique asks for a fiche."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail(f"Bonjour à tous,\n\n{THE_WORDS}", message_id="loto@x", author=MONIQUE))
    answer = mail(f"{PAULS_WORDS} Bonne journée !", subject="Re: Loto du quartier", author=PAUL, message_id="paul@x",
                  answering=("loto@x",))  # fmt: skip
    await bridge.receive(answer)
    await bridge.deliver_events()
    return bridge


async def asked_for(bridge: Bridge, *, title: str = "") -> Fiche:
    """The draft that Monique asks for, in answer to the first mail."""
    said = f"!fiche{f' : {title}' if title else ''}"
    await bridge.receive(mail(said, subject="Re: Loto", author=MONIQUE, message_id="fais@x", answering=("loto@x",),
                              **PROVED))  # fmt: skip
    return await the_fiche(bridge)


#: Through an authenticated list: what a mail needs that notes something.
PROVED: dict[str, str] = {}


async def the_fiche(bridge: Bridge) -> Fiche:
    async with bridge.ctx.store.read() as conn:
        return (await list_fiches(conn, bridge.link.association_name))[0]


async def seen(bridge: Bridge, audience: Any = "association") -> SeenFiche | None:
    fiche = await the_fiche(bridge)
    async with bridge.ctx.store.read() as conn:
        return await seen_by_readers(conn, fiche, audience)


async def letters(bridge: Bridge) -> list[str]:
    return [plain(body_of(one)) for one in await bridge.personal_mails()]


def plain(text: str) -> str:
    """With ordinary spaces, to be compared."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\r\n", "\n")


async def message_id_of(bridge: Bridge, words: str) -> str:
    (found,) = [one for one in await bridge.personal_mails() if words in plain(body_of(one))]
    return str(found["Message-ID"]).strip("<>")


async def test_a_draft_holds_what_was_said_and_questions_and_is_told_to_one_person(group: Bridge) -> None:
    fiche = await asked_for(group)
    (told,) = await letters(group)
    assert f"« {THE_WORDS} » (Monique Delattre)" in told
    assert f"« {PAULS_WORDS} » (Paul Mercier)" in told
    assert "Qu’est-ce que cela a donné" in told
    assert "Bonne journée" not in told
    assert (fiche.state, fiche.number, fiche.licence) == ("draft", 1, "CC BY-SA 4.0")
    assert await seen(group) is None
    assert "obeyed" in await group.reasons()


async def answer(bridge: Bridge, to: str, body: str, *, author: str, message_id: str) -> None:
    """A private mail in answer to one of the bridge's own, which holds these words."""
    sent = await message_id_of(bridge, to)
    await bridge.receive(letter("Re: fiche", body, author=author, message_id=message_id, answering=(sent,)))


async def published(bridge: Bridge) -> SeenFiche:
    """Monique publishes by her word, and Paul, who is asked, agrees."""
    await asked_for(bridge)
    await answer(bridge, "Voici le brouillon", "publier fiche 1", author=MONIQUE, message_id="p@x")
    await answer(bridge, "Avez-vous bien demandé", "oui", author=MONIQUE, message_id="moi@x")
    await answer(bridge, "Êtes-vous d’accord", "Oui", author=PAUL, message_id="oui@x")
    found = await seen(bridge)
    assert found is not None
    return found


async def test_a_fiche_is_published_once_everybody_quoted_agreed(group: Bridge) -> None:
    found = await published(group)
    assert [part.text for part in found.content.parts] == ["Loto du quartier", THE_WORDS, PAULS_WORDS]
    assert found.who == ("Monique", "Paul")
    assert await seen(group, "network") is None
