"""Who acts: by mail, through the list or beside it, in the room; and how well that is proved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, UserId
from passerelle.core.links import Links
from passerelle.core.permissions import Actor, judge_act
from passerelle.flows.actors import actor_of_email, actor_of_line, actor_of_person, find_writer
from passerelle.mail.author import recover_author
from passerelle.mail.parse import parse_email
from passerelle.store.people import find_or_insert_person
from tests.flows.bridge import BRIDGE, MONIQUE, Bridge, MakeBridge, mail

SERVER = "mail.membres.lab.test"
PAUL = "Paul Lefebvre <couple@poste.example>"
ANNIE = "Annie Lefebvre <couple@poste.example>"
VOUCHED = f"{SERVER}; dmarc=pass header.from=poste.example"
LIST_VOUCHED = f"{SERVER}; dkim=pass header.d=listes.lab.test; dmarc=fail header.from=poste.example"


def believing(bridge: Bridge, authserv_id: str | None = SERVER) -> Bridge:
    """The same bridge, whose receiving server is known by name."""
    boxes = tuple(box.model_copy(update={"authserv_id": authserv_id}) for box in bridge.ctx.settings.mailboxes)
    settings = bridge.ctx.settings.model_copy(update={"mailboxes": boxes})
    bridge.ctx = replace(bridge.ctx, settings=settings, links=Links(settings))
    bridge.__post_init__()
    return bridge


def letter(author: str, *, results: str = "", through_list: bool = False, **fields: str) -> bytes:
    place: dict[str, Any] = {} if through_list else {"to": BRIDGE, "list_id": None}
    raw = mail("adopter 1", author=author, message_id="acte@x", **place, **fields)
    return (f"Authentication-Results: {results}\r\n".encode() if results else b"") + raw


async def actor_of(bridge: Bridge, author: str, *, through_list: bool = False, **more: str) -> Actor:
    email = parse_email(letter(author, through_list=through_list, **more))
    lists = bridge.link.list_addresses if through_list else frozenset()
    found = recover_author(email, list_addresses=lists)
    assert found is not None
    async with bridge.ctx.store.write() as conn:
        return await actor_of_email(bridge.ctx, conn, bridge.link, email, found, through_list=through_list)


async def known(bridge: Bridge, *authors: str) -> None:
    """These have written to the list."""
    for number, author in enumerate(authors):
        await bridge.receive(mail("Bonjour", author=author, message_id=f"bonjour{number}@x", subject=f"Mot {number}"))


async def test_someone_who_writes_to_the_bridge(bridge: Bridge) -> None:
    believing(bridge)
    await known(bridge, PAUL)
    paul = await actor_of(bridge, PAUL, results=VOUCHED)
    assert (paul.name, paul.address, paul.medium) == ("Paul Lefebvre", "couple@poste.example", "mail")
    assert paul.is_participant
    assert not paul.is_coordinator
    assert paul.proof == "author"
    for results in ("", f"{SERVER}; none", "mail.mechant.example; dmarc=pass header.from=poste.example"):
        assert (await actor_of(bridge, PAUL, results=results)).proof == "none"


async def test_without_a_server_that_is_known_by_name_nothing_is_proved(bridge: Bridge) -> None:
    await known(bridge, PAUL)
    assert (await actor_of(bridge, PAUL, results=VOUCHED)).proof == "none"
    assert (await actor_of(bridge, PAUL, results=LIST_VOUCHED, through_list=True)).proof == "none"


async def test_through_the_list(bridge: Bridge) -> None:
    believing(bridge)
    await known(bridge, PAUL)
    assert (await actor_of(bridge, PAUL, results=LIST_VOUCHED, through_list=True)).proof == "list"
    assert (await actor_of(bridge, PAUL, results=VOUCHED, through_list=True)).proof == "author"
    beside = await actor_of(bridge, PAUL, results=LIST_VOUCHED)
    assert beside.proof == "none", "what vouches for the list says nothing of a mail that did not pass through it"


async def test_who_stands_in_the_place_of_the_list_is_as_good_as_the_list(bridge: Bridge) -> None:
    """Mailman writes itself into From for DMARC's sake: that proves the list, whoever stands in Reply-To."""
    believing(bridge)
    await known(bridge, PAUL)
    munged = "Paul Lefebvre via Bureau <bureau@listes.lab.test>"
    results = f"{SERVER}; dmarc=pass header.from=listes.lab.test"
    paul = await actor_of(bridge, munged, results=results, through_list=True, Reply_To=PAUL)
    assert (paul.name, paul.proof, paul.is_participant) == ("Paul Lefebvre", "list", True)
    nameless = await actor_of(bridge, munged, results=results, through_list=True)
    assert (nameless.person_id, nameless.name, nameless.proof) == (None, "Paul Lefebvre", "list")
    assert nameless.is_participant, "the list took it for one of its members'"
    assert judge_act("note", nameless, bridge.link.association.permissions) == "allowed"
    assert judge_act("move", nameless, bridge.link.association.permissions) == "refused"


async def test_what_vouches_for_from_says_nothing_of_an_author_found_elsewhere(bridge: Bridge) -> None:
    believing(bridge)
    await known(bridge, PAUL)
    forwarded = await actor_of(
        bridge,
        "Paul via Autre <autre@mechant.example>",
        results=f"{SERVER}; dmarc=pass header.from=mechant.example",
        List_Id="<autre.mechant.example>",
        Reply_To=PAUL,
    )
    assert (forwarded.address, forwarded.proof) == ("couple@poste.example", "none")


@pytest.mark.parametrize(
    ("date", "proof"),
    [
        ("Tue, 17 Nov 2026 10:00:00 +0000", "author"),
        ("Sat, 14 Nov 2026 18:00:00 +0100", "author"),
        ("Sat, 14 Nov 2026 10:00:00 +0100", "none"),
        ("Sun, 22 Nov 2026 10:00:00 +0100", "none"),
        ("hier", "none"),
    ],
)
async def test_an_old_mail_sent_once_more_proves_nothing(bridge: Bridge, date: str, proof: str) -> None:
    """Its signature is still good."""
    believing(bridge)
    await known(bridge, PAUL)
    assert (await actor_of(bridge, PAUL, results=VOUCHED, Date=date)).proof == proof


async def test_a_shared_address_needs_the_name_to_agree(bridge: Bridge) -> None:
    believing(bridge)
    await known(bridge, PAUL, ANNIE)
    for author, name in ((PAUL, "Paul Lefebvre"), (ANNIE, "Annie Lefebvre"), ("Annie <couple@poste.example>", None)):
        found = await actor_of(bridge, author, results=VOUCHED)
        assert found.name == (name or "Annie Lefebvre")
        assert found.person_id is not None
    for unclear in ("Lefebvre <couple@poste.example>", "couple@poste.example", "Léa <couple@poste.example>"):
        found = await actor_of(bridge, unclear, results=VOUCHED)
        assert (found.person_id, found.address, found.is_participant) == (None, None, False)


async def test_a_shared_address_makes_nobody_a_coordinator_without_the_name(make_bridge: MakeBridge) -> None:
    bridge = believing(await make_bridge(coordinators=[{"name": "Paul", "address": "couple@poste.example"}]))
    await known(bridge, PAUL, ANNIE)
    assert (await actor_of(bridge, PAUL, results=VOUCHED)).is_coordinator
    assert not (await actor_of(bridge, ANNIE, results=VOUCHED)).is_coordinator
    assert not (await actor_of(bridge, "couple@poste.example", results=VOUCHED)).is_coordinator


async def test_a_stranger(bridge: Bridge) -> None:
    believing(bridge)
    stranger = await actor_of(bridge, "Zoé <zoe@poste.example>", results=VOUCHED)
    assert (stranger.person_id, stranger.address, stranger.is_participant) == (None, None, False)
    assert stranger.proof == "author"
    assert judge_act("note", stranger, bridge.link.association.permissions) == "refused"


async def test_a_coordinator_who_never_wrote(bridge: Bridge) -> None:
    monique = await actor_of(bridge, f"M. Delattre <{MONIQUE['address'].upper()}>")
    assert (monique.person_id, monique.is_coordinator, monique.proof) == (None, True, "none")
    assert (monique.name, monique.address) == (MONIQUE["name"], MONIQUE["address"])


async def test_case_of_letters_does_not_make_another_person(bridge: Bridge) -> None:
    believing(bridge)
    await known(bridge, PAUL)
    found = await actor_of(bridge, "Paul <Couple@Poste.Example>", results=VOUCHED)
    assert (found.address, found.proof) == ("couple@poste.example", "author")


async def test_in_the_room_the_homeserver_vouches(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    async with bridge.ctx.store.write() as conn:
        lea = await actor_of_line(bridge.ctx, conn, bridge.link, UserId("@lea:lab.test"))
        karim = await actor_of_line(bridge.ctx, conn, bridge.link, UserId("@karim:lab.test"))
        gone = await actor_of_line(bridge.ctx, conn, bridge.link, UserId("@zoe:lab.test"))
    assert (lea.name, lea.user_id, lea.proof, lea.medium) == ("Léa", "@lea:lab.test", "room", "room")
    assert lea.person_id is not None
    assert lea.is_participant
    assert (karim.name, karim.person_id, karim.is_participant) == ("Karim", None, True), "who has not spoken yet"
    assert (gone.person_id, gone.is_participant) == (None, False)


async def test_a_coordinator_in_the_room_who_never_spoke(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(
        coordinators=[{"name": "Karim", "matrix": "@karim:lab.test", "address": "karim@poste.example"}]
    )
    async with bridge.ctx.store.write() as conn:
        karim = await actor_of_line(bridge.ctx, conn, bridge.link, UserId("@karim:lab.test"))
        lea = await actor_of_line(bridge.ctx, conn, bridge.link, UserId("@lea:lab.test"))
    assert (karim.is_coordinator, karim.address) == (True, "karim@poste.example")
    assert not lea.is_coordinator


async def test_one_person_on_both_sides(bridge: Bridge) -> None:
    believing(bridge)
    async with bridge.ctx.store.write() as conn:
        person_id = await find_or_insert_person(
            conn,
            bridge.link.association_name,
            name="Léa",
            address=MailAddress("lea@poste.example"),
            user_id=UserId("@lea:lab.test"),
            now=bridge.now(),
        )
        line = await actor_of_line(bridge.ctx, conn, bridge.link, UserId("@lea:lab.test"))
        web = await actor_of_person(bridge.ctx, conn, bridge.link, person_id, medium="web", proof="session")
        nobody = await actor_of_person(bridge.ctx, conn, bridge.link, 4711, medium="web", proof="session")
    written = await actor_of(bridge, "Léa <lea@poste.example>", results=VOUCHED)
    assert line.person_id == written.person_id == person_id
    assert line.address == "lea@poste.example"
    assert web == replace(line, medium="web", proof="session", user_id=None)
    assert nobody is None


@pytest.mark.parametrize("name", ["", "   ", "Annie Lefebvre Paul"])
async def test_a_name_that_says_nothing_picks_nobody_of_a_shared_address(bridge: Bridge, name: str) -> None:
    await known(bridge, PAUL, ANNIE)
    async with bridge.ctx.store.read() as conn:
        author = Mailbox(name=name, address=MailAddress("couple@poste.example"))
        assert await find_writer(conn, bridge.link.association_name, author) is None
