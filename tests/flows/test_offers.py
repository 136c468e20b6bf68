"""« je peux aider pour : … » and « mon prénom : oui », by mail, in the room and to the bridge alone."""

from __future__ import annotations

import itertools
from typing import Any

from passerelle.core.consents import FIRST_NAME
from passerelle.core.ids import AssociationName, LinkName, MessageId
from passerelle.flows.hide_post import hide_post
from passerelle.store.consents import find_consent, list_consenting
from passerelle.store.offers import list_shown_offers
from passerelle.store.posts import find_posts_by_message_id
from tests.flows.bridge import Bridge, body_of, mail
from tests.flows.test_digests import direct_answers

EPEULE = AssociationName("epeule")
BUREAU = LinkName("bureau")
NUMBERS = itertools.count()
COUPLE = "couple@poste.example"


async def offers(bridge: Bridge) -> list[tuple[str, str]]:
    async with bridge.ctx.store.read() as conn:
        return [(one.name, one.offer.text) for one in await list_shown_offers(conn, EPEULE, [BUREAU])]


async def signs(bridge: Bridge) -> list[str]:
    return [str(row.content["m.relates_to"]["key"]) for row in await bridge.outbox("reaction") if row.content]


async def agreeing(bridge: Bridge) -> frozenset[int]:
    async with bridge.ctx.store.read() as conn:
        return await list_consenting(conn, EPEULE, FIRST_NAME)


async def change(bridge: Bridge, event_id: str, words: str) -> None:
    """Léa edits a line of hers."""
    new: dict[str, Any] = {"msgtype": "m.text", "body": words}
    relation = {"rel_type": "m.replace", "event_id": event_id}
    await bridge.say(f"* {words}", **{"m.new_content": new, "m.relates_to": relation})


# ------------------------------------------------------------ offers


async def test_a_line_of_the_room_offers_and_a_sign_says_that_it_is_noted(bridge: Bridge) -> None:
    await bridge.say("Je peux aider pour : écrivain public")
    assert await offers(bridge) == [("Léa", "écrivain public")]
    assert await signs(bridge) == ["✅"]
    await bridge.say("je peux aider à : Écrivain public !")
    assert await offers(bridge) == [("Léa", "écrivain public")]
    assert await direct_answers(bridge) == []


async def test_a_mail_of_the_list_offers_quietly(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour,\n\nje peux aider pour : la comptabilité\n\nBonne journée\n"))
    assert await offers(bridge) == [("Monique Delattre", "la comptabilité")]
    assert await bridge.personal_mails() == []


async def test_who_offered_ends_it_by_some_of_its_words(bridge: Bridge) -> None:
    await bridge.say("je peux aider pour : réparer un vélo")
    await bridge.say("je peux aider pour : écrivain public")
    await bridge.say("je peux aider pour : réparer un vélo", sender="@karim:lab.test")
    await bridge.say("je ne peux plus aider pour : VELO")
    assert await offers(bridge) == [("Léa", "écrivain public"), ("Karim", "réparer un vélo")]
    await bridge.say("je ne peux plus aider pour : la cuisine")
    assert len(await offers(bridge)) == 2


async def test_a_mail_to_the_bridge_alone_is_answered_in_a_sentence(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour", author=f"Paul Lefebvre <{COUPLE}>"))
    told = await letter(bridge, "Bonjour,\n\nje peux aider pour : la comptabilité\n", "Paul Lefebvre")
    # Nothing proves that it was he: he is asked.
    assert await offers(bridge) == []
    (question,) = told
    told = await letter(bridge, "oui", "Paul Lefebvre", answering=str(question["Message-ID"]).strip("<>"))
    assert await offers(bridge) == [("Paul Lefebvre", "la comptabilité")]
    assert "vous pouvez aider pour" in body_of(told[-1])


async def test_a_command_of_the_room_offers_and_lists(bridge: Bridge) -> None:
    said = await bridge.say("!je peux aider pour : traduire du turc")
    assert await offers(bridge) == [("Léa", "traduire du turc")]
    await bridge.say("!offres", sender="@karim:lab.test")
    shown = [str((row.content or {}).get("body", "")) for row in await bridge.outbox("event")]
    assert any("traduire du turc (Léa)" in one for one in shown)
    await bridge.happen(bridge.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=said))
    assert await offers(bridge) == []


async def test_an_edit_offers_what_it_says_now(bridge: Bridge) -> None:
    said = await bridge.say("je peux aider pour : écrivain public")
    await change(bridge, said, "je peux aider pour : lettres et dossiers")
    assert await offers(bridge) == [("Léa", "lettres et dossiers")]
    await change(bridge, said, "je peux aider une autre fois")
    assert await offers(bridge) == []


async def test_what_is_taken_back_or_hidden_offers_nothing(bridge: Bridge) -> None:
    said = await bridge.say("je peux aider pour : écrivain public")
    await bridge.receive(mail("je peux aider pour : la comptabilité\n"))
    await bridge.happen(bridge.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=said))
    assert await offers(bridge) == [("Monique Delattre", "la comptabilité")]
    async with bridge.ctx.store.write() as conn:
        (post,) = await find_posts_by_message_id(conn, EPEULE, MessageId("question@membres.lab.test"))
        await hide_post(bridge.ctx, conn, post.id, by="Monique")
    assert await offers(bridge) == []


async def test_nobody_offers_for_somebody_else(bridge: Bridge) -> None:
    await bridge.say("de la part de Mme Haddad : je peux aider pour : la couture")
    await bridge.say("je peux aider pour les tables samedi")
    assert await offers(bridge) == []


# ------------------------------------------------------------ one's first name


async def test_in_the_room_a_word_agrees_and_a_word_takes_it_back(bridge: Bridge) -> None:
    await bridge.say("!mon prénom : oui")
    assert len(await agreeing(bridge)) == 1
    assert "votre prénom, Léa, peut figurer sur la feuille affichée" in (await direct_answers(bridge))[-1]
    await bridge.say("!mon prénom")
    assert "peut figurer" in (await direct_answers(bridge))[-1]
    await bridge.say("!Mon prenom non")
    assert await agreeing(bridge) == frozenset()
    assert "ne figure pas" in (await direct_answers(bridge))[-1]


async def test_of_an_address_that_two_share_only_a_oui_agrees_and_a_non_counts_at_once(bridge: Bridge) -> None:
    for name in ("Paul Lefebvre", "Annie Lefebvre"):
        await bridge.receive(mail("Bonjour", author=f"{name} <{COUPLE}>", message_id=f"{name[0]}@poste.example"))
    told = await letter(bridge, "mon prénom : oui", "Paul Lefebvre")
    assert await agreeing(bridge) == frozenset()
    (question,) = [one for one in told if "oui" in body_of(one)]
    await letter(bridge, "oui", "Paul Lefebvre", answering=str(question["Message-ID"]).strip("<>"))
    (agreed,) = await agreeing(bridge)
    async with bridge.ctx.store.read() as conn:
        found = await find_consent(conn, EPEULE, agreed, FIRST_NAME)
    assert found is not None
    told = await letter(bridge, "mon prénom : non", "Annie Lefebvre")
    assert await agreeing(bridge) == {agreed}
    assert "ne figure pas" in body_of(told[-1])
    await letter(bridge, "mon prénom : non", "Paul Lefebvre")
    assert await agreeing(bridge) == frozenset()


async def letter(bridge: Bridge, words: str, name: str, *, answering: str = "") -> list[Any]:
    """A mail of the couple's to the bridge; what leaves for them."""
    before = len(await bridge.personal_mails())
    number = next(NUMBERS)
    await bridge.receive(
        mail(
            words, author=f"{name} <{COUPLE}>", to="passerelle@membres.lab.test", list_id=None, subject="x",
            message_id=f"letter{number}@poste.example", answering=(answering,) if answering else (),
        )
    )  # fmt: skip
    return (await bridge.personal_mails())[before:]
