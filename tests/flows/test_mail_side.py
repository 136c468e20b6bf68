"""What a review of the mail side found, held: fates, leases, strangers' emails, echoes, who is told how often."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from passerelle import delivery_emails
from passerelle.core.links import Links
from passerelle.core.model import OutboxRow
from passerelle.core.ports import Envelope
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.delivery import Delivery
from passerelle.dispatch import Dispatch
from passerelle.errors import StoreError
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.flows.context import FlowContext
from passerelle.leases import LEASE
from passerelle.store.engine import Store
from passerelle.store.incidents import list_open
from passerelle.store.lanes import take_lane
from passerelle.store.outbox_watch import next_interrupted_at
from passerelle.store.tally import list_tally
from passerelle.wiring import build_context
from tests.flows.bridge import BRIDGE, LIST, MONIQUE, ROOM, START, Bridge, MakeBridge, mail, settings_of

OTHER_ROOM = "!autre:lab.test"
OTHER_LIST = "bureau@wazemmes.lab.test"


class Takes:
    """A mail server that takes everything; it does first what the test wants done amid the sending."""

    def __init__(self, amid: Callable[[], Awaitable[None]] | None = None) -> None:
        self.taken: list[bytes] = []
        self._amid = amid

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Takes]:
        yield self

    async def send(self, _envelope: Envelope, raw: bytes, *, before_data: Callable[[], Awaitable[None]]) -> str:
        await before_data()
        if self._amid is not None:
            await self._amid()
        self.taken.append(raw)
        return "250 ok"


class Homeserver:
    device_id, user_id = "D", "@passerelle:lab.test"


def delivering(bridge: Bridge, server: Takes, owner: str = "a") -> Delivery:
    return Delivery(bridge.ctx, owner=owner, matrix=Homeserver(), senders={"main": server})  # type: ignore[arg-type]


async def claimed_email(bridge: Bridge, delivery: Delivery) -> list[OutboxRow]:
    """A mail of the room, claimed to be sent."""
    await bridge.say("Bonjour")
    assert len(await bridge.settle()) == 1
    return list(await delivery._claim(frozenset()))


async def list_states(bridge: Bridge) -> list[str]:
    return [row.state for row in await bridge.outbox("email") if row.post_id is not None]


# ---------------------------------------------------------------- what came of a sending


async def test_a_250_outlives_a_store_that_refuses(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Takes()
    delivery = delivering(bridge, server)

    async def full(*_: Any, **__: Any) -> None:
        raise StoreError("The disk is full")

    rows = await claimed_email(bridge, delivery)
    with monkeypatch.context() as broken:
        broken.setattr(delivery_emails, "mark_sent", full)
        await delivery._work(rows)
        assert await list_states(bridge) == ["sending"]
        with pytest.raises(StoreError):
            await delivery._claim(frozenset())
    await delivery._claim(frozenset())  # room was made on the disk
    assert await list_states(bridge) == ["sent"]
    assert len(server.taken) == 1


async def test_a_lane_that_could_not_be_given_back_is_given_back_later(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = delivering(bridge, Takes())

    async def full(*_: Any) -> bool:
        raise StoreError("The disk is full")

    rows = await claimed_email(bridge, delivery)
    with monkeypatch.context() as broken:
        broken.setattr("passerelle.delivery.release_lane", full)
        with pytest.raises(StoreError):
            await delivery._work(rows)
    assert await delivery._claim(frozenset()) == []  # nothing is left to send; but
    async with bridge.ctx.store.write() as conn:
        assert await take_lane(conn, rows[0].lane, "another", bridge.now(), bridge.now() + LEASE)


async def test_what_a_dead_daemon_was_sending_is_settled_by_the_others(bridge: Bridge) -> None:
    """PostgreSQL: the dead one may never start again, and the list's lane is blocked until then."""
    dead, alive = delivering(bridge, Takes(), "dead"), delivering(bridge, Takes(), "alive")
    (row,) = await claimed_email(bridge, dead)
    async with bridge.ctx.store.write() as conn:
        assert await delivery_emails.mark_sending(conn, row.id, owner="dead")
    assert await alive.emails.settle_interrupted() == 0  # it may be at it right now
    async with bridge.ctx.store.read() as conn:
        assert await next_interrupted_at(conn) == bridge.now() + LEASE
    bridge.pass_time(seconds=LEASE.total_seconds())
    assert await alive.emails.settle_interrupted() == 1
    assert await list_states(bridge) == ["unknown"]


async def test_what_this_daemon_is_sending_right_now_is_not_interrupted(bridge: Bridge) -> None:
    settled: list[int] = []

    async def settle() -> None:
        bridge.pass_time(hours=1)
        settled.append(await delivery.emails.settle_interrupted())

    delivery = delivering(bridge, Takes(amid=settle))
    await delivery._work(await claimed_email(bridge, delivery))
    assert settled == [0]
    assert await list_states(bridge) == ["sent"]


async def test_a_lost_lease_sends_nothing_twice(bridge: Bridge) -> None:
    """The first daemon hangs for longer than its lease, and then goes on with what it had claimed."""
    server = Takes()
    first, second = delivering(bridge, server, "first"), delivering(bridge, server, "second")
    rows = await claimed_email(bridge, first)
    bridge.pass_time(seconds=LEASE.total_seconds())
    again = await second._claim(frozenset())
    assert [row.id for row in again] == [row.id for row in rows]
    await first._work(rows)  # before the second one has begun
    assert server.taken == []
    await second._work(again)
    await first._work(rows)  # and after
    assert len(server.taken) == 1
    assert await list_states(bridge) == ["sent"]


# ---------------------------------------------------------------- strangers


async def test_a_long_recipient_field_costs_little(bridge: Bridge) -> None:
    """Whether it is wanted is asked on the event loop: 64 kB without an @ took 24 seconds."""
    raw = b"Delivered-To: " + b"a" * 64_000 + b"\r\n" + mail("x", list_id=None, to="x@y.fr")
    started = time.process_time()
    assert not bridge.intake.wanted(bridge.ctx.settings.mailboxes[0], raw)
    assert time.process_time() - started < 1


async def test_an_email_handed_to_the_bridge_alone_is_not_published(bridge: Bridge) -> None:
    """To: names the list, and the list, which marks all that it sends, never saw it (PEOPLE 1)."""
    await bridge.receive(mail("Faux message", list_id=None, to=LIST, **{"Delivered_To": BRIDGE}))
    assert not await bridge.shown()
    assert await bridge.reasons() == ["beside_the_list"]


async def test_a_list_that_seems_to_add_no_header_is_told_once(bridge: Bridge) -> None:
    for number in range(3):
        await bridge.receive(mail("Bonjour", list_id=None, message_id=f"n{number}@x"))
    async with bridge.ctx.store.read() as conn:
        assert [incident.kind for incident in await list_open(conn)] == ["no_list_header"]


async def test_a_list_that_marks_its_emails_is_not_suspected(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour"))
    await bridge.receive(mail("Faux message", list_id=None, message_id="faux@x"))
    async with bridge.ctx.store.read() as conn:
        assert await list_open(conn) == []


async def test_a_list_without_headers_is_known_by_its_address(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(list={"address": LIST, "without_headers": True})
    await bridge.receive(mail("Bonjour", list_id=None))
    assert len(await bridge.shown()) == 1


@pytest.mark.parametrize("address", ["josé@membres.lab.test", "用户@例え.jp"])
async def test_an_author_who_cannot_be_written_to_is_relayed_all_the_same(bridge: Bridge, address: str) -> None:
    bridge.pass_time(days=40)  # the list's notice is old: whoever writes now is welcomed privately
    await bridge.receive(mail("Bonjour", author=f"José <{address}>"))
    assert (await bridge.states(), len(await bridge.shown())) == (["done"], 1)
    assert await bridge.personal_mails() == []
    async with bridge.ctx.store.read() as conn:
        tallied = await list_tally(conn, START.date())
    assert [t.count for t in tallied if t.what == "personal_email_unwritable"] == [1]


async def test_a_private_email_that_cannot_be_answered_is_finished(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour", to=BRIDGE, list_id=None, author="José <josé@membres.lab.test>"))
    await bridge.receive(mail("x", author="José <josé@membres.lab.test>", message_id="gros@x"), size=99_000_000)
    assert await bridge.states() == ["done", "done"]


async def test_what_breaks_the_bridges_own_lane_is_told(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr("passerelle.dispatch.receive_private", broken)
    await bridge.receive(mail("Bonjour", to=BRIDGE, list_id=None))
    for _ in range(20):
        bridge.pass_time(minutes=10)
        await bridge.run_flows()
    assert await bridge.states() == ["set_aside"]
    async with bridge.ctx.store.read() as conn:
        assert [incident.kind for incident in await list_open(conn)] == ["set_aside"]


async def test_emails_of_a_link_that_is_gone_are_kept_and_not_answered(bridge: Bridge) -> None:
    assert bridge.intake.wanted(bridge.ctx.settings.mailboxes[0], mail("Bonjour"))
    whole, run = bridge.ctx.links._by_path, bridge.run_flows
    bridge.run_flows = lambda: _nothing()  # type: ignore[method-assign]
    await bridge.receive(mail("Bonjour la liste"))
    bridge.ctx.links._by_path = {}
    bridge.dispatch = Dispatch(bridge.ctx, owner="t")
    await run()
    bridge.ctx.links._by_path = whole
    assert (await bridge.states(), await bridge.personal_mails()) == (["set_aside"], [])


async def _nothing() -> None:
    return None


# ---------------------------------------------------------------- our own emails come back


async def test_an_echo_with_another_message_id_is_ours_and_keeps_its_conversation(bridge: Bridge) -> None:
    """Amazon SES and Outlook.com give each email a Message-ID of their own; our header survives."""
    await bridge.say("Qui apporte les tables ?")
    sent = (await bridge.settle())[0]
    sent["List-Id"] = "<bureau.listes.lab.test>"
    sent.replace_header("Message-ID", "<0102019-ses@eu-west-1.amazonses.com>")
    await bridge.receive(sent.as_bytes())
    assert (await bridge.reasons())[-1] == "own"
    row = next(row for row in await bridge.outbox("email") if row.post_id is not None)
    assert row.echoed_at is not None
    await bridge.receive(
        mail("Moi !", subject=f"Re: {sent['Subject']}", answering=("0102019-ses@eu-west-1.amazonses.com",))
    )
    answer = [row for row in await bridge.outbox("event") if row.post_id is not None][-1]
    assert answer.parent_post_id == row.post_id


async def test_our_mark_copied_into_ones_own_email_suppresses_nothing(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    sent = (await bridge.settle())[0]
    await bridge.receive(mail("Mes mots", message_id="a@b", **{"X_Passerelle": " ".join(sent["X-Passerelle"].split())}))
    assert len(await bridge.shown()) == 1


async def test_an_email_whose_author_is_the_bridge_is_never_relayed(bridge: Bridge) -> None:
    await bridge.receive(mail("Un écho sans aucune marque", author=f"Léa (salon) <{BRIDGE}>", message_id="z@z"))
    assert (await bridge.shown(), await bridge.reasons()) == ([], ["own"])


# ---------------------------------------------------------------- who is told, and how often


async def test_the_author_of_a_too_large_email_is_told_once(bridge: Bridge) -> None:
    for _ in range(2):  # read again after a change of UIDVALIDITY
        await bridge.receive(mail("gros"), size=99_000_000)
    await bridge.receive(mail("gros", message_id="autre@x"), size=99_000_000)
    assert len(await bridge.personal_mails()) == 2


async def test_private_answers_do_not_flood_who_chats(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    answered = (await bridge.settle())[0]["Message-ID"].strip("<>")

    async def answer(number: int) -> int:
        private = mail("à part", to=BRIDGE, list_id=None, message_id=f"p{number}@x", answering=(answered,))
        await bridge.receive(private)
        return len([row for row in await bridge.outbox("direct") if row.unique_key.startswith("private:")])

    assert [await answer(number) for number in range(5)] == [1] * 5
    bridge.pass_time(days=1)
    assert await answer(6) == 2


def bounce(message_id: str, recipient: str) -> bytes:
    head = f"From: MAILER-DAEMON@x\r\nTo: {BRIDGE}\r\nReturn-Path: <>\r\nSubject: Undelivered\r\nMessage-ID: <b@x>\r\n"
    return (
        f"{head}MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        "--B\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.7.1\r\n\r\n"
        f"--B\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nFrom: {BRIDGE}\r\n\r\nx\r\n--B--\r\n"
    ).encode()


async def notices(bridge: Bridge) -> list[str]:
    return [str((row.content or {})["body"]) for row in await bridge.outbox("event") if "_notice:" in row.unique_key]


async def test_a_mail_that_comes_back_from_the_list_is_told_in_the_room(bridge: Bridge) -> None:
    line = await bridge.say("Bonjour")
    sent = (await bridge.settle())[0]
    for _ in range(2):
        await bridge.receive(bounce(sent["Message-ID"], LIST))
    assert await bridge.reasons() == ["", "bounce", "bounce"]
    (reaction,) = await bridge.outbox("reaction")
    assert reaction.target_event_id == line
    (notice,) = await notices(bridge)
    assert notice.startswith("Léa, votre message du mardi 17 novembre")
    assert "n’est pas arrivé à la liste" in notice


async def test_a_members_full_mailbox_is_no_failure_of_the_list(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    sent = (await bridge.settle())[0]
    await bridge.receive(bounce(sent["Message-ID"], "paul@membres.lab.test"))
    assert (await notices(bridge), await bridge.outbox("reaction")) == ([], [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Your mail to 'bureau' is being held until the list moderator can review it for approval.", "attend l’accord"),
        ("Your message to the bureau mailing-list was rejected.", "n’a pas accepté votre message"),
    ],
)
async def test_what_a_moderator_does_is_told_in_the_room(bridge: Bridge, words: str, told: str) -> None:
    await bridge.say("Bonjour")
    sent = (await bridge.settle())[0]
    notice = message_from_bytes(
        mail(words, to=BRIDGE, list_id=None, author="bureau-bounces@listes.lab.test", message_id="m@x"),
        policy=policy.SMTP,
    )
    original = message_from_bytes(b"Message-ID: " + sent["Message-ID"].encode() + b"\r\n\r\nx\r\n", policy=policy.SMTP)
    notice.make_mixed()  # type: ignore[attr-defined]
    notice.add_attachment(original)  # type: ignore[attr-defined]
    await bridge.receive(notice.as_bytes())
    (said,) = await notices(bridge)
    assert told in said
    assert len(await bridge.outbox("reaction")) == 1


# ---------------------------------------------------------------- several links


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Bridge]:
    store = await Store.open(settings.store.url, exclusive=True)
    clock = [START]
    built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    ctx = FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: clock[0],
    )
    bridge = Bridge(ctx, clock)
    for link in Links(settings):
        await ask_consent(ctx, link)
    await bridge.notices_leave()
    for link in Links(settings):
        assert await confirm_link(ctx, link, by="Monique") == "now"
    bridge.pass_time(seconds=1)
    try:
        yield bridge
    finally:
        await store.close()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Bridge]:
    """Two associations in one mailbox, each with a link that is called `bureau`."""
    settings = settings_of(tmp_path, {}, [MONIQUE])
    other = AssociationSettings.model_validate(
        {
            "name": "wazemmes",
            "title": "Wazemmes",
            "coordinators": [{"name": "Paul", "address": "paul@membres.lab.test"}],
            "links": [{"name": "bureau", "list": {"address": OTHER_LIST}, "room": OTHER_ROOM}],
        }
    )
    async with opened(settings.model_copy(update={"associations": (*settings.associations, other)})) as bridge:
        yield bridge


async def test_a_shared_subaddress_stays_in_its_association(two: Bridge) -> None:
    tagged = BRIDGE.replace("@", "+bureau@")
    await two.receive(mail("À Wazemmes", list_id=None, to=OTHER_LIST, **{"Delivered_To": tagged}))
    assert [row.room_id for row in await two.outbox("event") if row.post_id] == [OTHER_ROOM]


async def test_who_writes_to_a_bridge_of_several_associations_is_told_of_none(two: Bridge) -> None:
    await two.receive(mail("Bonjour", to=BRIDGE, list_id=None))
    (told,) = await two.personal_mails()
    words = f"{told['From']} {told.get_content()}"
    assert not any(word in words for word in (LIST, OTHER_LIST, "Épeule", "Wazemmes", "Monique", "Paul"))
    assert "l’adresse de votre liste" in words


async def test_a_cross_post_shows_its_subject_in_both_rooms(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {}, [MONIQUE])
    first = settings.associations[0].links[0]
    second = first.model_copy(
        update={
            "name": "tous",
            "room": "!tous:lab.test",
            "mailing_list": first.mailing_list.model_copy(update={"address": "tous@listes.lab.test"}),
        }
    )
    association = settings.associations[0].model_copy(update={"links": (first, second)})
    async with opened(settings.model_copy(update={"associations": (association,)})) as bridge:
        raw = mail("Assemblée samedi", message_id="x1@y")
        await bridge.receive(raw)
        await bridge.receive(raw.replace(b"bureau.listes", b"tous.listes").replace(b"bureau@listes", b"tous@listes"))
        bridge.pass_time(minutes=1)
        answer = mail("Qui vient ?", subject="Re: Loto du quartier", message_id="x2@y", answering=("x1@y",))
        await bridge.receive(answer)
        only_here = mail("Seulement ici", subject="Repas", message_id="x3@y")
        await bridge.receive(only_here)
        there = mail("Et là", subject="Re: Repas", message_id="x4@y", answering=("x3@y",))
        await bridge.receive(there.replace(b"bureau.listes", b"tous.listes").replace(b"bureau@listes", b"tous@listes"))
        rows = [row for row in await bridge.outbox("event") if row.post_id]
    shown = [(row.room_id, [s for s in ("Loto", "Repas") if s in (row.content or {})["body"]]) for row in rows]
    assert shown == [
        (ROOM, ["Loto"]),
        ("!tous:lab.test", ["Loto"]),
        (ROOM, []),
        (ROOM, ["Repas"]),
        ("!tous:lab.test", ["Repas"]),  # what it answers was never shown here
    ]
