"""What is nested, repeated or long beyond measure costs neither the daemon nor its neighbour anything."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

import passerelle.dispatch
from passerelle.core.model import InboxRow
from passerelle.flows.relay_email import relay_email
from passerelle.store.inbox import list_inbox
from tests.flows.bridge import Bridge, MakeBridge, body_of, dumped, mail
from tests.flows.test_hostile import all_mails, check_header


def nested_parts(depth: int) -> bytes:
    head = b"From: Paul <paul@x.test>\r\nList-Id: <bureau.listes.lab.test>\r\nMessage-ID: <bombe@x.test>\r\n"
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return head + b"MIME-Version: 1.0\r\n" + opened + b"Content-Type: text/plain\r\n\r\nau fond\r\n"


def listed(body: bytes, *, kind: bytes = b"text/plain; charset=utf-8", more: bytes = b"") -> bytes:
    head = b"From: Paul <paul@x.test>\r\nList-Id: <bureau.listes.lab.test>\r\nMessage-ID: <bombe@x.test>\r\n"
    return head + more + b"Subject: [bureau] x\r\nContent-Type: " + kind + b"\r\n\r\n" + body


BOMBS: dict[str, bytes] = {
    "nested parts": nested_parts(5_000),
    "nested forwards": b"Content-Type: message/rfc822\r\n\r\n".join([listed(b"")[:-4] + b"\r\n"] + [b""] * 3_000),
    "nested quotes": listed(b">" * 100_000 + b" a\r\n"),
    "many quotes": listed(b"".join(b">" * (n % 60) + b" ligne\r\n" for n in range(60_000))),
    "nested html": listed(b"<div>" * 100_000 + b"au fond" + b"</div>" * 100_000, kind=b"text/html"),
    "nested blockquotes": listed(b"<blockquote>" * 20_000 + b"au fond", kind=b"text/html"),
    "many attributes": listed(b"<p " + b"a=1 " * 200_000 + b">x", kind=b"text/html"),
    "one long word": listed(b"a" * 3_000_000),
    "spaces": listed(b" " * 2_000_000 + b"x"),
    "dashes": listed(b"-" * 1_000_000 + b"\r\n" + b"- " * 500_000),
    "underscores": listed(b"_" * 1_000_000 + b"\r\nFrom: " + b"_" * 100_000),
    "attributions": listed(b"Le lun. 1 janv. 2026, " * 50_000 + b"\r\n" + b"On " * 200_000 + b"wrote:"),
    "from lines": listed(b"De : a\r\nEnvoy\xc3\xa9 : b\r\n" * 30_000),
    "links": listed(b"http://" * 200_000),
    "ats": listed(b"a@" * 500_000),
    "markup": listed(b"*_`~[" * 200_000),
    "many parts": listed(b"--b\r\n\r\nx\r\n" * 50_000, kind=b"multipart/mixed; boundary=b"),
    "many header fields": listed(b"x", more=b"X-A: b\r\n" * 100_000),
    "one long header field": listed(b"x", more=b"X-A: " + b"b" * 2_000_000 + b"\r\n"),
    "long references": listed(b"x", more=b"References: " + b"<a@b.test> " * 100_000 + b"\r\n"),
    "encoded words": listed(b"x", more=b"Reply-To: " + b"=?utf-8?q?a?= " * 100_000 + b"<a@b.test>\r\n"),
    "comments": listed(b"x", more=b"Sender: " + b"(" * 200_000 + b"\r\n"),
    "quoted-printable": listed(b"=" * 1_000_000, more=b"Content-Transfer-Encoding: quoted-printable\r\n"),
    "boundary": listed(b"-" * 500_000, kind=b'multipart/mixed; boundary="' + b"-" * 60 + b'"'),
    "many addresses": listed(b"x", more=b"Cc: " + b"a@b.test, " * 100_000 + b"\r\n"),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_bomb_by_mail_is_survived_with_its_neighbour(bridge: Bridge, name: str) -> None:
    await bridge.receive(BOMBS[name])
    await bridge.receive(mail("Le voisin.\n"))
    shown = await bridge.shown()
    assert "Le voisin." in shown[-1]["body"]
    (bomb, _) = await rows_of(bridge)
    assert bomb.state in ("done", "set_aside")
    assert "broke" not in bomb.reason
    assert all(len(dumped(content)) < 50_000 for content in shown)


DEEP: Any = {"body": "x"}
for _ in range(500):
    DEEP = {"m.relates_to": DEEP, "body": "x"}
HTML = {"format": "org.matrix.custom.html"}
ANSWER = {"m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}}
STRANGE = {"duration": 10**400, "size": -(10**30)}
EVENT_BOMBS: dict[str, dict[str, Any]] = {
    "nested content": {"msgtype": "m.text", "body": "x", "m.new_content": DEEP},
    "nested html": {"msgtype": "m.text", "body": "x", **HTML, "formatted_body": "<b>" * 20_000},
    "nested lists": {"msgtype": "m.text", "body": "x", **HTML, "formatted_body": "<ul><li>" * 6_000},
    "long line": {"msgtype": "m.text", "body": "a" * 60_000},
    "many lines": {"msgtype": "m.text", "body": "\n" * 60_000 + "x"},
    "quotes": {"msgtype": "m.text", "body": "> " * 30_000 + "\n\nx", **ANSWER},
    "strange numbers": {"msgtype": "m.audio", "body": "x", "url": "mxc://a/b", "info": STRANGE},
    "lone surrogates": {"msgtype": "m.text", "body": "\ud800\udfff x \udc00"},
    "marks": {"msgtype": "m.text", "body": "Z" + "\u0300\u0489" * 20_000},
}


@pytest.mark.parametrize("name", EVENT_BOMBS)
async def test_bomb_in_the_room_is_survived_with_its_neighbour(bridge: Bridge, name: str) -> None:
    await bridge.happen(bridge.event("@eve:lab.test", EVENT_BOMBS[name]))
    await bridge.say("Le voisin.")
    rows = await rows_of(bridge)
    assert {row.state for row in rows} <= {"done", "set_aside"}
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("UPDATE attachment SET state = 'failed' WHERE state = 'wanted'"))
    mails = await bridge.settle()
    assert any("Le voisin." in body_of(sent) for sent in mails)
    for raw in await all_mails(bridge):
        check_header(raw)


async def rows_of(bridge: Bridge) -> list[InboxRow]:
    async with bridge.ctx.store.read() as conn:
        return await list_inbox(conn, limit=1000)


async def test_row_that_breaks_its_flow_is_set_aside_alone(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample is known that breaks the flow, so it is broken here; its neighbours of the same claim go on."""

    async def breaks(ctx: Any, row: InboxRow) -> None:
        if row.key == "1:1":
            raise KeyError("what nobody thought of")
        await relay_email(ctx, row)

    monkeypatch.setattr(passerelle.dispatch, "relay_email", breaks)
    for number in range(6):
        await bridge.receive(mail(f"Ligne {number}.\n", message_id=f"l{number}@x.test", subject=f"Sujet {number}"))
    for _ in range(8):
        bridge.pass_time(minutes=10)
        await bridge.run_flows()
    assert await bridge.states() == ["set_aside", *["done"] * 5]
    assert len(await bridge.shown()) == 5


async def test_line_whose_key_comes_late_is_not_overtaken_by_its_redaction(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    keys: list[str] = []
    clear = {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "Un secret"}}
    object.__setattr__(bridge.ctx, "decrypt", lambda raw: {**raw, **clear} if keys else None)
    said = bridge.event("@lea:lab.test", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}, "m.room.encrypted")
    what = said["event_id"]
    taken_back = bridge.event("@lea:lab.test", {"redacts": what}, "m.room.redaction", redacts=what)
    await bridge.happen(said, taken_back)
    assert await bridge.states() == ["waiting", "waiting"]
    keys.append("here")
    bridge.pass_time(seconds=30)
    await bridge.run_flows()
    assert await bridge.states() == ["done", "done"]
    assert await bridge.settle() == []
