"""What `passerelle archive export` writes: the same bytes of every email, every post, checksums that hold."""

import gzip
import hashlib
import json
import mailbox
import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, LinkName, MailAddress, MessageId, PostId, RoomId, UserId
from passerelle.core.model import NewAttachment, NewPost, RoomEvent
from passerelle.core.permalinks import short_name
from passerelle.exports.mailboxes import mboxrd_entry
from passerelle.imports.mbox import MboxFile
from passerelle.imports.source import SourceMail
from passerelle.store.attachments import insert_attachments
from passerelle.store.blobs import insert_blob
from passerelle.store.cross_posts import insert_cross_posts
from passerelle.store.posts import insert_post, insert_room_event
from passerelle.store.threads import insert_thread
from tests.unit.cli.conftest import AT, LINK, A, Desk

CRLF = b"From: Monique <monique@example.org>\r\nMessage-ID: <a@x>\r\n\r\nBonjour\r\nFrom la mairie\r\n>From ici\r\n"
LF = b"From: Paul <paul@example.org>\nMessage-ID: <b@x>\nContent-Type: text/plain; charset=latin1\n\n\xe9t\xe9\n\n\n"
CUT = b"From: Annie <annie@example.org>\nMessage-ID: <c@x>\n\nsans fin de ligne"
SCRIPT = "<script>document.title='pris'</script> L’été à la réunion"


async def fill(conn: AsyncConnection) -> None:
    """Three emails, a line of the room, a post that was hidden, and a file that stands twice."""
    thread_id = await insert_thread(conn, A, "La fête", AT)

    async def post(name: str, **values: Any) -> PostId:
        said_at = AT + timedelta(minutes=len(name))
        given = {"association": A, "link": LINK, "side": "list", "content_hash": name, "thread_id": thread_id}
        given |= {"said_at": said_at, "accepted_at": said_at, "permalink": short_name(A, name)}
        return await insert_post(conn, NewPost(**(given | values)))

    for raw, name in ((CRLF, "a@x"), (LF, "bb@x"), (CUT, "ccc@x")):
        id = await post(
            name,
            message_id=MessageId(name),
            raw_hash=await insert_blob(conn, raw),
            author_name="Monique",
            author_address=MailAddress("monique@example.org"),
            subject="La fête",
            text="Bonjour",
        )
        files = (NewAttachment(position=0, filename="Affiche <b>.html", media_type="text/html", data=b"<p>file"),)
        await insert_attachments(conn, id, files, AT)
    line = await post(
        "$eventeventevent",
        side="room",
        author_name="Léa",
        author_user_id=UserId("@lea:example.org"),
        text=SCRIPT,
        raw_hash=await insert_blob(conn, b'{"event_id":"$e"}'),
        parent_post_id=id,
    )
    await insert_room_event(
        conn, RoomEvent(event_id=EventId("$e"), room_id=RoomId("!r"), post_id=line, part=0, thread_root_event_id=None,
                        outbox_id=None, said_at=AT)
    )  # fmt: skip
    await post("hiddenhiddenhiddenhidden", state="hidden", text="motsecret", author_name="Karim")


@pytest.fixture
def exported(desk: Desk, tmp_path: Path) -> Path:
    desk.write(fill)
    result = desk.run("archive", "export", "epeule", "--to", str(tmp_path / "export"))
    assert result.exit_code == 0, result.output
    assert "4 posts" in result.output
    return tmp_path / "export"


def test_every_checksum_holds_and_nobody_else_may_read(exported: Path) -> None:
    shell = shutil.which("sha256sum")
    assert shell is not None
    subprocess.run([shell, "--check", "--quiet", "SHA256SUMS"], cwd=exported, check=True)
    named = {line.split("  ", 1)[1] for line in (exported / "SHA256SUMS").read_text().splitlines()}
    there = {str(p.relative_to(exported)) for p in exported.rglob("*") if p.is_file()}
    assert there - named == {"SHA256SUMS"}
    assert all(p.stat().st_mode & 0o077 == 0 for p in [exported, *exported.rglob("*")])


def test_the_maildir_has_the_same_bytes(exported: Path) -> None:
    mails = mailbox.Maildir(exported / "maildir/epeule/bureau", create=False)
    raws = [mails.get_bytes(key) for key in mails.keys()]  # noqa: SIM118 - no dict
    assert sorted(r for r in raws if b"X-Passerelle-Event" not in r) == sorted([CRLF, LF, CUT])
    assert len(raws) == 4


def test_our_own_reader_finds_the_same_bytes_in_the_mbox(exported: Path) -> None:
    read = [m for m in MboxFile(exported / "emails/epeule/bureau.mboxrd.gz").read(None)]
    raws = [m.raw for m in read if isinstance(m, SourceMail)]
    assert len(raws) == len(read) == 4
    assert [r for r in raws if b"X-Passerelle-Event" not in r] == [CRLF, LF, CUT + b"\n"]
    assert json.loads((exported / "manifest.json").read_text())["line_end_added_in_mbox"] == 1


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_json_has_every_post_and_nothing_of_a_hidden_one(exported: Path) -> None:
    lines = json_lines(exported / "json/posts.jsonl.gz")
    assert [post["state"] for post in lines] == ["accepted"] * 4 + ["hidden"]
    assert lines[3]["text"] == SCRIPT
    assert lines[3]["parent"] == lines[2]["permalink"]
    assert hashlib.sha256(CRLF).hexdigest() == lines[0]["original"]
    file = lines[0]["files"][0]
    assert (exported / file["path"]).read_bytes() == b"<p>file"
    assert file["path"].endswith(".bin"), "a page in a file would run when it is opened"
    events = json_lines(exported / "json/events.jsonl.gz")
    assert [event["event_id"] for event in events] == ["$e"]
    everything = b"".join(p.read_bytes() for p in exported.rglob("*") if p.is_file() and p.suffix != ".gz")
    assert b"motsecret" not in everything


def test_pages_carry_no_address_and_no_markup_of_others(exported: Path) -> None:
    page = next((exported / "pages/t").iterdir()).read_text()
    assert "<script>document" not in page
    assert "Léa (salon)" in page
    assert "Un message retiré" in page
    pages = "".join(p.read_text() for p in exported.rglob("*") if p.suffix in (".html", ".js"))
    assert "@example.org" not in pages


def test_a_folder_that_is_not_empty_is_left_alone(desk: Desk, exported: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in exported.rglob("*")}
    result = desk.run("archive", "export", "epeule", "--to", str(exported))
    assert result.exit_code == 1
    assert "--force" in result.output
    assert {p: p.stat().st_mtime_ns for p in exported.rglob("*")} == before
    assert desk.run("archive", "export", "epeule/bureau", "--to", str(exported), "--force").exit_code == 0


def test_force_replaces_an_export_and_nothing_else(desk: Desk, tmp_path: Path) -> None:
    """`--to ~ --force` is soon typed."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "photos.txt").write_text("Zoé")
    result = desk.run("archive", "export", "epeule", "--to", str(home), "--force")
    assert result.exit_code == 1
    assert (home / "photos.txt").read_text() == "Zoé"


async def hide_all(conn: AsyncConnection) -> None:
    """A conversation of which nothing is shown any more."""
    thread_id = await insert_thread(conn, A, "Sujetsecret", AT)
    new = NewPost(
        association=A, link=LINK, side="list", content_hash="x", thread_id=thread_id, said_at=AT, accepted_at=AT,
        permalink="x", state="hidden", subject="sujetsecret", message_id=MessageId("x@x"),
    )  # fmt: skip
    await insert_post(conn, new)


def test_what_is_hidden_names_no_conversation(desk: Desk, tmp_path: Path) -> None:
    desk.write(hide_all)
    assert desk.run("archive", "export", "epeule", "--to", str(tmp_path / "export")).exit_code == 0
    files = [p for p in (tmp_path / "export").rglob("*") if p.is_file()]
    data = [gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in files]
    assert b"sujetsecret" not in b"".join(data).lower()


async def cross(conn: AsyncConnection) -> None:
    """An email to another list of the association too, which came there first."""
    thread_id = await insert_thread(conn, A, "Pour tous", AT)
    new = NewPost(
        association=A, link=LinkName("autre"), side="list", content_hash="x", thread_id=thread_id, said_at=AT,
        accepted_at=AT, permalink="x", message_id=MessageId("b@x"), raw_hash=await insert_blob(conn, LF),
    )  # fmt: skip
    await insert_cross_posts(conn, LINK, [await insert_post(conn, new)])


def test_an_email_to_two_lists_stands_in_the_mailbox_of_each(desk: Desk, tmp_path: Path) -> None:
    desk.write(cross)
    result = desk.run("archive", "export", "epeule/bureau", "--to", str(tmp_path / "export"))
    assert "1 posts" in result.output
    assert LF in gzip.decompress((tmp_path / "export/emails/epeule/bureau.mboxrd.gz").read_bytes())
    assert len(gzip.decompress((tmp_path / "export/json/posts.jsonl.gz").read_bytes()).splitlines()) == 1


def test_only_what_was_said_then(desk: Desk, exported: Path, tmp_path: Path) -> None:
    result = desk.run("archive", "export", "epeule", "--to", str(tmp_path / "none"), "--since", "2026-11-13")
    assert "0 posts" in result.output
    assert not list((tmp_path / "none").glob("emails/**/*.gz"))
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


_LINE = st.sampled_from([b"", b"From x", b">From x", b">>From ", b"From ", b"texte", b"\xe9\x00", b"Content-Length: 3"])


@given(st.lists(st.lists(_LINE, min_size=1, max_size=6), min_size=1, max_size=4), st.sampled_from([b"\n", b"\r\n"]))
def test_an_mbox_gives_back_what_was_put_in(bodies: list[list[bytes]], end: bytes) -> None:
    mails = [b"Subject: a" + end + end + end.join(body) + end for body in bodies]
    data = b"".join(mboxrd_entry(m, envelope_from="a@x", received_at=AT) for m in mails)
    path = Path(f"/tmp/passerelle-{os.getpid()}.mboxrd")
    path.write_bytes(data)
    try:
        read = [m.raw for m in MboxFile(path, "mboxrd").read(None) if isinstance(m, SourceMail)]
    finally:
        path.unlink()
    assert read == mails
