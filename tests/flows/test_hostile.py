"""What strangers try: header injection, borrowed names, pings. Named after what must not work."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import text

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, UserId
from passerelle.core.model import RoomMember
from passerelle.core.settings import AppserviceSettings
from passerelle.flows.ghosts import ghost_of
from passerelle.store.rooms import put_members
from tests.flows.bridge import LIST, ROOM, Bridge, MakeBridge, body_of, dumped, mail

INJECTED = "x\r\nBcc: victime@x.test\r\nX-Evil: 1"
#: The header fields of a chat mail, and no other.
OUR_FIELDS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "reply-to", "mime-version"),
    *("x-passerelle", "x-passerelle-lines", "content-type", "content-transfer-encoding", "auto-submitted"),
    *("x-auto-response-suppress",),
}
PART_FIELDS = {"content-type", "content-transfer-encoding", "content-disposition", "content-id", "mime-version"}


async def call(bridge: Bridge, user: str, name: str) -> None:
    """Somebody in the room takes a display name."""
    member = RoomMember(room_id=ROOM, user_id=UserId(user), display_name=name, membership="join", joined_at=None)
    async with bridge.ctx.store.write() as conn:
        await put_members(conn, [member])


async def all_mails(bridge: Bridge) -> list[bytes]:
    return [await bridge.raw_of(row) for row in await bridge.outbox("email")]


def check_header(raw: bytes) -> None:
    """Only our fields, each once, in short lines of ASCII; the parts have only theirs."""
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    parsed = message_from_bytes(raw, policy=policy.default)
    names = [name.lower() for name in parsed]
    assert set(names) <= OUR_FIELDS
    assert len(names) == len(set(names))
    for part in list(parsed.walk())[1:]:
        assert {name.lower() for name in part} <= PART_FIELDS


# ---------------------------------------------------------------- header injection


LINE_ENDS = ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\\r\\n", "=0D=0A", "=?utf-8?q?=0D=0A?="]


@pytest.mark.parametrize("line_end", LINE_ENDS)
async def test_room_adds_no_header_to_the_mail(bridge: Bridge, line_end: str) -> None:
    injected = INJECTED.replace("\r\n", line_end)
    await call(bridge, "@eve:lab.test", injected)
    await bridge.say(injected, sender="@eve:lab.test")
    await bridge.happen(
        bridge.event(
            "@eve:lab.test",
            {
                "msgtype": "m.file",
                "body": injected,
                "filename": injected,
                "url": "mxc://x/y",
                "info": {"mimetype": injected},
            },
        )
    )
    await call(bridge, "@eve2:lab.test", "=?utf-8?q?Monique=0D=0ABcc:_a=40b.test?=")
    await bridge.say("Une ligne.", sender="@eve2:lab.test")
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("UPDATE attachment SET state = 'here', size_bytes = 0 WHERE state = 'wanted'"))
    assert await bridge.settle()
    for raw in await all_mails(bridge):
        check_header(raw)


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Loto=0D=0ABcc:_victime=40x.test?=",
        "=?utf-8?b?TG90bw0KQmNjOiB2aWN0aW1lQHgudGVzdA==?=",
        "Loto\r\n\tBcc: victime@x.test",
        "=?utf-8?q?Loto=0ABcc?=\r\n =?utf-8?q?=3A_v=40x.test?=",
        "=?utf-16?b?AEwADQAKAEIAYwBj?=",
    ],
)
async def test_subject_of_a_mail_adds_no_header_to_its_answer(bridge: Bridge, subject: str) -> None:
    raw = mail("Qui vient ?\n").replace(b"[bureau] Loto du quartier", f"[bureau] {subject}".encode())
    await bridge.receive(raw)
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    await bridge.say("Moi", **{"m.relates_to": {"m.in_reply_to": {"event_id": row.event_id}}})
    (sent,) = await bridge.settle()
    assert sent["Bcc"] is None
    for made in await all_mails(bridge):
        check_header(made)


@pytest.mark.parametrize(
    "message_id",
    ["<a\r\n\tBcc:v@x.test>", "<a@b.test>\r\n <c@d.test>", "<a b@c.test>", "<" + "a" * 3000 + "@b.test>",
     "<é@b.test>", "<a@b.test\x00>", "<=?utf-8?q?=0D=0ABcc:?=@b.test>", "a@b.test> Bcc: <v@x.test"],
)  # fmt: skip
async def test_message_id_of_a_mail_adds_no_header_to_its_answer(bridge: Bridge, message_id: str) -> None:
    raw = mail("Qui vient ?\n").replace(b"<question@membres.lab.test>", message_id.encode())
    await bridge.receive(raw.replace(b"Subject:", b"References: " + message_id.encode() + b"\r\nSubject:"))
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    await bridge.say("Moi", **{"m.relates_to": {"m.in_reply_to": {"event_id": row.event_id}}})
    (sent,) = await bridge.settle()
    assert sent["Bcc"] is None
    for made in await all_mails(bridge):
        check_header(made)


async def test_refused_author_adds_no_header_to_the_refusal(bridge: Bridge) -> None:
    author = "=?utf-8?q?Paul=0D=0ABcc:_v=40x.test?= <paul@membres.lab.test>"
    plain = "Paul <paul@membres.lab.test>"
    raw = mail("Voici.\n", author=plain).replace(plain.encode(), author.encode())
    await bridge.receive(raw, size=40_000_000)
    (told,) = await bridge.personal_mails()
    assert told["Bcc"] is None
    assert [a.addr_spec for a in told["To"].addresses] == ["paul@membres.lab.test"]
    for made in await all_mails(bridge):
        check_header(made)


async def test_filename_of_an_attachment_stays_a_name(bridge: Bridge) -> None:
    tricks = ["../../etc/passwd", "a\r\nX: y.pdf", "\u202egpj.exe", "C:\\x\\y.pdf", "." * 400, "\x00"]
    for number, name in enumerate(tricks):
        made = EmailMessage()
        made.add_attachment(b"data", maintype="application", subtype="pdf", filename="NAME")
        head = mail("x\n", message_id=f"f{number}@x.test").partition(b"Content-Type")[0]
        encoded = "".join(f"%{byte:02X}" for byte in name.encode())
        body = made.as_bytes(policy=policy.SMTP)
        raw = head + body.replace(b'filename="NAME"', f"filename*=utf-8''{encoded}".encode())
        await bridge.receive(raw)
    names = [str(content.get("filename")) for content in await bridge.shown() if content.get("msgtype") == "m.file"]
    assert len(names) == 6
    for name in names:
        assert name
        assert len(name) <= 255
        assert not set(name) & set("/\\\r\n\x00\u202e")


# ---------------------------------------------------------------- borrowed names


@pytest.mark.parametrize(
    "name",
    ["Мonique Delattre", "Monique De1attre", "Monique\u200b DeIattre", "Мо\u00adnique Delattre"],
)
async def test_mail_author_who_imitates_another_is_shown_with_a_sign(bridge: Bridge, name: str) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.receive(mail("Virez-moi 100 €.\n", message_id="faux@x.test", author=f"{name} <eve@x.test>"))
    _, fake = await bridge.shown()
    assert "à ne pas confondre avec Monique Delattre" in fake["body"]
    assert "à ne pas confondre avec Monique Delattre" in fake["formatted_body"]


@pytest.mark.parametrize("name", ["Мonique Delattre", "Monique De1attre", "Monique DeIattre"])
async def test_chatter_who_imitates_a_list_member_is_shown_with_a_sign(bridge: Bridge, name: str) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await call(bridge, "@eve:lab.test", name)
    await bridge.say("Virez-moi 100 €.", sender="@eve:lab.test")
    (sent,) = await bridge.settle()
    assert "à ne pas confondre avec Monique Delattre" in body_of(sent)
    assert sent["From"].addresses[0].display_name != f"{name} (salon)"


async def test_chatter_with_the_very_name_of_another_is_told_apart(bridge: Bridge) -> None:
    await bridge.say("La vraie.")
    await call(bridge, "@eve:lab.test", "Léa")
    await bridge.say("La fausse.", sender="@eve:lab.test")
    (sent,) = await bridge.settle()
    body = body_of(sent)
    assert "Léa (eve)" in body
    assert body.index("La vraie.") < body.index("Léa (eve)") < body.index("La fausse.")


async def test_ghost_who_imitates_another_carries_the_sign_in_its_name(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()

    matrix = bridge.ctx.settings.matrix.model_copy(update={"appservice": AppserviceSettings()})
    object.__setattr__(bridge.ctx, "settings", bridge.ctx.settings.model_copy(update={"matrix": matrix}))
    ghost = ghost_of(bridge.ctx, bridge.link, Mailbox(name="Мonique", address=MailAddress("e@x.test")), ["Monique"])
    assert ghost is not None
    assert ghost["display_name"] == "Мonique (à ne pas confondre avec Monique)"
    nameless = ghost_of(bridge.ctx, bridge.link, Mailbox(name="", address=MailAddress("e@x.test")), [])
    assert nameless is not None
    assert nameless["display_name"] == "Un membre de la liste"


SCRIPTS = [
    "מוניק דלאטר", "مونيك", "Мария Иванова", "Нгуен Thị Hằng", "李小龙", "Ελένη", "नेहा", "Zoë Ælfgifu",
]  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
async def test_other_scripts_stay_intact_on_both_sides(bridge: Bridge, name: str) -> None:
    await bridge.receive(mail(f"{name} : ça va ?\n", author=f"{name} <x@x.test>"))
    (shown,) = await bridge.shown()
    assert f"<strong>{name}</strong>" in shown["formatted_body"]
    assert f"{name} : ça va ?" in shown["body"]
    await call(bridge, "@x:lab.test", name)
    await bridge.say(f"{name}, oui.", sender="@x:lab.test")
    (sent,) = await bridge.settle()
    assert sent["From"].addresses[0].display_name == f"{name} (salon)"
    assert f"{name}, oui." in body_of(sent)


TRICKS = ["\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u2028", "\x00", "\x1b[31m", "\u00ad", "\u3164"]


@pytest.mark.parametrize("trick", TRICKS)
async def test_controls_in_names_reach_neither_side(bridge: Bridge, trick: str) -> None:
    await bridge.receive(mail("Bonjour.\n", author="Paul <paul@x.test>").replace(b"Paul <", f"Pa{trick}ul <".encode()))
    await call(bridge, "@karim:lab.test", f"Ka{trick}rim")
    await bridge.say("Bonjour.", sender="@karim:lab.test")
    (sent,) = await bridge.settle()
    (shown,) = await bridge.shown()
    assert trick not in shown["body"].split("\n")[0]
    assert trick not in sent["From"].addresses[0].display_name
    assert trick not in body_of(sent)


async def test_address_as_a_name_reaches_neither_side(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour.\n", author='"monique@membres.lab.test" <monique@membres.lab.test>'))
    (shown,) = await bridge.shown()
    assert "monique@" not in dumped(shown)
    await call(bridge, "@karim:lab.test", "banque@exemple.fr")
    await bridge.say("Bonjour.", sender="@karim:lab.test")
    (sent,) = await bridge.settle()
    assert "banque@" not in sent["From"].addresses[0].display_name


# ---------------------------------------------------------------- pings


async def test_mail_pings_nobody(bridge: Bridge) -> None:
    links = '<a href="https://matrix.to/#/@lea:lab.test">Léa</a> <a href="matrix:u/lea:lab.test">L</a>'
    pings = f"@room @lea:lab.test {links}"
    await bridge.receive(mail(f"@room, venez tous ! {pings}\n"))
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Message-ID"] = "Paul <paul@x.test>", LIST, "<html@x.test>"
    made["Subject"], made["List-Id"] = "[bureau] @room", "<bureau.listes.lab.test>"
    made.set_content(f"<p data-mx-pill='@lea:lab.test'>{pings}</p>", subtype="html")
    await bridge.receive(made.as_bytes())
    for content in await bridge.shown():
        assert "@room" not in dumped(content)
        assert content["m.mentions"] == {}
