"""A digest that is answered, from the mail that left to what becomes of the answer."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote

import pytest

from passerelle.core.register_model import NewAsk
from passerelle.flows.ask_back import escalate_asks
from passerelle.flows.hide_post import hide_post
from passerelle.store.asks import insert_ask
from tests.flows.bridge import BRIDGE, LIST, Bridge, MakeBridge, body_of, mail
from tests.flows.digest_answering import (
    DIGEST_AT,
    PAUL,
    asks,
    digest_sent,
    item_of,
    posts,
    quoted,
    reply,
    said_at,
    token_of,
    told,
)
from tests.flows.meetings import answered
from tests.flows.test_digests import digest_mails, ring, subscriptions
from tests.flows.test_register_notes import all_leave, entries

Sent = tuple[Bridge, EmailMessage]


@pytest.fixture
async def sent(make_bridge: MakeBridge) -> Sent:
    return await digest_sent(make_bridge)


# ------------------------------------------------------------ where an answer goes


async def test_a_conversation_is_answered_on_the_list_and_all_else_at_the_bridge(sent: Sent) -> None:
    html = sent[1].get_body(("html",))
    assert html is not None
    links = re.findall(r'href="mailto:([^"?]+)\?([^"]+)" aria-label="([^"]+)"', html.get_content())
    where = {label.rpartition("\xa0: ")[2]: (address, unquote(fields)) for address, fields, label in links}
    assert where["Budget de la fête"][0] == BRIDGE
    assert where["louer la salle des fêtes"][0] == BRIDGE
    address, fields = where["Goûter 1"]
    token = token_of(sent[1], "Goûter 1")
    assert (address, fields) == (LIST, f"subject=Re: Goûter 1 [{token}]&amp;In-Reply-To=<answer1@membres.lab.test>")
    assert "Répondre à toute la liste" in html.get_content()
    # Who reads the text alone is told as much.
    assert "Elle ne part vers la liste que si vous dites oui." in body_of(sent[1])
    assert "nouvelles personnes" in body_of(sent[1])
    assert "mailto:" not in body_of(sent[1])


async def test_each_part_of_an_answer_goes_to_the_item_that_it_quotes(sent: Sent) -> None:
    bridge, digest = sent
    parts = {
        "louer la salle": "Objection : c'est trop cher",
        "Budget": "Je viens",
        "affiches": "fait",
        "Goûter 1": "Je ferai aussi une tarte aux pommes.\n\nMonique",
    }
    text = "\n\n".join(f"{quoted(item_of(digest, title))}\n\n{said}" for title, said in parts.items())
    await bridge.receive(reply(bridge, f"Bonjour,\n\n{text}\n", digest))
    assert (await bridge.reasons())[-1] == "obeyed"
    assert [(entry.kind, entry.state) for entry in await entries(bridge)] == [
        ("decision", "objected"),
        ("action", "done"),
    ]
    assert await answered(bridge, 1) == {"Monique Delattre": "yes"}
    (question,) = await told(bridge, "Faut-il envoyer")
    assert "> Je ferai aussi une tarte aux pommes." in body_of(question)
    assert await posts(bridge, "tarte") == []


async def test_what_came_to_the_bridge_alone_is_sent_to_everyone_by_its_authors_word_and_once(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, f"{quoted(item_of(digest, 'Goûter 1'))}\n\nJe ferai une tarte.\n", digest))
    (question,) = await told(bridge, "Faut-il envoyer")
    for number in range(2):
        await bridge.receive(reply(bridge, "Oui, merci !", question, message_id=f"oui{number}@x"))
    (post,) = await posts(bridge, "tarte")
    (before,) = await posts(bridge, "gâteau 1")
    assert (post.thread_id, post.author_name, post.side) == (before.thread_id, "Monique Delattre", "list")
    (left,) = [one for one in await bridge.list_mails() if "tarte" in body_of(one)]
    assert left["From"] == '"Monique Delattre (par la passerelle)" <passerelle@membres.lab.test>'
    assert (left["Subject"], left["In-Reply-To"]) == ("Re: Goûter 1", "<answer1@membres.lab.test>")
    shown = [one for one in await bridge.shown() if "tarte" in one["body"]]
    assert [one["body"] for one in shown] == ["Monique Delattre\xa0:\nJe ferai une tarte."]
    assert (await asks(bridge, "digest_send"))[0].about == {}
    # What the list gives back of it is our own.
    back = left.as_bytes().replace(b"MIME-Version", b"List-Id: <bureau.listes.lab.test>\r\nMIME-Version", 1)
    await bridge.receive(back)
    assert (await bridge.reasons())[-1] == "own"
    assert len(await posts(bridge, "tarte")) == 1


async def test_a_mail_to_the_list_by_an_items_address_is_placed_by_its_token(sent: Sent) -> None:
    bridge, digest = sent
    token = token_of(digest, "Goûter 1")
    written = mail("Je ferai une tarte.", subject=f"Re: Goûter 1 [{token}]", message_id="tarte@x", Date=said_at(bridge))
    await bridge.receive(written)
    (post,) = await posts(bridge, "tarte")
    (before,) = await posts(bridge, "gâteau 1")
    assert (post.thread_id, post.subject) == (before.thread_id, "goûter 1")
    # Nobody else has that token.
    stranger = mail("Moi une brioche.", subject=f"Re: Goûter 1 [{token}]", message_id="brioche@x", author=PAUL,
                    Date=said_at(bridge))  # fmt: skip
    await bridge.receive(stranger)
    (post,) = await posts(bridge, "brioche")
    assert post.thread_id != before.thread_id


async def test_who_says_that_they_come_need_not_quote_the_only_meeting(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, f"Bonjour, je viens.\nMonique\n\n{quoted(body_of(digest))}\n", digest))
    assert await answered(bridge, 1) == {"Monique Delattre": "yes"}


async def test_a_bare_yes_above_the_whole_digest_is_asked_about(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, f"oui\n\n{quoted(body_of(digest))}\n", digest))
    assert await answered(bridge, 1) == {}
    assert len(await asks(bridge, "digest_item")) == 1


# ------------------------------------------------------------ by token, by nothing


async def test_a_new_mail_with_the_token_in_its_subject_is_placed(sent: Sent) -> None:
    bridge, digest = sent
    token = token_of(digest, "Budget")
    await bridge.receive(reply(bridge, "Je ne peux pas", None, subject=f"Re: Réunion 1 : Budget de la fête [{token}]"))
    assert await answered(bridge, 1) == {"Monique Delattre": "no"}


async def test_who_names_anothers_token_is_placed_nowhere(sent: Sent) -> None:
    bridge, digest = sent
    token = token_of(digest, "affiches")
    await bridge.receive(reply(bridge, "fait", None, subject=f"Re: Action 2 [{token}]", author=PAUL))
    assert [entry.state for entry in await entries(bridge, "action")] == ["open"]
    await bridge.receive(reply(bridge, "fait", digest, author=PAUL, message_id="autre@x"))
    assert [entry.state for entry in await entries(bridge, "action")] == ["open"]


async def test_what_cannot_be_placed_is_asked_back_and_a_number_or_a_title_says_it(sent: Sent) -> None:
    bridge, digest = sent
    for number, (said, choice) in enumerate((("C'est fait !", "3"), ("Pas question.", "Goûter 2"))):
        text = f"{said}\n\nLe lundi 30 novembre 2026 à 08:00, Comité a écrit :\n{quoted(body_of(digest))}\n"
        await bridge.receive(reply(bridge, text, digest, message_id=f"libre{number}@x"))
        question = (await told(bridge, "À quel point"))[-1]
        assert f"> {said}" in body_of(question)
        assert "3. Action 2\xa0: Monique imprime les affiches" in body_of(question)
        await bridge.receive(reply(bridge, choice, question, message_id=f"choix{number}@x"))
    assert [entry.state for entry in await entries(bridge, "action")] == ["done"]
    (question,) = await told(bridge, "Faut-il envoyer")
    assert "Goûter 2" in body_of(question)
    assert [one.about for one in await asks(bridge, "digest_item")] == [{}, {}]


async def test_a_choice_that_is_none_leaves_the_words_waiting_and_none_of_these_ends_it(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, "Pas question.", digest))
    (question,) = await told(bridge, "À quel point")
    await bridge.receive(reply(bridge, "le 55", question, message_id="choix1@x"))
    assert "Répondez par un numéro entre 1 et 6" in body_of((await told(bridge, "Votre message"))[-1])
    assert (await asks(bridge, "digest_item"))[0].about["text"] == "Pas question."
    await bridge.receive(reply(bridge, "aucun", question, message_id="choix2@x"))
    assert LIST in body_of((await told(bridge, "Votre message"))[-1])
    assert (await asks(bridge, "digest_item"))[0].about == {}
    await bridge.receive(reply(bridge, "3", question, message_id="choix3@x"))
    assert "déjà" in body_of((await told(bridge, "Votre message"))[-1])
    assert [entry.state for entry in await entries(bridge, "action")] == ["open"]


async def test_coordinators_hear_after_three_days_who_was_not_understood_and_not_what_they_wrote(
    make_bridge: MakeBridge,
) -> None:
    bridge, digest = await digest_sent(make_bridge, others=1)
    await bridge.receive(reply(bridge, "Pas question.", digest))
    secret = f"{quoted(item_of(digest, 'Goûter 1'))}\nUn secret.\n"
    await bridge.receive(reply(bridge, secret, digest, message_id="b@x"))
    bridge.pass_time(days=3, seconds=1)
    assert await escalate_asks(bridge.ctx) == 2
    (again,) = await told(bridge, "Une réponse à éclaircir")
    assert "coord0@" in str(again["To"]), "not to her who was asked"
    assert "Monique Delattre a répondu à son résumé" in body_of(again)
    assert "question" not in body_of(again)
    # Words that nobody was to read are gone; those that were not placed wait for their author.
    assert [one.about for one in await asks(bridge, "digest_send")] == [{}]
    assert await told(bridge, "Faut-il envoyer") == []
    (question,) = await told(bridge, "À quel point")
    await bridge.receive(reply(bridge, "6", question, message_id="choix@x"))
    assert "Pas question." in body_of((await told(bridge, "Faut-il envoyer"))[0])
    assert await told(bridge, "À quel point") == []


# ------------------------------------------------------------ private until its author says so


async def test_non_and_nothing_send_nothing(sent: Sent) -> None:
    bridge, digest = sent
    for number, word in enumerate(("Non", "oui")):
        text = f"{quoted(item_of(digest, f'Goûter {number + 1}'))}\nMa tarte {number}.\n"
        await bridge.receive(reply(bridge, text, digest, message_id=f"tarte{number}@x"))
        question = (await told(bridge, "Faut-il envoyer"))[-1]
        if word == "oui":
            bridge.pass_time(days=3, seconds=1)
        await bridge.receive(reply(bridge, word, question, message_id=f"mot{number}@x"))
    last = [body_of(one) for one in (await told(bridge, "Votre message"))[-2:]]
    assert "Rien n’est envoyé" in last[0]
    assert "close" in last[1]
    assert await posts(bridge, "tarte") == []
    assert [one.about for one in await asks(bridge, "digest_send")] == [{}, {}]
    assert await told(bridge, "Faut-il envoyer") == []


async def test_a_forged_oui_sends_nothing_since_it_does_not_answer_the_question(sent: Sent) -> None:
    bridge, digest = sent
    text = f"{quoted(item_of(digest, 'Goûter 1'))}\nMa tarte.\n"
    await bridge.receive(reply(bridge, text, digest, proved=False))
    (question,) = await told(bridge, "Faut-il envoyer")
    assert question["To"] == "Monique Delattre <monique@membres.lab.test>"
    await bridge.receive(reply(bridge, "oui", None, message_id="faux@x", proved=False))
    await bridge.receive(reply(bridge, "oui", question, message_id="autre@x", author=PAUL))
    assert await posts(bridge, "tarte") == []


async def test_where_the_conversation_was_taken_out_nothing_is_sent(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, f"{quoted(item_of(digest, 'Goûter 1'))}\nMa tarte.\n", digest))
    (question,) = await told(bridge, "Faut-il envoyer")
    before = (await posts(bridge, "Moi, avec plaisir"))[0]
    assert before.message_id == "answer1@membres.lab.test"
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, before.id, by="Monique")
    await bridge.receive(reply(bridge, "oui", question, message_id="oui@x"))
    assert "n’est plus ouverte" in body_of((await told(bridge, "Votre message"))[-1])
    assert await posts(bridge, "tarte") == []


async def test_what_was_sent_and_is_taken_out_before_it_left_does_not_leave(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, f"{quoted(item_of(digest, 'Goûter 1'))}\nMa tarte.\n", digest))
    (question,) = await told(bridge, "Faut-il envoyer")
    await bridge.receive(reply(bridge, "oui", question, message_id="oui@x"))
    (post,) = await posts(bridge, "tarte")
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, post.id, by="Monique Delattre", is_author=True)
    rows = [row for row in await bridge.outbox() if row.post_id == post.id]
    assert {row.state for row in rows} == {"cancelled"}
    assert {row.kind for row in rows} == {"email", "event"}


async def test_more_than_a_word_about_an_entry_is_of_the_conversation_that_it_was_read_out_of(sent: Sent) -> None:
    bridge, digest = sent
    text = f"{quoted(item_of(digest, 'affiches'))}\nJe les porterai jeudi chez l'imprimeur, rue de l'Épeule.\n"
    await bridge.receive(reply(bridge, text, digest))
    assert [entry.state for entry in await entries(bridge, "action")] == ["open"]
    (question,) = await told(bridge, "Faut-il envoyer")
    await bridge.receive(reply(bridge, "oui", question, message_id="oui@x"))
    (post,), (source,) = await posts(bridge, "imprimeur"), await posts(bridge, "Décision : louer")
    assert (post.thread_id, post.parent_post_id) == (source.thread_id, source.id)


async def test_what_is_about_a_meeting_of_no_conversation_is_told_to_have_been_read_by_nobody(sent: Sent) -> None:
    bridge, digest = sent
    text = f"{quoted(item_of(digest, 'Budget'))}\nQui apporte les chaises pliantes du hangar ?\n"
    await bridge.receive(reply(bridge, text, digest))
    assert await told(bridge, "Faut-il envoyer") == []
    assert f"Pour écrire à tout le monde\xa0: {LIST}" in body_of((await told(bridge, "Votre message"))[-1])


async def test_a_line_of_the_grammar_below_a_conversation_is_noted(sent: Sent) -> None:
    bridge, digest = sent
    text = f"{quoted(item_of(digest, 'Goûter 1'))}\nInfo : la clé est chez Paul\n"
    await bridge.receive(reply(bridge, text, digest))
    assert [entry.text for entry in await entries(bridge, "info")] == ["la clé est chez Paul"]
    assert await told(bridge, "Faut-il envoyer") == []


async def test_a_word_that_begins_a_command_is_none_below_a_conversation(sent: Sent) -> None:
    bridge, digest = sent
    text = f"{quoted(item_of(digest, 'Goûter 1'))}\nRéunion lundi à 18 h pour en parler\n"
    await bridge.receive(reply(bridge, text, digest))
    (question,) = await told(bridge, "Faut-il envoyer")
    assert "> Réunion lundi à 18 h pour en parler" in body_of(question)


# ------------------------------------------------------------ how often one wants it


@pytest.mark.parametrize(("word", "rhythm"), [("stop", "off"), ("pause 2 semaines", "weekly")])
async def test_how_often_one_wants_it_is_said_in_answer_to_it_as_ever(sent: Sent, word: str, rhythm: str) -> None:
    bridge, digest = sent
    text = f"{word}\n\nLe lundi 30 novembre 2026 à 08:00, Comité a écrit :\n{quoted(body_of(digest))}\n"
    await bridge.receive(reply(bridge, text, digest))
    (one,) = await subscriptions(bridge)
    assert one.rhythm == rhythm
    assert (one.paused_until is not None) == (word != "stop")
    assert await told(bridge, "À quel point") == []


async def test_thanks_alone_are_answered_as_any_letter(sent: Sent) -> None:
    bridge, digest = sent
    await bridge.receive(reply(bridge, f"Merci !\n\n{quoted(body_of(digest))}\n", digest))
    assert await told(bridge, "À quel point") == []


# ------------------------------------------------------------ in another's name


async def asked_by_the_digest(bridge: Bridge) -> EmailMessage:
    """Monique's next digest asks her of which day she spoke."""
    (monique,) = {row.person_id for row in await subscriptions(bridge)}
    now = bridge.now()
    days = [{"day": f"2026-12-{day}", "time": ""} for day in ("12", "19")]
    async with bridge.ctx.store.write() as conn:
        await insert_ask(
            conn,
            NewAsk(
                association=bridge.link.association_name,
                link=bridge.link.name,
                kind="date",
                person_id=monique,
                about={"entry": 2, "written": "samedi", "candidates": days},
                asked_at=now,
                escalate_at=now + timedelta(days=30),
            ),
        )
    assert await ring(bridge, DIGEST_AT + timedelta(days=7)) == 1
    await all_leave(bridge)
    return [one for one in await digest_mails(bridge) if "monique@" in str(one["To"])][-1]


async def test_a_forged_answer_with_a_token_of_the_list_settles_no_question_until_its_author_says_so(
    sent: Sent,
) -> None:
    bridge = sent[0]
    digest = await asked_by_the_digest(bridge)
    found = re.search(r"- [^\[]*une question vous attend[^\[]*\[([a-z2-7]{5})\]", body_of(digest))
    assert found is not None, body_of(digest)
    forged = reply(bridge, "Le 12", None, subject=f"Re: x [{found[1]}]", message_id="forged@x", proved=False)
    await bridge.receive(forged)
    (asked,) = await asks(bridge, "date")
    assert asked.answered_at is None
    (question,) = await told(bridge, "Une demande à votre nom")
    assert "imprime les affiches : Le 12" in body_of(question).replace("\xa0", " ")
    await bridge.receive(reply(bridge, "Oui", question, message_id="vrai@x", proved=False))
    (asked,) = await asks(bridge, "date")
    assert asked.answer == "2026-12-12"


async def test_thousands_of_guessed_tokens_find_no_digest(sent: Sent) -> None:
    bridge, digest = sent
    guesses = " ".join(f"[a{2 + n % 6}bc{2 + n // 6 % 6}]" for n in range(40))
    subject = f"Re: {guesses} [{token_of(digest, 'affiches')}]"
    await bridge.receive(reply(bridge, "Qu'est-ce que c'est ?", None, subject=subject, proved=False))
    assert await asks(bridge, "digest_item") == await asks(bridge, "digest_send") == []
