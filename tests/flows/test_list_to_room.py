"""From the list to the room: what is relayed, how it is placed, what is not, and who is told."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from passerelle.core.ports import Media
from passerelle.delivery_events import EventDelivery
from tests.flows.bridge import BRIDGE, LIST, Bridge, MakeBridge, body_of, dumped, mail


async def test_email_becomes_event_with_author_and_subject(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour,\n\nQui peut tenir la buvette ?\n"))
    (shown,) = await bridge.shown()
    assert "<strong>Monique Delattre</strong>" in shown["formatted_body"]
    assert "Loto du quartier" in shown["body"]
    assert "Qui peut tenir la buvette" in shown["body"]
    assert "@membres" not in dumped(shown)


async def test_answer_names_its_parent_and_hides_quote(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui peut tenir la buvette ?\n"))
    text = (
        "Moi, de 14 h à 16 h.\n\nLe mar. 17 nov. 2026 à 10:00, Monique <monique@membres.lab.test> a écrit :\n> Qui ?\n"
    )
    await bridge.receive(
        mail(
            text,
            subject="Re: Loto du quartier",
            message_id="reponse@membres.lab.test",
            author="Paul <paul@membres.lab.test>",
            answering=("question@membres.lab.test",),
        )
    )
    first, answer, original = [row for row in await bridge.outbox("event") if row.post_id]
    assert answer.parent_post_id == first.post_id
    assert "a écrit" not in dumped(dict(answer.content or {}))
    async with bridge.ctx.store.read() as conn:
        from passerelle.store.blobs import get_blob

        assert original.upload_hash is not None
        untouched = (await get_blob(conn, original.upload_hash)).decode()
    assert "a écrit" in untouched
    assert "monique@membres.lab.test" not in untouched


async def test_answer_before_its_parent_finds_its_thread_later(bridge: Bridge) -> None:
    await bridge.receive(mail("Oui.\n", message_id="reponse@x.test", answering=("question@membres.lab.test",)))
    await bridge.receive(mail("Qui vient ?\n"))
    rows = [row for row in await bridge.outbox("event") if row.post_id]
    async with bridge.ctx.store.read() as conn:
        from passerelle.store.posts import get_post

        threads = {(await get_post(conn, row.post_id)).thread_id for row in rows if row.post_id}
    assert len(threads) == 1


async def test_reply_with_wholly_new_subject_begins_a_thread(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.receive(
        mail(
            "La facture est arrivée.\n",
            subject="Facture du gaz",
            message_id="autre@membres.lab.test",
            answering=("question@membres.lab.test",),
        )
    )
    _, other = [row for row in await bridge.outbox("event") if row.post_id]
    assert other.parent_post_id is None
    assert "Facture du gaz" in dumped(dict(other.content or {}))


async def test_same_email_twice_is_relayed_once(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.receive(mail("Qui vient ?\n"))
    assert len(await bridge.shown()) == 1
    assert (await bridge.reasons())[-1] == "duplicate"


async def test_same_id_with_other_words_is_accepted_and_flagged(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient samedi ?\n"))
    await bridge.receive(mail("Tout autre chose.\n", author="Paul <paul@membres.lab.test>"))
    assert len(await bridge.shown()) == 2


async def test_emails_without_id_are_told_apart_by_date_and_words(bridge: Bridge) -> None:
    await bridge.receive(mail("oui\n", message_id=""))
    await bridge.receive(mail("oui\n", message_id=""))
    await bridge.receive(mail("oui\n", message_id="", Date="Tue, 17 Nov 2026 10:05:00 +0000"))
    assert len(await bridge.shown()) == 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"X_Spam_Flag": "YES"}, "spam"),
        ({"X_Autoreply": "yes"}, "automatic"),
    ],
)
async def test_robots_and_spam_are_not_relayed_and_never_answered(
    bridge: Bridge, fields: dict[str, str], reason: str
) -> None:
    await bridge.receive(mail("Je suis absente.\n", **fields))
    assert await bridge.shown() == []
    assert (await bridge.reasons())[0].startswith(reason)
    assert await bridge.personal_mails() == []


async def test_precedence_list_says_nothing(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n", Precedence="list"))
    assert len(await bridge.shown()) == 1


async def test_author_of_too_large_email_is_told_once_privately(bridge: Bridge) -> None:
    await bridge.receive(mail("Voici.\n"), size=40_000_000)
    assert await bridge.shown() == []
    (told,) = await bridge.personal_mails()
    assert told["To"].addresses[0].addr_spec == "monique@membres.lab.test"
    assert told["Auto-Submitted"] == "auto-replied"
    assert "40\u00a0Mo" in body_of(told)
    assert "Monique" in body_of(told)


async def test_malformed_email_is_set_aside_and_its_neighbour_goes_on(bridge: Bridge) -> None:
    await bridge.receive(b"\r\nun corps sans en-t\xeate\r\n")
    await bridge.receive(mail("Qui vient ?\n"))
    assert len(await bridge.shown()) == 1
    assert (await bridge.states())[0] == "set_aside"


async def test_nothing_is_relayed_before_consent(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(confirmed=False)
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.say("Moi !")
    assert await bridge.shown() == []
    assert await bridge.settle() == []
    assert await bridge.reasons() == ["before_consent", "before_consent"]


async def test_own_email_that_comes_back_proves_the_delivery(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (sent,) = await bridge.settle()
    back = sent.as_bytes().replace(b"Subject: ", b"List-Id: <bureau.listes.lab.test>\r\nSubject: [bureau] ", 1)
    await bridge.receive(back)
    assert (await bridge.reasons())[-1] == "own"
    assert await bridge.shown() == []
    row = next(row for row in await bridge.outbox("email") if row.post_id)
    assert row.echoed_at is not None


async def test_forged_message_id_of_ours_suppresses_nothing(bridge: Bridge) -> None:
    await bridge.receive(
        mail(
            "Je fais semblant.\n",
            message_id=f"abcdefghijklmnopqrstuvwxyz@{BRIDGE.split('@')[1]}",
            X_Passerelle="v1 abcdefghijklmnopqrstuvwxyz",
        )
    )
    assert len(await bridge.shown()) == 1


async def test_copied_message_id_of_ours_by_another_author_is_relayed(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (sent,) = await bridge.settle()
    await bridge.receive(mail("Je réponds.\n", message_id=sent["Message-ID"].strip("<>")))
    assert len(await bridge.shown()) == 1


async def test_mail_that_answers_a_chat_mail_answers_its_first_line(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (sent,) = await bridge.settle()
    await bridge.receive(
        mail(
            "Oui.\n",
            subject=f"Re: {sent['Subject']}",
            message_id="oui@x.test",
            answering=(sent["Message-ID"].strip("<>"),),
        )
    )
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    async with bridge.ctx.store.read() as conn:
        from passerelle.store.posts import find_events_of_post

        assert row.parent_post_id is not None
        assert row.room_id is not None
        (event,) = await find_events_of_post(conn, row.parent_post_id, row.room_id)
    assert event.event_id == "$event1"


async def test_late_post_shows_when_it_was_written(bridge: Bridge) -> None:
    bridge.pass_time(hours=3)
    await bridge.receive(mail("Qui vient ?\n"))
    (shown,) = await bridge.shown()
    assert "17 novembre" in shown["body"]
    assert "11\u00a0h" in shown["body"]


async def test_thread_that_loops_is_stopped_and_a_human_told(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(fuse_per_hour=5)
    await bridge.receive(mail("0\n"))
    for number in range(1, 12):
        await bridge.receive(
            mail(f"Merci {number} !\n", message_id=f"m{number}@x.test", answering=("question@membres.lab.test",))
        )
    assert len(await bridge.shown()) == 5
    assert (await bridge.states()).count("set_aside") == 7
    from passerelle.store.incidents import list_open

    async with bridge.ctx.store.read() as conn:
        assert [i.kind for i in await list_open(conn)] == ["fuse"]


async def test_stranger_in_the_mailbox_is_left_untouched(bridge: Bridge) -> None:
    await bridge.receive(mail("Promo !\n", to="someone@else.test", list_id="<promo.else.test>"))
    await bridge.receive(mail("Promo !\n", to="someone@else.test", list_id=None))
    assert await bridge.reasons() == []


async def test_private_answer_is_never_published(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (sent,) = await bridge.settle()
    await bridge.receive(
        mail(
            "Entre nous : non.\n",
            to=BRIDGE,
            list_id=None,
            answering=(sent["Message-ID"].strip("<>"),),
            message_id="p@x",
        )
    )
    assert await bridge.shown() == []
    directs = await bridge.outbox("direct")
    assert any(row.recipient == "@lea:lab.test" and "courriel" in dumped(dict(row.content or {})) for row in directs)
    assert "Entre nous" not in "".join(dumped(dict(row.content or {})) for row in await bridge.outbox())
    (told,) = await bridge.personal_mails()
    assert LIST in body_of(told)


async def test_email_to_the_bridge_is_answered_once_a_day(bridge: Bridge) -> None:
    for number in range(3):
        await bridge.receive(mail("status\n", to=BRIDGE, list_id=None, message_id=f"c{number}@x"))
    assert len(await bridge.personal_mails()) == 1


async def test_copy_beside_the_list_is_not_answered(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n", to=f"{LIST}, {BRIDGE}", list_id=None))
    assert await bridge.personal_mails() == []
    assert await bridge.shown() == []


async def test_bounce_of_our_mail_becomes_an_incident(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (sent,) = await bridge.settle()
    dsn = (
        f"From: MAILER-DAEMON@mail.test\r\nTo: {BRIDGE}\r\nSubject: Undelivered\r\nReturn-Path: <>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nno\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.test\r\n\r\n"
        f"Final-Recipient: rfc822; {LIST}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {sent['Message-ID']}\r\n\r\n--b--\r\n"
    ).encode()
    await bridge.receive(dsn)
    from passerelle.store.incidents import list_open

    async with bridge.ctx.store.read() as conn:
        assert [i.kind for i in await list_open(conn)] == ["bounce"]
    assert await bridge.personal_mails() == []


async def test_late_author_is_told_privately_once(bridge: Bridge) -> None:
    bridge.pass_time(days=60)
    for number in range(2):
        await bridge.receive(
            mail("Bonjour à tous.\n", author="Inès <ines@membres.lab.test>", message_id=f"i{number}@x")
        )
    (told,) = await bridge.personal_mails()
    assert told["Auto-Submitted"] == "auto-generated"
    assert "salon" in body_of(told)


async def test_first_authors_had_the_lists_notice(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour à tous.\n"))
    assert await bridge.personal_mails() == []
    assert bridge.now() - bridge.clock[0] == timedelta(0)


async def test_inline_image_stands_in_place_and_is_uploaded_once(bridge: Bridge) -> None:
    from io import BytesIO

    from PIL import Image

    picture = BytesIO()
    Image.new("RGB", (3, 2), "red").save(picture, "PNG")
    made = message_from_bytes(mail("Voici la salle :"), policy=policy.SMTP)
    made.add_alternative('<p>Voici la salle : <img src="cid:salle@x"></p>', subtype="html")
    made.get_payload()[1].add_related(
        picture.getvalue(), "image", "png", cid="<salle@x>", filename="salle.png", disposition="inline"
    )
    await bridge.receive(made.as_bytes())
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    matrix = Homeserver()
    delivery = EventDelivery(bridge.ctx, matrix)
    await delivery.deliver([row])
    (content,) = matrix.sent
    assert 'src="mxc://lab.test/file1"' in content["formatted_body"]
    assert "passerelle.invalid" not in dumped(dict(content))
    assert matrix.uploaded == [picture.getvalue()]


class Homeserver:
    """Takes what it is given, and refuses what was not asked of it."""

    device_id = "DEVICE"
    user_id = "@passerelle:lab.test"

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []
        self.uploaded: list[bytes] = []

    async def upload(self, data: bytes, *, media_type: str, filename: str, encrypted: bool) -> Media:
        assert not encrypted
        assert media_type == "image/png"
        self.uploaded.append(data)
        return Media(url=f"mxc://lab.test/file{len(self.uploaded)}")

    async def send_event(self, room_id: str, content: dict[str, object], **_: object) -> str:
        self.sent.append(content)
        return f"$real{len(self.sent)}"
