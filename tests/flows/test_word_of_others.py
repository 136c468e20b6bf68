"""What somebody says in another's name, a proxy above all, counts only where it is proved who says it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest

from passerelle.core.ids import MeetingId
from passerelle.flows.confirm_act import CONFIRM_ACT_KEY
from passerelle.store.meeting_people import list_attendance
from passerelle.store.register_lists import EntryFilter, list_entries
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, mail
from tests.flows.meetings import COORDINATORS, answered, event_of, next_step, reply_to, rsvps, to_list
from tests.flows.test_actors import SERVER, believing
from tests.flows.test_register_commands import answers, told_directly

PAUL = "Paul Roux <paul@poste.example>"
LIST = f"Authentication-Results: {SERVER}; dkim=pass header.d=listes.lab.test; dmarc=fail header.from=poste.example\r\n"
AUTHOR = f"Authentication-Results: {SERVER}; dmarc=pass header.from=poste.example\r\n"


@pytest.fixture
async def convened(make_bridge: MakeBridge) -> Bridge:
    """An assembly whose convocation has left; Monique, Paul, Léa and Karim are known."""
    bridge: Bridge = believing(await make_bridge(coordinators=COORDINATORS, quiet_from="00:00", quiet_until="00:00"))
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.receive(mail("Bonjour.", author=PAUL, message_id="paul@x", subject="Bonjour"))
    await bridge.say("bonjour")
    await bridge.say("bonjour", sender="@karim:lab.test")
    await bridge.say("!assemblée jeudi 3 décembre 18h30 au local : budget de la fête")
    await next_step(bridge)
    await next_step(bridge)
    return bridge


async def write(bridge: Bridge, text: str, *, header: str = "", answering: str = "", to_bridge: bool = False) -> None:
    """A mail in Paul's name."""
    place = {"to": BRIDGE, "list_id": None} if to_bridge else {}
    raw = mail(
        text,
        author=PAUL,
        message_id=f"mot{next(bridge.events)}@x",
        subject="Re: Assemblée",
        answering=(answering,) if answering else (),
        Date=bridge.now().strftime("%a, %d %b %Y %H:%M:%S +0000"),
        **place,  # type: ignore[arg-type]
    )
    await bridge.receive(header.encode() + raw)


async def convocation_id(bridge: Bridge) -> str:
    return str((await to_list(bridge, "convocation"))[0]["Message-ID"]).strip("<>")


async def proxies(bridge: Bridge) -> list[tuple[str, str, str]]:
    async with bridge.ctx.store.read() as conn:
        noted = await list_attendance(conn, MeetingId(1))
    return [(one.name, one.represented_by, one.said_by) for one in noted if one.presence == "represented"]


async def questions(bridge: Bridge) -> list[tuple[str, str]]:
    """What was asked back: the Message-ID and the words of each question. They go to Paul alone."""
    found = []
    for row in await bridge.outbox("email"):
        if row.unique_key.startswith(CONFIRM_ACT_KEY):
            assert row.recipient == "paul@poste.example"
            made = message_from_bytes(await bridge.raw_of(row), policy=policy.default)
            words = " ".join(str(made.get_content()).replace("\u202f", " ").split())
            found.append((str(made["Message-ID"]).strip("<>"), words))
    return found


# ------------------------------------------------------------ proxies


async def test_a_proxy_in_a_mail_that_nothing_proves_waits_for_its_authors_word(convened: Bridge) -> None:
    await write(convened, "Bonjour,\n\npouvoir : Léa à Karim\n\nPaul")
    assert await proxies(convened) == []
    assert await rsvps(convened, 1) == []
    ((asked, words),) = await questions(convened)
    assert "pouvoir : Léa à Karim" in words
    await write(convened, "oui", answering=asked, to_bridge=True)
    assert await proxies(convened) == [("Léa", "Karim", "Paul Roux")]
    assert await answered(convened, 1) == {"Léa": "no"}


async def test_not_even_one_s_own_proxy_counts_unproved(convened: Bridge) -> None:
    await write(convened, "pouvoir : Paul Roux à Karim")
    assert await proxies(convened) == []
    assert len(await questions(convened)) == 1


@pytest.mark.parametrize("header", [LIST, AUTHOR])
async def test_a_proxy_that_is_proved_counts_at_once(convened: Bridge, header: str) -> None:
    await write(convened, "pouvoir : Léa à Karim", header=header)
    assert await proxies(convened) == [("Léa", "Karim", "Paul Roux")]
    assert await questions(convened) == []


async def test_a_stranger_gives_no_proxy(convened: Bridge) -> None:
    raw = mail("pouvoir : Léa à Karim", author="<x@mechant.example>", to=BRIDGE, list_id=None, message_id="x@x")
    await convened.receive(raw)
    assert await proxies(convened) == []
    assert await questions(convened) == []


@pytest.mark.parametrize(("line", "presence"), [("pouvoir : Léa à Karim", "represented"), ("excusée : Léa", "excused")])
async def test_during_the_meeting_too(convened: Bridge, line: str, presence: str) -> None:
    convened.clock[0] = datetime(2026, 12, 3, 17, 30, tzinfo=UTC)
    await convened.say("!début", sender="@karim:lab.test")
    convened.pass_time(minutes=1)
    await write(convened, line)

    async def said_of_lea() -> list[str]:
        async with convened.ctx.store.read() as conn:
            return [one.presence for one in await list_attendance(conn, MeetingId(1)) if one.name == "Léa"]

    assert await said_of_lea() == []
    ((asked, _),) = await questions(convened)
    await write(convened, "oui", answering=asked, to_bridge=True)
    assert await said_of_lea() == [presence]


# ------------------------------------------------------------ who comes


@pytest.mark.parametrize("words", ["excusée : Léa", "Léa ne viendra pas, elle est opérée"])
async def test_nobody_is_excused_by_a_mail_that_nothing_proves(convened: Bridge, words: str) -> None:
    await convened.say("je viens", **reply_to(await event_of(convened, "convocation")))
    await write(convened, words, answering=await convocation_id(convened))
    assert await answered(convened, 1) == {"Léa": "yes"}
    ((asked, question),) = await questions(convened)
    assert "excusés : Léa" in question
    assert "opérée" not in question, "why is kept nowhere"
    convened.pass_time(minutes=1)
    await write(convened, "oui", answering=asked, to_bridge=True)
    assert await answered(convened, 1) == {"Léa": "no"}
    assert [(one.name, one.said_by) for one in await rsvps(convened, 1)] == [("Léa", "Paul Roux")]


async def test_perhaps_is_asked_back_as_perhaps(convened: Bridge) -> None:
    await write(convened, "Léa viendra peut-être", answering=await convocation_id(convened))
    assert await answered(convened, 1) == {}
    ((asked, _),) = await questions(convened)
    await write(convened, "oui", answering=asked, to_bridge=True)
    assert await answered(convened, 1) == {"Léa": "maybe"}


async def test_one_s_own_answer_needs_no_proof_and_counts_beside_what_is_asked(convened: Bridge) -> None:
    await write(convened, "je viens avec Mme Haddad", answering=await convocation_id(convened))
    assert await answered(convened, 1) == {"Paul Roux": "yes"}
    ((asked, question),) = await questions(convened)
    assert "présents : Mme Haddad" in question
    await write(convened, "oui", answering=asked, to_bridge=True)
    assert await answered(convened, 1) == {"Paul Roux": "yes", "Mme Haddad": "yes"}


async def test_a_list_that_vouches_for_its_members_passes_a_word_on(convened: Bridge) -> None:
    await write(convened, "Léa ne viendra pas", answering=await convocation_id(convened), header=LIST)
    assert await answered(convened, 1) == {"Léa": "no"}
    assert await questions(convened) == []


async def test_no_name_is_asked_about_that_may_be_a_reason(convened: Bridge) -> None:
    await write(convened, "excusée : opération", answering=await convocation_id(convened))
    assert await answered(convened, 1) == {}
    assert await questions(convened) == []
    assert len(await answers(convened)) == 1


# ------------------------------------------------------------ a date that was asked back


@pytest.mark.parametrize(
    ("sender", "day"),
    [("@zoe:lab.test", None), ("@karim:lab.test", date(2026, 11, 26)), ("@lea:lab.test", date(2026, 11, 26))],
)
async def test_only_who_was_asked_or_a_coordinator_says_which_day_it_is(
    make_bridge: MakeBridge, sender: str, day: date | None
) -> None:
    """The question stands in the room, for all to see; Karim coordinates."""
    bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.say("bonjour", sender="@zoe:lab.test")
    await bridge.say("action : @Zoe appeler la mairie jeudi prochain")
    (question,) = [row for row in await bridge.outbox("event") if row.unique_key.startswith("about/ask/")]
    assert "19 ou 26" in str((question.content or {})["body"])
    await bridge.deliver_events()
    await bridge.say("le 26", sender=sender, **reply_to(f"$sent{question.id}"))
    async with bridge.ctx.store.read() as conn:
        filter_ = EntryFilter(kinds=["action"])
        (entry,) = await list_entries(conn, bridge.link.association_name, filter_, order="number")
    assert entry.due_on == day
    refused = any("Seule la personne" in told for told in await told_directly(bridge))
    assert refused == (day is None)
