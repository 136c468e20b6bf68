"""Every real mail and every real event of other projects through the whole of their flow: none crashes, hangs, or costs
its neighbour anything; each is relayed, or its row says in plain words why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.core.ids import MailAddress
from passerelle.core.model import InboxRow, NewInboxRow
from passerelle.core.ports import EmailArrivals, ImapCursor, RawEmail, RoomUpdate, SyncArrivals
from passerelle.fetching import Fetching
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.homeserver import Request
from passerelle.matrix.media_repository import MediaRepository
from passerelle.matrix.render import content_size_bytes
from passerelle.store.attachments import claim_wanted
from passerelle.store.inbox import insert_inbox, list_inbox
from tests.flows.bridge import BRIDGE, LIST, ROOM, Bridge, MakeBridge, mail

#: As the list server sends it on.
LISTED = b"List-Id: <bureau.listes.lab.test>\r\n"
#: A homeserver refuses events over 65,536 bytes.
LARGEST_EVENT_BYTES = 65_536

MAILS = {
    "cpython-test_email": "*.txt",
    "imap_tools": "messages/**/*.eml",
    "mikel-mail": "emails/**/*.eml",
    "stalwart-mail-parser": "eml/**/*",
    "stalwart-mail-auth": "**/*.eml",
    "zbateson-mail-mime-parser": "emails/*.txt",
    "email-origin-chain": "fixtures/**/*.eml",
    "flufl-bounce": "tests/data/*.txt",
    "fiedl-extended_email_reply_parser": "**/*.eml",
    "dkimpy": "**/*.message*",
}
BODIES = {
    "crisp-email-forward-parser": "fixtures/*_body.txt",
    "crisp-email-reply-parser": "fixtures/*.txt",
    "discourse-email_reply_trimmer": "emails/*.txt",
    "fiedl-extended_email_reply_parser": "email_fixtures/*.txt",
    "github-email_reply_parser": "emails/*.txt",
    "mail-parser-reply": "emails*/*.txt",
    "melusine": "bodies/*.txt",
    "quotequail": "files/*",
    "valimail-arc-test-suite": "*.yml",
    "zapier-email-reply-parser": "emails/*.txt",
}
INVITATIONS = {"collective-icalendar": "**/*.[ij]c*", "node-ical": "**/*.ics"}
EVENTS = ("matrix-spec", "matrix-spec-proposals", "matrix-nio")


def files_of(corpora: Path, source: str, pattern: str) -> list[Path]:
    found = [path for path in sorted((corpora / source).glob(pattern)) if path.is_file()]
    return [path for path in found if path.suffix not in (".json", ".md") and not path.name.startswith("COPYING")]


# ---------------------------------------------------------------- mails


async def deliver(bridge: Bridge, samples: Sequence[tuple[str, bytes]]) -> dict[str, InboxRow]:
    """Put samples into the mailbox, a plain neighbour after each, and run the flows; each sample's row by its name.

    Asserts what holds whatever a sample is.
    """
    emails, names = [], {}
    for number, (name, raw) in enumerate(samples):
        neighbour = mail(f"Le voisin {number} est là.\n", subject=f"Voisin {number}", message_id=f"v{number}@x.test")
        for uid, content in ((2 * number + 1, raw), (2 * number + 2, neighbour)):
            emails.append(RawEmail(key=f"1:{uid}", raw=content, size_bytes=len(content), received_at=bridge.now()))
        names[f"1:{2 * number + 1}"] = name
    box = bridge.ctx.settings.mailboxes[0]
    assert all(bridge.intake.wanted(box, email.raw) for email in emails)
    cursor = None
    for start in range(0, len(emails), 50):
        chunk = tuple(emails[start : start + 50])
        after = ImapCursor(uidvalidity=1, last_uid=start + len(chunk))
        arrivals = EmailArrivals(source="imap:main", before=cursor, after=after, emails=chunk)
        await bridge.intake.take_emails(box, arrivals)
        cursor = after
    await bridge.run_flows()
    rows = await inbox_rows(bridge)
    assert {row.state for row in rows} <= {"done", "set_aside"}
    shown = await bridge.shown()
    for number in range(len(samples)):
        sentence = f"Le voisin {number} est là."
        assert sum(sentence in str(content["body"]) for content in shown) == 1, names[f"1:{2 * number + 1}"]
    await check_events(bridge)
    return {names[row.key]: row for row in rows if row.key in names}


async def inbox_rows(bridge: Bridge) -> list[InboxRow]:
    async with bridge.ctx.store.read() as conn:
        return await list_inbox(conn, limit=10_000)


async def check_events(bridge: Bridge) -> None:
    """Whatever leaves for the room can be sent: in size, as JSON in UTF-8, and without pinging anybody."""
    for row in await bridge.outbox():
        if row.kind in ("event", "direct"):
            content = dict(row.content or {})
            json.dumps(content, ensure_ascii=False).encode()
            assert content_size_bytes(content) < LARGEST_EVENT_BYTES - 5_000
            assert "@room" not in f"{content.get('body')}{content.get('formatted_body')}"
            assert content.get("m.mentions") == {}


def check_reasons(rows: Mapping[str, InboxRow]) -> None:
    """Who is not relayed has a reason in words; a coordinator reads it."""
    for name, row in rows.items():
        if row.state == "set_aside":
            assert len(row.reason) > 5, name
            assert "Traceback" not in row.reason, name
            assert "Error(" not in row.reason, name
            assert "flow broke off" not in row.reason, name
            assert "too long to read" not in row.reason, name


def relayed(rows: Mapping[str, InboxRow]) -> int:
    return sum(row.state == "done" and row.reason == "" for row in rows.values())


@pytest.mark.parametrize("source", MAILS)
async def test_every_sample_mail_is_relayed_or_set_aside(make_bridge: MakeBridge, corpora: Path, source: str) -> None:
    bridge = await make_bridge(fuse_per_hour=10_000)
    files = files_of(corpora, source, MAILS[source])
    rows = await deliver(bridge, [(str(path), LISTED + path.read_bytes()) for path in files])
    assert len(rows) == len(files) > 0
    check_reasons(rows)
    declined = {row.reason for row in rows.values() if row.state == "done" and row.reason}
    assert {why for why in declined if not why.startswith("automatic_")} <= {"duplicate", "spam"}
    # Bounces and reports are no posts; everywhere else most mails reach the room.
    if source not in ("flufl-bounce", "stalwart-mail-auth"):
        doubles = sum(row.reason == "duplicate" for row in rows.values())
        assert relayed(rows) > (len(files) - doubles) * 0.9


@pytest.mark.parametrize("source", BODIES)
async def test_every_sample_body_is_relayed(make_bridge: MakeBridge, corpora: Path, source: str) -> None:
    bridge = await make_bridge(fuse_per_hour=10_000)
    samples = [
        (str(path), wrapped(path.read_bytes(), number, html=path.suffix == ".html"))
        for number, path in enumerate(files_of(corpora, source, BODIES[source]))
    ]
    rows = await deliver(bridge, samples)
    assert len(rows) == len(samples) > 0
    assert {name: row.reason for name, row in rows.items() if row.reason not in ("", "duplicate")} == {}


async def test_every_mail_of_the_insurer_is_relayed(make_bridge: MakeBridge, corpora: Path) -> None:
    bridge = await make_bridge(fuse_per_hour=10_000)
    mails = json.loads((corpora / "melusine" / "emails.json").read_text())
    samples = [(f"melusine {n}", wrapped(one["body"].encode(), n)) for n, one in enumerate(mails)]
    rows = await deliver(bridge, samples)
    assert {name: row.reason for name, row in rows.items() if row.reason not in ("", "duplicate")} == {}


@pytest.mark.parametrize("source", INVITATIONS)
async def test_every_invitation_reaches_the_room_as_its_file(
    make_bridge: MakeBridge, corpora: Path, source: str
) -> None:
    bridge = await make_bridge(fuse_per_hour=10_000)
    files = files_of(corpora, source, INVITATIONS[source])
    samples = [(str(path), with_invitation(path, number)) for number, path in enumerate(files)]
    rows = await deliver(bridge, samples)
    assert {name: row.reason for name, row in rows.items() if row.reason} == {}
    shown = [row for row in await bridge.outbox("event") if row.upload_hash is not None]
    assert len(shown) >= len(files) > 0


def wrapped(body: bytes, number: int, *, html: bool = False) -> bytes:
    """A body as the mail that it came from may have been; its charset is for the reader to find."""
    head = (
        f"From: Paul Lefebvre <paul@membres.lab.test>\r\nTo: {LIST}\r\nSubject: [bureau] Sujet {number}\r\n"
        f"Date: Tue, 17 Nov 2026 10:00:00 +0000\r\nMessage-ID: <corps{number}@x.test>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/{'html' if html else 'plain'}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return LISTED + head.encode() + body


def with_invitation(path: Path, number: int) -> bytes:
    made = EmailMessage()
    made["From"] = "Paul Lefebvre <paul@membres.lab.test>"
    made["To"] = LIST
    made["Subject"] = f"[bureau] Invitation {number}"
    made["Message-ID"] = f"<invitation{number}@x.test>"
    made.set_content(f"Voici la réunion {number}.\n")
    subtype = "calendar" if path.suffix == ".ics" else "calendar+json"
    maintype = "text" if path.suffix == ".ics" else "application"
    made.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name)
    return LISTED + made.as_bytes()


# ---------------------------------------------------------------- events


def json_values(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                yield json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                continue


def events_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object that has the shape of an event or of its content, however deep it stands."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            if isinstance(one.get("content"), dict):
                yield one
            elif "msgtype" in one or "m.relates_to" in one:
                yield {"type": "m.room.message", "content": one}
        elif isinstance(one, list):
            waiting += one


async def happened(bridge: Bridge, samples: Iterable[dict[str, Any]]) -> dict[str, InboxRow]:
    """Let samples happen in the room, each under an ID and a sender of its own, a plain line after each.

    What intake would leave out (it is not something people say) is given to the flow all the same.
    """
    timeline, forced, names = [], [], {}
    for number, sample in enumerate(samples):
        event = {**sample, "event_id": f"$sample{number}", "room_id": ROOM, "origin_server_ts": now_ms(bridge)}
        event.setdefault("sender", "@lea:lab.test")
        names[f"$sample{number}"] = json.dumps(sample)
        forced.append(event)
        timeline += [
            event,
            bridge.event("@karim:lab.test", {"msgtype": "m.text", "body": f"La ligne {number} est là."}),
        ]
    for start in range(0, len(timeline), 100):
        await take(bridge, timeline[start : start + 100])
    async with bridge.ctx.store.write() as conn:
        await insert_inbox(conn, [row_of(bridge, event) for event in forced], bridge.now())
    await run_to_the_end(bridge)
    rows = await inbox_rows(bridge)
    return {names[row.key]: row for row in rows if row.key in names}


def now_ms(bridge: Bridge) -> int:
    return int(bridge.now().timestamp() * 1000)


class LostFiles:
    """A homeserver that has lost every file, under the real media repository."""

    def __init__(self) -> None:
        self.download = MediaRepository(self).download  # type: ignore[arg-type]

    async def fetch_bytes(self, request: Request, limit_bytes: int) -> bytes:
        raise MatrixRefusal(request.doing, errcode="M_NOT_FOUND", status=404)


async def look_for_files(bridge: Bridge) -> None:
    fetching = Fetching(bridge.ctx, LostFiles())  # type: ignore[arg-type]
    while rows := await claim_wanted(bridge.ctx.store, bridge.now(), limit=50):
        for row in rows:
            await fetching._one(row)


async def run_to_the_end(bridge: Bridge) -> None:
    """Run the flows, also of what waits for a key that never comes."""
    for _ in range(200):
        await bridge.run_flows()
        waiting = [row for row in await inbox_rows(bridge) if row.state == "waiting"]
        if not waiting:
            return
        assert {row.reason for row in waiting} <= {"", "its key has not come yet"}
        bridge.pass_time(seconds=21)
    raise AssertionError("the inbox does not drain")


async def take(bridge: Bridge, events: Sequence[dict[str, Any]]) -> None:
    before = f"s{bridge.token}" if bridge.token else None
    bridge.token += 1
    update = RoomUpdate(room_id=ROOM, timeline=tuple(events), state=tuple(e for e in events if "state_key" in e))
    await bridge.intake.take_sync(
        SyncArrivals(source="matrix", before=before, after=f"s{bridge.token}", rooms=(update,), live=True)
    )


def row_of(bridge: Bridge, event: Mapping[str, Any]) -> NewInboxRow:
    raw = json.dumps(event).encode()
    return NewInboxRow(
        source="matrix",
        key=str(event["event_id"]),
        kind="event",
        lane=bridge.link.inbox_lane,
        raw=raw,
        size_bytes=len(raw),
        received_at=bridge.now(),
        room_id=ROOM,
    )


async def said_in_mails(bridge: Bridge) -> str:
    await look_for_files(bridge)
    mails = [message.get_body(("plain",)) for message in await bridge.settle(minutes=200)]
    return "\n".join(str(part.get_content()) for part in mails if part is not None)


@pytest.mark.parametrize("source", EVENTS)
async def test_every_sample_event_is_taken_or_set_aside(make_bridge: MakeBridge, corpora: Path, source: str) -> None:
    bridge = await make_bridge(fuse_per_hour=10_000, mails_per_day=10_000)
    samples = [event for value in json_values(corpora / source) for event in events_in(value)]
    # A room that samples open to the world stops the link: that has tests of its own.
    samples = [s for s in samples if s.get("type") not in ("m.room.join_rules", "m.room.history_visibility")]
    rows = await happened(bridge, samples)
    assert len(rows) > 40
    for name, row in rows.items():
        assert row.state == "done" or len(row.reason) > 10, name
        assert "broke" not in row.reason, name
    assert any(row.reason == "" for row in rows.values())
    said = await said_in_mails(bridge)
    for number in range(len(samples)):
        assert said.count(f"La ligne {number} est là.") == 1


# ---------------------------------------------------------------- made up

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Content-Type", "Reply-To",
           "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version", "Sender", "X-Original-From",
           "Auto-Submitted", "X-Spam-Flag", "Content-Language"]  # fmt: skip
VALUES = ["multipart/mixed; boundary=b", "multipart/alternative; boundary=\"b\"", "text/html; charset=utf-8",
          "text/plain; format=flowed; delsp=yes", "base64", "quoted-printable", "text/calendar; method=REQUEST",
          "message/rfc822", "application/ms-tnef", "=?utf-8?B?w6k=?= <a@b.test>", "=?x?q?=00=0D=0A?=", "attachment",
          "<a@b.test> <c@d.test>", "attachment; filename*=utf-8''%0D%0AX", "Tue, 99 Foo 2026 99:99:99 +9999", "1.0",
          "multipart/signed; boundary=b", "image/png; name=\"../../x\""]  # fmt: skip
LINES = ["--b", "--b--", "", "> cité", "Le lun. 1 janv. 2026 à 10:00, Paul a écrit :", "-- ", "begin 644 x", "<p>a",
         "<blockquote type=cite>", "Content-Type: text/html", "=C3=A9=", "w6k=", "_____", "BEGIN:VCALENDAR", "@room",
         "-----BEGIN PGP MESSAGE-----", "\x00\x0b\x1b[31m"]  # fmt: skip
words = st.text(max_size=30) | st.sampled_from(LINES)


@st.composite
def made_mails(draw: st.DrawFn) -> bytes:
    fields = draw(st.lists(st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | words), max_size=10))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    body = draw(
        st.lists(words, max_size=15).map("\r\n".join) | st.binary(max_size=200).map(lambda b: b.decode("latin1"))
    )
    charset = draw(st.sampled_from(["utf-8", "latin-1", "utf-16"]))
    return LISTED + f"{head}\r\n{body}".encode(charset, "replace")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=made_mails())
async def test_mails_made_up_are_relayed_or_set_aside(bridge: Bridge, raw: bytes) -> None:
    before = len(await bridge.shown())
    await bridge.receive(raw)
    await bridge.receive(
        mail(f"Le voisin {before}.\n", subject=f"Voisin {before}", message_id=f"{next(bridge.events)}@v")
    )
    assert f"Le voisin {before}." in str((await bridge.shown())[-1]["body"])
    assert set(await bridge.states()) <= {"done", "set_aside"}
    await check_events(bridge)


TYPES = ["m.room.message", "m.reaction", "m.room.redaction", "m.sticker", "m.poll.start", "m.room.encrypted",
         "org.matrix.msc3381.poll.start", "m.room.member", "m.room.name"]  # fmt: skip
KEYS = ["msgtype", "body", "format", "formatted_body", "m.relates_to", "m.new_content", "url", "file", "info", "key",
        "filename", "geo_uri", "m.poll", "question", "answers", "redacts", "membership", "displayname", "rel_type",
        "event_id", "m.in_reply_to"]  # fmt: skip
ATOMS = ["m.text", "m.image", "m.audio", "m.emote", "m.notice", "m.location", "m.replace", "m.thread", "m.annotation",
         "$event1", "org.matrix.custom.html", "mxc://a/b", "geo:1,2", "join", "// x", "<p>x", "\x00\ud800"]  # fmt: skip
contents = st.recursive(
    st.sampled_from(ATOMS) | st.none() | st.integers() | st.floats() | st.booleans() | st.text(max_size=20),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.dictionaries(st.sampled_from(KEYS), contents, max_size=6),
    kind=st.sampled_from(TYPES),
    state=st.booleans(),
)
async def test_events_made_up_are_taken_or_set_aside(
    bridge: Bridge, content: dict[str, Any], kind: str, state: bool
) -> None:
    event = bridge.event("@lea:lab.test", content, kind, **({"state_key": "@ines:lab.test"} if state else {}))
    await bridge.happen(event)
    neighbour = await bridge.say("Un voisin.")
    await run_to_the_end(bridge)
    rows = {row.key: row for row in await inbox_rows(bridge)}
    assert rows[neighbour].reason == ""
    assert all(row.state == "done" or row.reason for row in rows.values())


async def test_every_sample_bounce_to_the_bridge_itself_is_taken_and_never_answered(
    bridge: Bridge, corpora: Path
) -> None:
    """Every real bounce, as what comes back to our own address."""
    box = bridge.ctx.settings.mailboxes[0]
    files = files_of(corpora, "flufl-bounce", MAILS["flufl-bounce"])
    emails = [
        RawEmail(
            key=path.name,
            raw=path.read_bytes(),
            size_bytes=path.stat().st_size,
            received_at=bridge.now(),
            recipient=MailAddress(BRIDGE),
            envelope_from="",
        )
        for path in files
    ]
    await bridge.intake.take_lmtp(box, emails)
    await bridge.run_flows()
    rows = await inbox_rows(bridge)
    assert len(rows) == len(files) > 100
    assert {row.state for row in rows} <= {"done", "set_aside"}
    assert all(row.reason and "broke" not in row.reason for row in rows)
    assert await bridge.shown() == []
    assert await bridge.personal_mails() == []


@pytest.mark.parametrize(
    ("raw", "envelope_from", "reason"),
    [
        (mail("Je suis absente.\n"), "", "automatic_null-return-path"),
        (mail("Bonjour.\n", to="x@y.test", list_id="<autre.test>"), "autre-bounces@y.test", "foreign_list"),
        (mail("Un mot caché.\n", to="undisclosed-recipients:;", list_id=None), "jean@x.test", "to_the_bridge"),
    ],
)
async def test_what_the_mail_server_hands_over_is_kept_and_judged_by_its_envelope(
    bridge: Bridge, raw: bytes, envelope_from: str, reason: str
) -> None:
    email = RawEmail(
        key="one",
        raw=raw,
        size_bytes=len(raw),
        received_at=bridge.now(),
        recipient=MailAddress(BRIDGE),
        envelope_from=envelope_from,
    )
    await bridge.intake.take_lmtp(bridge.ctx.settings.mailboxes[0], [email])
    await bridge.run_flows()
    assert await bridge.reasons() == [reason]
    assert await bridge.shown() == []
