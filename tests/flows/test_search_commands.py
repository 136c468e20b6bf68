"""Searches from the room and by mail: obeyed, answered to whom they concern, never relayed nor archived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.core.archive_settings import WebSettings
from passerelle.core.email import Email
from passerelle.core.ids import LinkName, MailAddress
from passerelle.core.model import NewPost, RoomFacts, Side
from passerelle.flows.search_commands import SEARCHES_AN_HOUR, SHOWN, search_for_room, search_of_email
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.store.posts import insert_post
from passerelle.store.rooms import put_room_facts
from passerelle.store.threads import insert_thread
from tests.flows.bridge import BRIDGE, ROOM, Bridge, MakeBridge, body_of, mail

MONIQUE = "Monique Delattre <monique@membres.lab.test>"


def letter(subject: str, body: str = "", *, author: str = MONIQUE, **fields: str) -> bytes:
    """An email to the bridge's own address."""
    raw = mail(body, author=author, message_id="cherche@x", to=BRIDGE, list_id=None, **fields)
    return raw.replace(b"Subject: [bureau] Loto du quartier", f"Subject: {subject}".encode())


async def notices(bridge: Bridge) -> list[dict[str, Any]]:
    """What the bot says in the room that is no post."""
    rows = [row for row in await bridge.outbox("event") if row.post_id is None]
    return [dict(row.content or {}) for row in rows if row.unique_key.startswith("search:")]


async def private_messages(bridge: Bridge) -> list[tuple[str | None, str]]:
    rows = [row for row in await bridge.outbox("direct") if row.unique_key.startswith("search:")]
    return [(row.recipient, str((row.content or {})["body"])) for row in rows]


async def letters(bridge: Bridge) -> list[EmailMessage]:
    found = await bridge.personal_mails()
    return [one for one in found if "recherche" in str(one["Subject"])]


async def count_posts(bridge: Bridge) -> int:
    async with bridge.ctx.store.read() as conn:
        return int((await conn.execute(text("SELECT count(*) FROM post"))).scalar_one())


@pytest.fixture
async def talk(bridge: Bridge) -> Bridge:
    """A list and a room in which something was said."""
    await bridge.receive(mail("Les réunions du loto auront lieu à l’Épeule.", message_id="un@x"))
    await bridge.receive(mail("La tombola est annulée.", subject="Tombola", message_id="deux@x"))
    await bridge.say("Qui apporte le cœur en carton pour le loto ?")
    await bridge.settle()
    return bridge


# ---------------------------------------------------------------- in the room


async def test_a_search_in_the_room_is_answered_there(talk: Bridge) -> None:
    asked = await talk.say("!cherche reunion de:monique")
    (found,) = await notices(talk)
    assert found["msgtype"] == "m.notice"
    assert found["m.relates_to"] == {"m.in_reply_to": {"event_id": asked}}
    lines = found["body"].splitlines()
    assert lines[0] == "Recherche\u00a0: «\u00a0reunion\u00a0», écrit par monique."
    assert lines[1] == "1 message\u00a0:"
    assert lines[2].startswith("1. Loto du quartier, Monique Delattre, 17 novembre 2026")
    assert len(lines) <= 12


async def test_an_answer_in_the_room_has_twelve_lines_at_the_most(talk: Bridge) -> None:
    web = WebSettings(url="https://archives.lab.test/")
    settings = talk.ctx.settings.model_copy(update={"web": web})
    for number in range(9):
        await talk.receive(mail("Le loto", subject=f"Loto {number} {'très long ' * 30}", message_id=f"{number}@x"))
    ctx = replace(talk.ctx, settings=settings)
    answer = await search_for_room(ctx, talk.link, "loto")
    body = ctx.renderer(talk.link.association).render("room/search_found", **answer.variables)
    assert (answer.total, len(answer.found)) == (11, SHOWN)
    assert len(body.strip().splitlines()) == 12
    assert all(shown.url.startswith("https://archives.lab.test/epeule/p/") for shown in answer.found)
    assert all(len(line) < 160 for line in body.splitlines())


async def test_a_search_leaves_no_trace_but_its_answer(talk: Bridge) -> None:
    posts, mails = await count_posts(talk), len(await talk.list_mails())
    await talk.say("!Chercher cœur")
    await talk.say("!search coeur", sender="@karim:lab.test")
    assert await count_posts(talk) == posts
    assert len(await talk.settle()) == mails
    assert (await talk.reasons())[-2:] == ["search", "search"]
    async with talk.ctx.store.read() as conn:
        kept = (await conn.execute(text("SELECT raw_hash FROM inbox WHERE reason = 'search'"))).scalars().all()
    assert kept == [None, None]


async def test_what_was_said_just_now_is_found_on_both_sides(talk: Bridge) -> None:
    await talk.say("!cherche loto")
    (found,) = await notices(talk)
    assert "2 messages" in found["body"]
    assert "Léa" in found["body"]
    assert "Monique Delattre" in found["body"]


async def test_a_search_in_a_thread_is_answered_in_it(talk: Bridge) -> None:
    root = await talk.say("Une autre conversation")
    relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}
    asked = await talk.say("!cherche tombola", **{"m.relates_to": relation})
    (found,) = await notices(talk)
    assert found["m.relates_to"] == {
        "rel_type": "m.thread", "event_id": root, "is_falling_back": False, "m.in_reply_to": {"event_id": asked},
    }  # fmt: skip


async def test_nothing_found_is_said(talk: Bridge) -> None:
    await talk.say("!cherche hippopotame")
    (found,) = await notices(talk)
    assert found["body"].startswith("Nous n’avons rien trouvé\u00a0: «\u00a0hippopotame\u00a0».")


@pytest.mark.parametrize(
    ("typed", "sentence", "suggestion"),
    [
        ("!cherche obget:budget", "Nous ne connaissons pas «\u00a0obget:\u00a0».", "objet:budget"),
        ("!cherche avant:tantôt loto", "Nous ne comprenons pas la date «\u00a0tantôt\u00a0».", "loto"),
        ("!cherche dans:buros", "Nous ne trouvons ni liste ni salon du nom de «\u00a0buros\u00a0».", 'dans:"bureau"'),
        ("!cherche", "Écrivez après «\u00a0cherche\u00a0» ce que vous cherchez.", ""),
    ],
)
async def test_a_wrong_search_is_explained_to_its_author_alone(
    talk: Bridge, typed: str, sentence: str, suggestion: str
) -> None:
    await talk.say(typed)
    assert await notices(talk) == []
    ((to, words),) = await private_messages(talk)
    assert to == "@lea:lab.test"
    assert words.splitlines()[0] == sentence
    assert words.splitlines()[1:] == ([f"Essayez\u00a0: !cherche {suggestion}"] if suggestion else [])


async def test_before_consent_nothing_is_answered(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(confirmed=False)
    await bridge.say("!cherche loto")
    assert await notices(bridge) == []


async def test_a_bot_is_not_answered(talk: Bridge) -> None:
    await talk.happen(talk.event("@robot:lab.test", {"msgtype": "m.notice", "body": "!cherche loto"}))
    assert await notices(talk) == []


async def test_a_line_that_only_looks_like_a_search_is_a_line(talk: Bridge) -> None:
    posts = await count_posts(talk)
    await talk.say("! cherche loto")
    await talk.say("On cherche !cherche loto")
    assert await count_posts(talk) == posts + 2


async def test_a_search_of_yesterday_is_not_answered(talk: Bridge) -> None:
    late = talk.event("@lea:lab.test", {"msgtype": "m.text", "body": "!cherche loto"})
    talk.pass_time(hours=3)
    await talk.happen(late)
    assert await notices(talk) == []
    assert (await talk.reasons())[-1] == "search_too_late"


async def test_who_searches_too_often_is_not_answered_any_more(talk: Bridge) -> None:
    for _ in range(SEARCHES_AN_HOUR + 3):
        await talk.say("!cherche loto")
    assert len(await notices(talk)) == SEARCHES_AN_HOUR
    await talk.say("!cherche loto", sender="@karim:lab.test")
    assert len(await notices(talk)) == SEARCHES_AN_HOUR + 1
    talk.pass_time(hours=2)
    await talk.say("!cherche loto")
    assert len(await notices(talk)) == SEARCHES_AN_HOUR + 2


async def test_what_was_taken_back_is_not_found(talk: Bridge) -> None:
    said = await talk.say("Le mot de passe est libellule")
    await talk.happen(talk.event("@lea:lab.test", {"redacts": said}, "m.room.redaction", redacts=said))
    await talk.say("!cherche libellule", sender="@karim:lab.test")
    (found,) = await notices(talk)
    assert "rien trouvé" in found["body"]


# ---------------------------------------------------------------- who may read what


async def import_past(bridge: Bridge, words: str, *, side: Side = "list", link: str = "bureau") -> None:
    """Something that was said before the bridge was there, or on another link."""
    at = bridge.now() - timedelta(days=400)
    association = bridge.link.association_name
    async with bridge.ctx.store.write() as conn:
        new = NewPost(
            association=association, link=LinkName(link), side=side, content_hash=words, author_name="Paul",
            thread_id=await insert_thread(conn, association, words, at), said_at=at, accepted_at=at, text=words,
            origin="import" if link == "bureau" else "live", permalink="abcdefgh2345",
        )  # fmt: skip
        await insert_post(conn, new)


async def test_the_past_of_the_list_is_not_read_in_the_room(talk: Bridge) -> None:
    await import_past(talk, "Un vieux loto de la liste")
    await talk.say("!cherche vieux")
    (found,) = await notices(talk)
    assert "rien trouvé" in found["body"]
    await talk.receive(letter("cherche vieux"))
    (answer,) = await letters(talk)
    assert "Un vieux loto de la liste" in body_of(answer)


@pytest.mark.parametrize(("visibility", "is_found"), [("shared", True), ("joined", False), ("", False)])
async def test_the_past_of_the_room_is_read_there_where_newcomers_read_it(
    talk: Bridge, visibility: str, is_found: bool
) -> None:
    await import_past(talk, "Un vieux loto du salon", side="room")
    async with talk.ctx.store.write() as conn:
        await put_room_facts(conn, RoomFacts(room_id=ROOM, history_visibility=visibility), talk.now())
    await talk.say("!cherche vieux")
    (found,) = await notices(talk)
    assert ("1. Dans le salon, Paul, 13 octobre 2025" in found["body"]) is is_found


async def test_another_link_is_not_read_in_the_room(talk: Bridge) -> None:
    await import_past(talk, "Le secret du conseil", link="conseil")
    await talk.say("!cherche secret")
    (found,) = await notices(talk)
    assert "rien trouvé" in found["body"]


async def test_a_shared_address_gets_what_the_one_reads_whose_name_it_bears(talk: Bridge) -> None:
    couple = MailAddress("paul.et.annie@membres.lab.test")
    association, now = talk.link.association_name, talk.now()
    async with talk.ctx.store.write() as conn:
        paul = await find_or_insert_person(conn, association, name="Paul", address=couple, now=now)
        annie = await find_or_insert_person(conn, association, name="Annie", address=couple, now=now)
        await note_participant(conn, association, talk.link.name, paul, "list", now)
    assert paul != annie
    await talk.receive(letter("cherche loto", author=f"Paul Martin <{couple}>"))
    await talk.receive(letter("cherche tombola", author=f"Annie <{couple}>"))
    first, second = await letters(talk)
    assert "2 messages" in body_of(first)
    assert "1 message" in body_of(second)  # of the two only Paul takes part: whoever writes, nobody else reads


# ---------------------------------------------------------------- by mail


async def test_a_search_by_mail_is_answered_to_its_writer_alone(talk: Bridge) -> None:
    shown, said = await talk.shown(), await notices(talk)
    await talk.receive(letter("cherche loto", author="MONIQUE <Monique@membres.lab.test>"))
    (answer,) = await letters(talk)
    assert answer["To"].addresses[0].addr_spec == "monique@membres.lab.test"  # type: ignore[attr-defined]
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["In-Reply-To"] == "<cherche@x>"
    assert answer["Subject"] == "Votre recherche\u00a0: loto"
    body = body_of(answer)
    assert "Nous avons trouvé 2 messages." in body
    assert "Les réunions du loto auront lieu" in body
    assert "cœur en carton" in body
    assert (await talk.reasons())[-1] == "search"
    assert (await talk.shown(), await notices(talk)) == (shown, said)


async def test_a_search_by_mail_is_neither_relayed_nor_kept(talk: Bridge) -> None:
    posts, shown = await count_posts(talk), len(await talk.shown())
    await talk.receive(letter("Cherche : tombola"))
    assert (await count_posts(talk), len(await talk.shown())) == (posts, shown)
    async with talk.ctx.store.read() as conn:
        kept = (await conn.execute(text("SELECT raw_hash FROM inbox WHERE reason = 'search'"))).scalars().all()
    assert kept == [None]


async def test_an_unknown_address_gets_the_usual_answer(talk: Bridge) -> None:
    await talk.receive(letter("cherche loto", author="Inconnue <inconnue@ailleurs.test>"))
    assert await letters(talk) == []
    assert (await talk.reasons())[-1] == "to_the_bridge"
    usual = [m for m in await talk.personal_mails() if "inconnue@ailleurs.test" in str(m["To"])]
    assert len(usual) == 1
    assert "réunions" not in body_of(usual[0])


async def test_a_wrong_search_by_mail_is_answered_with_the_nearest_right_one(talk: Bridge) -> None:
    await talk.receive(letter("cherche obget:loto"))
    (answer,) = await letters(talk)
    assert "Nous ne connaissons pas «\u00a0obget:\u00a0»." in body_of(answer)
    assert "cherche objet:loto" in body_of(answer)
    assert (await talk.reasons())[-1] == "search_wrong"


async def test_a_robot_gets_no_answer(talk: Bridge) -> None:
    await talk.receive(letter("cherche loto", Auto_Submitted="auto-replied"))
    assert await letters(talk) == []


async def test_a_search_sent_to_the_list_is_a_mail_like_any_other(talk: Bridge) -> None:
    posts = await count_posts(talk)
    await talk.receive(mail("Un appartement", subject="cherche appartement", message_id="trois@x"))
    assert await count_posts(talk) == posts + 1
    assert await letters(talk) == []


@pytest.mark.parametrize(
    ("subject", "body", "asked"),
    [
        ("cherche loto", "", "loto"),
        ("Cherche : fête des voisins", "", "fête des voisins"),
        ("CHERCHE\u00a0: loto", "", "loto"),
        ("search party", "", "party"),
        ("cherche", "\n\n  loto du quartier\nMonique", "loto du quartier"),
        ("recherche:loto", "", "loto"),
        ("cherche", "", ""),
        ("Re: cherche loto", "", None),
        ("Chercheuse", "", None),
        ("", "Bonjour,\ncherche loto", "loto"),
        ("!cherche loto", "", "loto"),
        ("Loto", "Qui cherche le loto ?", None),
    ],
)
def test_what_a_mail_asks(subject: str, body: str, asked: str | None) -> None:
    assert search_of_email(Email(message_id=None, subject=subject, text=body)) == asked
