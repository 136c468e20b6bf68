"""A forged mail can decide nothing: in a coordinator's name, with all that a stranger can write into a mail.

The association's server is known by name. What stands above `HOP` it wrote itself; what stands below, the stranger.
"""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import text as text_of

from passerelle.core.email import Email, Mailbox
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import MoveName
from passerelle.flows.actors import actor_of_email
from passerelle.flows.confirm_act import CONFIRM_ACT_KEY, Confirmed, Unconfirmed, ask_to_confirm, take_confirmation
from passerelle.flows.outcome import Outcome
from passerelle.flows.privacy_mail import Letter
from passerelle.flows.register_acts import Wish, change_entry
from passerelle.flows.register_notice import next_telling_at, tell_entries
from passerelle.flows.said import Said
from passerelle.mail.author import recover_author
from passerelle.mail.parse import parse_email
from passerelle.store.outbox import list_outbox, mark_sent
from passerelle.store.register_history import list_objections
from passerelle.store.register_lists import EntryFilter, list_entries
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, mail
from tests.flows.test_actors import believing

SERVER = "mail.membres.lab.test"
MONIQUE = "Monique Delattre <monique@poste.example>"
COORDINATOR = {"name": "Monique", "address": "monique@poste.example"}
HOP = f"Received: from smtp.mechant.example (unknown [192.0.2.66]) by {SERVER} (Postfix) with ESMTP id 1\r\n"
FIELD = f"Authentication-Results: {SERVER}; "
TRUE = f"{FIELD}dmarc=pass header.from=poste.example\r\n{HOP}"
LIST = f"{FIELD}dkim=pass header.d=listes.lab.test; dmarc=fail header.from=poste.example\r\n{HOP}"
PASS = f"{FIELD}dmarc=pass header.from=poste.example\r\n"

#: What stands above a mail that says that it is Monique's.
FORGED = {
    "nothing": "",
    "a hop": HOP,
    "their own server's word": f"{PASS.replace(SERVER, 'mail.mechant.example')}{HOP}",
    "our server's word, below its own": f"{FIELD}spf=none smtp.mailfrom=x@mechant.example\r\n{HOP}{PASS}",
    "our server's word, beside its own": f"{FIELD}dkim=none\r\n{PASS}{HOP}",
    "our server's word, below a foreign hop": (
        f"{HOP}Received: from x by smtp.mechant.example with ESMTP id 2\r\n{PASS}"
    ),
    "DMARC failed": f"{FIELD}dkim=pass header.d=poste.example; dmarc=fail header.from=poste.example\r\n{HOP}",
    "their own signature": f"{FIELD}dkim=pass header.d=mechant.example; spf=pass smtp.mailfrom=x@mechant.example\r\n"
    + HOP,
    "a reverse path that bears a result": (
        f'{FIELD}spf=pass smtp.mailfrom="x; dmarc=pass header.from=poste.example; y"@mechant.example\r\n{HOP}'
    ),
    "a HELO that bears a result": (
        f"{FIELD}spf=none (helo=x) ; dmarc=pass header.from=poste.example (; receiver=y)\r\n{HOP}"
    ),
    "a sealed chain of theirs": f"{FIELD}arc=pass\r\n{HOP}ARC-Seal: i=1; d=mechant.example\r\n",
    "an ARC field of ours": f"{HOP}ARC-Authentication-Results: i=1; {SERVER}; dmarc=pass header.from=poste.example\r\n",
}
DECIDES: tuple[MoveName, ...] = ("adopt", "drop", "replace", "review")


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """Monique coordinates and has written; Léa proposed a decision, and its delay is over."""
    bridge: Bridge = believing(await make_bridge(coordinators=[COORDINATOR]))
    await bridge.receive(mail("Bonjour à tous", author=MONIQUE, message_id="bonjour@x"))
    await bridge.say("décision : louer la salle des fêtes")
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = max(bridge.now(), due_at)
    await tell_entries(bridge.ctx)
    await bridge.deliver_events()
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10_000):
            await mark_sent(conn, row.id, bridge.now())
    await tell_entries(bridge.ctx)
    bridge.pass_time(days=8)
    return bridge


async def decision(bridge: Bridge) -> Entry:
    async with bridge.ctx.store.read() as conn:
        (entry,) = await list_entries(conn, bridge.link.association_name, EntryFilter(), order="number")
    return entry


def letter(bridge: Bridge, header: str, *, author: str = MONIQUE, through_list: bool = False) -> Email:
    place: dict[str, Any] = {} if through_list else {"to": BRIDGE, "list_id": None}
    date = bridge.now().strftime("%a, %d %b %Y %H:%M:%S +0000")
    raw = mail("adopter 1", author=author, message_id="acte@x", Date=date, **place)
    return parse_email(header.encode() + raw)


async def do(bridge: Bridge, email: Email, move: MoveName = "adopt", *, through_list: bool = False) -> Outcome:
    """What comes of a mail that wants this move of the decision."""
    author = recover_author(email, list_addresses=bridge.link.list_addresses if through_list else frozenset())
    assert author is not None
    entry = await decision(bridge)
    async with bridge.ctx.store.write() as conn:
        actor = await actor_of_email(bridge.ctx, conn, bridge.link, email, author, through_list=through_list)
        said = Said(
            link=bridge.link, actor=actor, text="adopter 1", said_at=bridge.now(), key="x", email=email, author=author
        )
        return await change_entry(bridge.ctx, conn, said, entry, Wish(name=move))


async def test_the_true_one_decides(group: Bridge) -> None:
    assert (await do(group, letter(group, TRUE))).reason == "adopt"
    assert (await decision(group)).state == "adopted"


@pytest.mark.parametrize("through_list", [False, True])
@pytest.mark.parametrize("move", DECIDES)
async def test_a_forged_one_decides_nothing(group: Bridge, move: MoveName, through_list: bool) -> None:
    before = await decision(group)
    for name, header in FORGED.items():
        outcome = await do(group, letter(group, header, through_list=through_list), move, through_list=through_list)
        assert outcome.reason in ("confirm", "refused"), (name, outcome)
    assert await decision(group) == before


AUTHORS = {
    "two": "monique@poste.example, x@mechant.example",
    "in the name": '"monique@poste.example" <x@mechant.example>',
    "a group": "Bureau: monique@poste.example;",
    "alike": "Monique Delattre <monique@p\u043este.example>",
    "below": "Monique Delattre <monique@mechant.poste.example>",
    "by the list's hand": "Monique Delattre via Bureau <bureau@listes.lab.test>",
}


@pytest.mark.parametrize("through_list", [False, True])
async def test_an_author_who_is_and_is_not_monique_decides_nothing(group: Bridge, through_list: bool) -> None:
    """Their own server vouches for them, as well as any can."""
    place: dict[str, Any] = {} if through_list else {"to": BRIDGE, "list_id": None}
    for name, author in AUTHORS.items():
        domain = "mechant.poste.example" if name == "below" else "mechant.example"
        vouched = f"{FIELD}dkim=pass header.d={domain}; dmarc=pass header.from={domain}\r\n{HOP}"
        for header in (vouched, f"{FIELD}dmarc=pass header.from=listes.lab.test\r\n{HOP}"):
            raw = mail("adopter 1", message_id="acte@x", **place)
            raw = raw.replace(b"From: Monique Delattre <monique@membres.lab.test>", f"From: {author}".encode())
            assert author.encode() in raw
            outcome = await do(group, parse_email(header.encode() + raw), through_list=through_list)
            assert outcome.reason in ("confirm", "refused"), (name, outcome)
    assert (await decision(group)).state == "proposed"


async def test_through_the_list_monique_proposes_and_confirms(group: Bridge) -> None:
    """The list broke her signature: the very same mail could be anybody's who may write to the list."""
    email = letter(group, LIST, through_list=True)
    assert (await do(group, email, through_list=True)).reason == "confirm"
    assert (await decision(group)).state == "proposed"
    author = Mailbox(name="Monique Delattre", address=email.from_[0].address)
    async with group.ctx.store.write() as conn:
        actor = await actor_of_email(group.ctx, conn, group.link, email, author, through_list=True)
        act = Unconfirmed(link=group.link, actor=actor, words="adopter la décision 1", command={"adopt": [1]})
        assert await ask_to_confirm(group.ctx, conn, act, email=email) == "asked"
    (row,) = [row for row in await group.outbox("email") if row.unique_key.startswith(CONFIRM_ACT_KEY)]
    question = message_from_bytes(await group.raw_of(row), policy=policy.default)
    asked = str(question["Message-ID"]).strip("<>")
    for header, answering in (("", ()), (PASS, ("acte@x",)), ("", (f"{asked}x",))):
        assert await _answer(group, header, *answering) is None, "who has not read the question"
    confirmed = await _answer(group, "", asked)
    assert isinstance(confirmed, Confirmed)
    entry = await decision(group)
    async with group.ctx.store.write() as conn:
        said = Said(link=group.link, actor=confirmed.actor, text="adopter 1", said_at=group.now(), key="y")
        assert (await change_entry(group.ctx, conn, said, entry, Wish(name="adopt"))).reason == "adopt"
    assert (await decision(group)).state == "adopted"
    assert await _answer(group, "", asked) != confirmed, "once"


async def _answer(bridge: Bridge, header: str, *answering: str) -> Any:
    raw = mail("oui", author=MONIQUE, to=BRIDGE, list_id=None, message_id="oui@x", answering=answering)
    email = parse_email(header.encode() + raw)
    async with bridge.ctx.store.write() as conn:
        return await take_confirmation(bridge.ctx, conn, Letter(email=email, author=email.from_[0]))


# ---------------------------------------------------------------- the whole way: mails that arrive


async def arrive(bridge: Bridge, header: str, text: str, *, through_list: bool = False, **more: Any) -> str:
    """A mail comes in; why it ended."""
    place: dict[str, Any] = {} if through_list else {"to": BRIDGE, "list_id": None}
    more.setdefault("Date", bridge.now().strftime("%a, %d %b %Y %H:%M:%S +0000"))
    number = next(bridge.events)
    raw = mail(text, author=MONIQUE, message_id=f"arrive{number}@x", **{**place, **more})
    await bridge.receive(header.encode() + raw.replace(b"Subject: [bureau] ", b"Subject: "))
    return (await bridge.reasons())[-1]


async def questions(bridge: Bridge) -> list[tuple[str, str]]:
    """What was asked back of Monique: the Message-ID and the words of each question."""
    found = []
    for row in await bridge.outbox("email"):
        if row.unique_key.startswith(CONFIRM_ACT_KEY):
            assert row.recipient == "monique@poste.example"
            made = message_from_bytes(await bridge.raw_of(row), policy=policy.default)
            found.append((str(made["Message-ID"]).strip("<>"), " ".join(str(made.get_content()).split())))
    return found


#: A command in the text, in the subject, and an answer to what the list was told, whose Message-ID everybody has.
WAYS: dict[str, dict[str, str]] = {
    "text": {"text": "adopter 1"},
    "subject": {"text": "Bonjour", "subject": "adopter 1"},
    "answer": {"text": "adoptée"},
}


async def way(bridge: Bridge, header: str, name: str, *, through_list: bool) -> str:
    more: dict[str, Any] = dict(WAYS[name])
    if name == "answer":
        rows = [row for row in await bridge.outbox("email") if "/notice/" in row.unique_key]
        more["answering"] = (str(rows[0].message_id),)
    return await arrive(bridge, header, more.pop("text"), through_list=through_list, **more)


@pytest.mark.parametrize("name", WAYS)
async def test_the_true_one_decides_all_the_way(group: Bridge, name: str) -> None:
    await way(group, TRUE, name, through_list=False)
    assert (await decision(group)).state == "adopted"


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("through_list", [False, True])
async def test_a_forged_one_decides_nothing_all_the_way(group: Bridge, name: str, through_list: bool) -> None:
    before = await decision(group)
    for header in (*FORGED.values(), LIST) if through_list else FORGED.values():
        await way(group, header, name, through_list=through_list)
    assert await decision(group) == before
    asked = await questions(group)
    assert len(asked) <= 5, "however many come"
    for guess in ("arrive1@x", "x@x"):
        await arrive(group, "", "oui", answering=(guess,))
    assert await decision(group) == before


@pytest.mark.parametrize("name", WAYS)
async def test_monique_s_own_yes_decides(group: Bridge, name: str) -> None:
    await way(group, "", name, through_list=False)
    ((asked, words),) = await questions(group)
    assert "adopt" in words.lower(), "she is shown what she says yes to"
    assert (await decision(group)).state == "proposed"
    await arrive(group, "", "oui", answering=(asked,))
    assert (await decision(group)).state == "adopted"


@pytest.mark.parametrize("text", ["c'est fait\nadoptée 1", "fait 9, adopter 1", "objection\n\nadopter 1"])
async def test_yes_lets_nothing_be_done_that_was_not_shown(group: Bridge, text: str) -> None:
    rows = [row for row in await group.outbox("email") if "/notice/" in row.unique_key]
    await arrive(group, "", text, answering=(str(rows[0].message_id),))
    for asked, words in await questions(group):
        await arrive(group, "", "oui", answering=(asked,))
        if (await decision(group)).state == "adopted":
            assert "adopt" in words.lower()


async def test_a_forged_wish_to_forget_is_asked_back_too(group: Bridge) -> None:
    for header in FORGED.values():
        await arrive(group, header, "effacer mes messages")
    async with group.ctx.store.read() as conn:
        confirmed = (await conn.execute(text_of("SELECT count(confirmed_at) FROM privacy_request"))).scalar_one()
        asked = (await conn.execute(text_of("SELECT count(*) FROM privacy_request"))).scalar_one()
    assert (confirmed, asked) == (0, 1)


async def test_an_objection_needs_nothing_and_is_not_taken_back_by_a_forged_mail(group: Bridge) -> None:
    forged = letter(group, FORGED["DMARC failed"])
    entry = await decision(group)
    assert (await do(group, forged, "object")).reason not in ("confirm", "refused")
    async with group.ctx.store.read() as conn:
        assert len(await list_objections(conn, entry.id)) == 1
    for name, header in FORGED.items():
        assert (await do(group, letter(group, header), "withdraw")).reason == "confirm", name
    assert (await do(group, letter(group, TRUE), "adopt")).reason != "adopt", "it blocks"
    async with group.ctx.store.read() as conn:
        (objection,) = await list_objections(conn, entry.id)
    assert objection.withdrawn_at is None
    assert (await decision(group)).state != "adopted"
    assert (await do(group, letter(group, TRUE), "withdraw")).reason not in ("confirm", "refused")
    async with group.ctx.store.read() as conn:
        (objection,) = await list_objections(conn, entry.id)
    assert objection.withdrawn_at is not None


async def test_without_a_server_that_is_known_by_name_everything_that_decides_is_confirmed(group: Bridge) -> None:
    believing(group, None)
    assert (await do(group, letter(group, TRUE))).reason == "confirm"
    assert (await decision(group)).state == "proposed"
