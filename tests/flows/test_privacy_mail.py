"""What members ask for by mail about their own data, and « retirer »."""

from __future__ import annotations

import io
import json
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import text

from passerelle.core.ids import PostId
from passerelle.core.privacy_words import parse_privacy_wish
from passerelle.flows.erase import go_on_with_erasures, next_erasure_at
from passerelle.flows.hide_post import show_post
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.privacy_answers import answer_access, forget_answers, has_access_to_answer
from passerelle.flows.privacy_export import export_person
from passerelle.store.acts import list_acts
from passerelle.store.outbox import mark_sent
from passerelle.store.posts import get_post
from passerelle.store.privacy import find_persons
from tests.flows.bridge import BRIDGE, Bridge, body_of, mail

ANNIE = "Annie Roux <annie@membres.lab.test>"


@pytest.mark.parametrize(
    ("subject", "words", "wish"),
    [
        ("Mes données", "", "access"), ("MES DONNEES !", "merci", "access"), ("bonjour", "Mes données, svp.", "access"),
        ("", "Bonjour,\n\nEffacer mes messages", "erase"), ("Supprimez mes messages", "Merci d'avance", "erase"),
        ("Re: Loto", "Retirer", "hide"), ("Re: Loto", "retirer, merci", "hide"), ("Re: x", "Oui.", "yes"),
        ("Retirer", "", None), ("Oui", "bonjour", None), ("Loto", "Je veux bien retirer les chaises", None),
        ("Mes données sont fausses", "bonjour", None), ("my data", "", "access"), ("x" * 500, "y" * 5000, None),
    ],
)  # fmt: skip
def test_what_is_asked_for(subject: str, words: str, wish: str | None) -> None:
    assert parse_privacy_wish(subject, words) == wish


async def write(bridge: Bridge, words: str, *, subject: str = "Bonjour", author: str = ANNIE, **of: object) -> str:
    """A mail to the bridge alone; why it ended."""
    number = next(bridge.events)
    raw = mail(
        words,
        subject=subject,
        author=author,
        to=BRIDGE,
        list_id=None,
        message_id=f"w{number}@x",
        **of,  # type: ignore[arg-type]
    ).replace(b"Subject: [bureau] ", b"Subject: ")
    await bridge.receive(raw)
    return (await bridge.reasons())[-1]


async def last_personal(bridge: Bridge) -> EmailMessage:
    rows = [row for row in await bridge.outbox("email") if row.lane.startswith("out:person:") and row.raw_hash]
    made = message_from_bytes(await bridge.raw_of(rows[-1]), policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


async def states(bridge: Bridge) -> list[str]:
    async with bridge.ctx.store.read() as conn:
        return list((await conn.execute(text("SELECT state FROM post ORDER BY id"))).scalars())


async def say_on_list(bridge: Bridge) -> None:
    await bridge.receive(mail("Un mot d'Annie.", author=ANNIE, message_id="annie1@x", subject="Loto"))
    await bridge.receive(mail("Un mot de Monique.", message_id="monique1@x", subject="Kermesse"))


async def test_messages_are_erased_after_a_yes_from_the_stored_address(bridge: Bridge) -> None:
    await say_on_list(bridge)
    assert await write(bridge, "Merci", subject="Effacer mes messages") == "privacy_erase"
    question = await last_personal(bridge)
    assert "annie@membres.lab.test" in str(question["To"])
    assert "oui" in body_of(question)
    assert await next_erasure_at(bridge.ctx) is None, "nothing before the word"
    asked = str(question["Message-ID"]).strip("<>")
    stranger = "Un autre <autre@membres.lab.test>"
    await write(bridge, "oui", subject="Re: x", author=stranger, answering=(asked,))
    assert await next_erasure_at(bridge.ctx) is None, "nobody else's word counts"
    assert (
        await write(bridge, "Oui !\n\n> Répondez « oui »", subject="Re: x", answering=(asked,)) == "privacy_confirmed"
    )
    assert await next_erasure_at(bridge.ctx) == bridge.now()
    assert await write(bridge, "oui", subject="Re: x", answering=(asked,)) == "privacy_over"

    class Boxes:
        async def __call__(self, box: object, message_ids: object) -> object:
            from passerelle.flows.erase import MailboxErased

            return MailboxErased(count=1, folders=("INBOX",))

    assert await go_on_with_erasures(bridge.ctx, emails=Boxes()) == 1  # type: ignore[arg-type]
    assert await states(bridge) == ["erased", "accepted"]
    answer = await last_personal(bridge)
    assert "annie@membres.lab.test" in str(answer["To"])
    assert "1 message" in body_of(answer)
    assert "sauvegardes" in body_of(answer)
    async with bridge.ctx.store.read() as conn:
        kinds = (await conn.execute(text("SELECT kind FROM incident"))).scalars().all()
    assert "privacy_erase" in kinds


async def test_after_the_receipt_has_left_not_even_the_address_is_kept(bridge: Bridge) -> None:
    await test_messages_are_erased_after_a_yes_from_the_stored_address(bridge)
    async with bridge.ctx.store.write() as conn:
        for row in await bridge.outbox("email"):
            if row.state == "waiting":
                await mark_sent(conn, row.id, bridge.now())
    assert await forget_answers(bridge.ctx) == 1
    left = [row.recipient for row in await bridge.outbox() if "annie" in str(row.recipient)]
    assert left == []


async def test_data_come_in_a_file_that_can_be_read(bridge: Bridge) -> None:
    await say_on_list(bridge)
    await write(bridge, "Bonjour, mes données s'il vous plaît")
    asked = str((await last_personal(bridge))["Message-ID"]).strip("<>")
    await write(bridge, "oui", subject="Re: x", answering=(asked,))
    assert await has_access_to_answer(bridge.ctx)
    assert await answer_access(bridge.ctx) == 1
    assert not await has_access_to_answer(bridge.ctx)
    answer = await last_personal(bridge)
    (file,) = answer.iter_attachments()
    opened = zipfile.ZipFile(io.BytesIO(file.get_content()))
    names = {name.removeprefix("mes-donnees/") for name in opened.namelist()}
    assert {"index.html", "donnees.json"} < names
    held = json.loads(opened.read("mes-donnees/donnees.json"))
    assert [post["text"] for post in held["posts"]] == ["Un mot d'Annie."]
    assert held["addresses"] == ["annie@membres.lab.test"]
    page = opened.read("mes-donnees/index.html").decode()
    assert "Un mot d&#39;Annie." in page
    assert "Monique" not in "".join(opened.read(n).decode("utf-8", "replace") for n in opened.namelist())


async def test_unknown_addresses_get_the_answer_that_everyone_gets(bridge: Bridge) -> None:
    for words in ("mes données", "effacer mes messages", "retirer", "oui"):
        assert await write(bridge, words, author="Qui <qui@ailleurs.example>") == "to_the_bridge"
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM privacy_request"))).scalar_one() == 0


async def test_of_a_shared_address_the_name_decides(bridge: Bridge) -> None:
    for name, number in (("Paul Vidal", 1), ("Annie Vidal", 2)):
        await bridge.receive(mail(f"Mot {number}", author=f"{name} <vidal@x.test>", message_id=f"v{number}@x"))
    assert await write(bridge, "mes données", author="Vidal <vidal@x.test>") == "to_the_bridge"
    assert await write(bridge, "mes données", author="Paul Vidal <vidal@x.test>") == "privacy_access"


# ------------------------------------------------------------ retirer


async def test_an_author_takes_their_mail_out_and_it_leaves_everything_at_once(bridge: Bridge) -> None:
    await say_on_list(bridge)
    await bridge.deliver_events()
    assert await write(bridge, "Retirer", subject="Re: Loto", answering=("annie1@x",)) == "hidden"
    assert await states(bridge) == ["hidden", "accepted"]
    assert "rappelés" in body_of(await last_personal(bridge))
    assert len(await bridge.outbox("redaction")) >= 1
    async with bridge.ctx.store.read() as conn:
        assert await list_acts(conn, bridge.link.association_name) == [], "their own doing is nobody's business"


async def test_what_has_not_left_does_not_leave(bridge: Bridge) -> None:
    await say_on_list(bridge)
    await write(bridge, "retirer", subject="Re: Loto", answering=("annie1@x",))
    events = [row for row in await bridge.outbox("event") if row.post_id == 1]
    assert {row.state for row in events} == {"cancelled"}


async def test_a_coordinator_takes_out_anyones_and_it_is_logged(bridge: Bridge) -> None:
    await say_on_list(bridge)
    monique = "Monique Delattre <monique@membres.lab.test>"
    assert await write(bridge, "retirer", author=monique, subject="Re: Loto", answering=("annie1@x",)) == "hidden"
    async with bridge.ctx.store.read() as conn:
        (act,) = await list_acts(conn, bridge.link.association_name)
    assert (act.by, act.what) == ("Monique", "hide")


async def test_somebody_else_takes_nothing_out(bridge: Bridge) -> None:
    await say_on_list(bridge)
    assert await write(bridge, "retirer", subject="Re: Kermesse", answering=("monique1@x",)) != "hidden"
    assert await states(bridge) == ["accepted", "accepted"]


async def test_a_hidden_post_is_shown_again_in_the_archive_alone(bridge: Bridge) -> None:
    await say_on_list(bridge)
    await bridge.deliver_events()
    while await index_waiting(bridge.ctx):
        pass
    await write(bridge, "retirer", subject="Re: Loto", answering=("annie1@x",))
    before = len(await bridge.outbox("event"))
    async with bridge.ctx.store.write() as conn:
        assert await show_post(bridge.ctx, conn, PostId(1), by="Monique") == "shown"
        assert await show_post(bridge.ctx, conn, PostId(1), by="Monique") == "not_hidden"
    async with bridge.ctx.store.read() as conn:
        post = await get_post(conn, PostId(1))
    assert (post.state, post.text) == ("accepted", "Un mot d'Annie.")
    assert len(await bridge.outbox("event")) == before


async def test_lines_of_a_sealed_mail_leave_without_the_hidden_one(bridge: Bridge) -> None:
    await bridge.say("mot-regretté", sender="@karim:lab.test")
    await bridge.say("Je passe à midi")
    await bridge.settle()
    async with bridge.ctx.store.write() as conn:
        from passerelle.flows.hide_post import hide_post

        assert await hide_post(bridge.ctx, conn, PostId(1), by="Monique") == "hidden"
    said = "\n".join(made.as_string() for made in await bridge.settle())
    assert "mot-regrett" not in said
    assert "midi" in said
    async with bridge.ctx.store.write() as conn:
        assert await show_post(bridge.ctx, conn, PostId(1), by="Monique") == "shown"


async def test_the_export_holds_only_what_is_theirs(bridge: Bridge) -> None:
    await say_on_list(bridge)
    written: dict[str, bytes] = {}
    async with bridge.ctx.store.read() as conn:
        (annie,) = await find_persons(conn, bridge.link.association_name, "ANNIE@membres.lab.test")
    exported = await export_person(bridge.ctx, annie, lambda name, data: written.update({name: data}))
    assert (exported.posts, exported.originals) == (1, 1)
    assert sorted(written) == ["donnees.json", "index.html", "originaux/1.eml"]
    assert b"monique" not in b"".join(written.values()).lower()
