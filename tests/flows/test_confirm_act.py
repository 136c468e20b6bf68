"""« Was it you? »: only « oui » from the address that we know, in answer to the very question, lets an act be done."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress
from passerelle.flows.actors import actor_of_email
from passerelle.flows.confirm_act import (
    CONFIRM_ACT_KEY,
    Asked,
    Confirmed,
    NotConfirmed,
    Unconfirmed,
    ask_to_confirm,
    take_confirmation,
)
from passerelle.flows.privacy_mail import Letter
from passerelle.mail.parse import parse_email
from passerelle.store.people import find_or_insert_person
from tests.flows.bridge import BRIDGE, Bridge, body_of, mail

PAUL = Mailbox(name="Paul Lefebvre", address=MailAddress("couple@poste.example"))
ANNIE = Mailbox(name="Annie Lefebvre", address=MailAddress("couple@poste.example"))
MONIQUE = Mailbox(name="Monique", address=MailAddress("monique@membres.lab.test"))


def written_by(author: Mailbox, words: str, *answering: str) -> bytes:
    name = f"{author.name} <{author.address}>"
    return mail(words, author=name, to=BRIDGE, list_id=None, subject="Re: x", message_id="m@x", answering=answering)


async def knows(bridge: Bridge, *people: Mailbox) -> None:
    async with bridge.ctx.store.write() as conn:
        for one in people:
            await find_or_insert_person(
                conn, bridge.link.association_name, name=one.name, address=one.address, now=bridge.now()
            )


async def ask(bridge: Bridge, author: Mailbox = PAUL, number: int = 7, **command: object) -> Asked:
    email = parse_email(written_by(author, f"adopter {number}"))
    async with bridge.ctx.store.write() as conn:
        actor = await actor_of_email(bridge.ctx, conn, bridge.link, email, author, through_list=False)
        act = Unconfirmed(
            link=bridge.link,
            actor=actor,
            words=f"adopter la décision {number}",
            command={"numbers": [number], **command},
        )
        return await ask_to_confirm(bridge.ctx, conn, act, email=email)


async def questions(bridge: Bridge) -> list[EmailMessage]:
    rows = [row for row in await bridge.outbox("email") if row.unique_key.startswith(CONFIRM_ACT_KEY)]
    made = [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]
    return [one for one in made if isinstance(one, EmailMessage)]


def id_of(question: EmailMessage) -> str:
    return str(question["Message-ID"]).strip("<>")


async def answer(bridge: Bridge, author: Mailbox, words: str, *answering: str) -> Any:
    letter = Letter(email=parse_email(written_by(author, words, *answering)), author=author)
    async with bridge.ctx.store.write() as conn:
        return await take_confirmation(bridge.ctx, conn, letter)


async def test_yes_from_the_address_that_was_asked(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    assert await ask(bridge) == "asked"
    (question,) = await questions(bridge)
    assert "couple@poste.example" in str(question["To"])
    assert "Paul Lefebvre" in str(question["To"])
    assert str(question["Auto-Submitted"]) == "auto-replied"
    assert "Avez-vous bien demandé\xa0: adopter la décision 7\u202f?" in body_of(question)
    assert "Répondez «\xa0oui\xa0»" in body_of(question)
    done = await answer(bridge, PAUL, "Oui, c'est bien moi.\n\n> Avez-vous bien demandé", id_of(question))
    assert isinstance(done, Confirmed)
    assert done.command == {"numbers": [7]}
    assert (done.actor.name, done.actor.proof, done.actor.medium) == ("Paul Lefebvre", "confirmed", "mail")
    assert done.link == bridge.link


async def test_once(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    await ask(bridge)
    (question,) = await questions(bridge)
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(question)), Confirmed)
    again = await answer(bridge, PAUL, "oui", id_of(question))
    assert again == NotConfirmed(link=bridge.link, reason="confirm_over")


async def test_no_is_no_for_good(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    await ask(bridge)
    (question,) = await questions(bridge)
    no = await answer(bridge, PAUL, "Non, ce n'était pas moi", id_of(question))
    assert no == NotConfirmed(link=bridge.link, reason="confirm_no")
    yes = await answer(bridge, PAUL, "oui", id_of(question))
    assert yes == NotConfirmed(link=bridge.link, reason="confirm_over")


@pytest.mark.parametrize("words", ["", "peut-être", "oui mais plus tard", "adopter 7", "Bonjour, c'est quoi ?"])
async def test_what_is_neither_yes_nor_no_decides_nothing_and_leaves_the_question_open(
    bridge: Bridge, words: str
) -> None:
    await knows(bridge, PAUL)
    await ask(bridge)
    (question,) = await questions(bridge)
    assert await answer(bridge, PAUL, words, id_of(question)) is None
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(question)), Confirmed)


async def test_after_three_days_it_is_over(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    await ask(bridge)
    (question,) = await questions(bridge)
    bridge.pass_time(days=3)
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(question)), Confirmed)
    await ask(bridge, number=8)
    _, question = await questions(bridge)
    bridge.pass_time(days=3, seconds=1)
    late = await answer(bridge, PAUL, "oui", id_of(question))
    assert late == NotConfirmed(link=bridge.link, reason="confirm_over")
    bridge.pass_time(days=-1)
    assert not isinstance(await answer(bridge, PAUL, "oui", id_of(question)), Confirmed)


async def test_nobody_else_s_word_counts(bridge: Bridge) -> None:
    await knows(bridge, PAUL, MONIQUE)
    await ask(bridge)
    (question,) = await questions(bridge)
    stranger = Mailbox(name=PAUL.name, address=MailAddress("paul@mechant.example"))
    for other in (MONIQUE, stranger):
        assert await answer(bridge, other, "oui", id_of(question)) is None
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(question)), Confirmed)


async def test_who_has_not_read_the_question_cannot_answer_it(bridge: Bridge) -> None:
    """In Paul's name, from Paul's address: but its Message-ID is known to Paul alone."""
    await knows(bridge, PAUL)
    await ask(bridge)
    for guess in ("m@x", "ask:confirm:1", f"ask:confirm:1@{BRIDGE}", f"1@{BRIDGE.partition('@')[2]}"):
        assert await answer(bridge, PAUL, "oui", guess) is None
    assert await answer(bridge, PAUL, "oui") is None


async def test_another_question_s_id_answers_the_other_question(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    await ask(bridge, number=7)
    await ask(bridge, number=8)
    first, second = await questions(bridge)
    done = await answer(bridge, PAUL, "oui", id_of(second), id_of(first))
    assert isinstance(done, Confirmed)
    assert done.command["numbers"] == [7], "the mail that is answered is the one of In-Reply-To"


async def test_a_mail_of_ours_that_asked_for_something_else_is_no_such_question(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour", author=f"{PAUL.name} <{PAUL.address}>"))
    await bridge.receive(written_by(PAUL, "effacer mes messages").replace(b"Subject: [bureau] Re: x", b"Subject: x"))
    other = (await bridge.personal_mails())[-1]
    assert "effacer" in body_of(other)
    assert await answer(bridge, PAUL, "oui", id_of(other)) is None


async def test_from_a_shared_address_only_who_was_asked(bridge: Bridge) -> None:
    await knows(bridge, PAUL, ANNIE)
    assert await ask(bridge) == "asked"
    (question,) = await questions(bridge)
    assert await answer(bridge, ANNIE, "oui", id_of(question)) is None
    nobody = Mailbox(name="", address=PAUL.address)
    assert await answer(bridge, nobody, "oui", id_of(question)) is None
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(question)), Confirmed)


async def test_one_question_a_day_and_command(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    assert [await ask(bridge), await ask(bridge), await ask(bridge, number=8)] == ["asked", "asked_before", "asked"]
    assert len(await questions(bridge)) == 2
    bridge.pass_time(days=1, minutes=1)
    assert await ask(bridge) == "asked"
    first, _, second = await questions(bridge)
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(first)), Confirmed)
    assert isinstance(await answer(bridge, PAUL, "oui", id_of(second)), Confirmed), "two questions are two"


async def test_a_mailbox_is_not_filled_by_our_hand(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    said = [await ask(bridge, number=n) for n in range(8)]
    assert said == ["asked"] * 5 + ["asked_too_often"] * 3
    assert len(await questions(bridge)) == 5


async def test_the_question_goes_to_the_address_that_is_known(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    shouted = Mailbox(name=PAUL.name, address=MailAddress("COUPLE@poste.example"))
    assert await ask(bridge, shouted) == "asked"
    (row,) = [row for row in await bridge.outbox("email") if row.unique_key.startswith(CONFIRM_ACT_KEY)]
    assert row.recipient == "couple@poste.example"


async def test_a_stranger_is_asked_nothing(bridge: Bridge) -> None:
    stranger = Mailbox(name="Paul Lefebvre", address=MailAddress("paul@mechant.example"))
    assert await ask(bridge, stranger) == "nobody_to_ask"
    assert await questions(bridge) == []


async def test_a_coordinator_who_never_wrote_is_asked_at_the_configured_address(bridge: Bridge) -> None:
    assert await ask(bridge, MONIQUE) == "asked"
    (question,) = await questions(bridge)
    done = await answer(bridge, MONIQUE, "oui", id_of(question))
    assert isinstance(done, Confirmed)
    assert done.actor.is_coordinator
    assert done.actor.proof == "confirmed"


async def test_all_that_yes_lets_be_done_is_shown(bridge: Bridge) -> None:
    """Two lines of a stranger's mail: the second must not hide behind the first."""
    await knows(bridge, PAUL)
    assert await ask(bridge, text="fait 2\r\n\r\n  adoptée 1\nObjet: gagnez") == "asked"
    (question,) = await questions(bridge)
    assert "fait 2 ; adoptée 1 ; Objet: gagnez" in " ".join(body_of(question).replace("\u202f", " ").split())
    assert str(question["Subject"]) == "Une demande à votre nom\xa0: est-ce bien vous\u202f?"


async def test_what_is_too_long_to_be_shown_is_not_asked(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    assert await ask(bridge, text="fait 2\n" + "x " * 200 + "\nadoptée 1") == "too_long"
    assert await questions(bridge) == []


async def test_who_was_erased_meanwhile_decides_nothing(bridge: Bridge) -> None:
    await knows(bridge, PAUL)
    await ask(bridge)
    (question,) = await questions(bridge)
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("DELETE FROM person_address"))
    assert await answer(bridge, PAUL, "oui", id_of(question)) is None
