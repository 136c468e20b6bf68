"""Posts of the list as events of the room: contents, sizes, relations; golden contents in tests/samples/render."""

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from passerelle.core.email import Protection
from passerelle.core.model import NewAttachment
from passerelle.matrix.html import sanitise
from passerelle.matrix.render import (
    DELIVERY_KEY,
    MAX_CONTENT_BYTES,
    ListPost,
    RoomContent,
    build_contents,
    content_size_bytes,
    notice,
    relate,
    with_media,
)
from passerelle.render import load_words

FRENCH = load_words("fr")
GOLDEN = Path(__file__).parents[2] / "samples" / "render"
WRITTEN = datetime(2026, 11, 12, 13, 5, tzinfo=UTC)
POST = ListPost(
    author_name="Monique", text="Bonjour à tous.", said_at=WRITTEN, accepted_at=WRITTEN + timedelta(minutes=1)
)


def build(post: ListPost, limit: int = 1_000_000) -> tuple[RoomContent, ...]:
    return build_contents(post, words=FRENCH, upload_limit_bytes=limit, delivery_key=lambda part: f"key-{part}")


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), orientation: int = 1) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size)
    exif = Image.Exif()
    exif[274] = orientation
    image.save(out, kind, exif=exif)
    return out.getvalue()


def attached(name: str, media_type: str, data: bytes) -> NewAttachment:
    return NewAttachment(position=1, filename=name, media_type=media_type, size_bytes=len(data), data=data)


QUOTING = "Moi !\n\nLe 3, Paul <paul@orange.fr> a écrit :\n> Qui vient ?"
LISTED = sanitise("<p>Bonjour <b>à tous</b>,</p><ul><li>voici</ul>")
FILES = (
    attached("salle.png", "image/png", picture()),
    attached("film.mp4", "video/mp4", bytes(2_000_000)),
)
GOLDEN_POSTS = {
    "post_first": replace(POST, subject="Fête des voisins", shows_subject=True, text="Qui vient ?\n- Paul\n- Annie"),
    "post_reply": replace(POST, subject="Fête", text="Moi !\n\n> Qui vient ?\nAvec Annie.", original=QUOTING),
    "post_late": replace(POST, accepted_at=WRITTEN + timedelta(hours=5)),
    "post_html": replace(POST, text="Bonjour à tous, voici", html=LISTED),
    "post_nameless_encrypted": replace(POST, author_name="paul@orange.fr", text="", protection=Protection.ENCRYPTED),
    "post_ghost": replace(POST, as_ghost=True, text="Bonjour @room"),
    "post_imitator": replace(POST, author_name="Мonique", looks_like="Monique"),
    "post_files": replace(POST, attachments=FILES),
}


@pytest.mark.parametrize("name", sorted(GOLDEN_POSTS))
def test_golden_contents(name: str) -> None:
    made = [dict(part.content) for part in build(GOLDEN_POSTS[name])]
    path = GOLDEN / f"{name}.json"
    shown = json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("PASSERELLE_WRITE_GOLDEN"):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


def test_name_stands_in_bold_on_the_first_line() -> None:
    (part,) = build(POST)
    assert part.content["formatted_body"] == "<strong>Monique</strong><br>Bonjour à tous."
    assert part.content["body"] == "Monique\u00a0:\nBonjour à tous."


def test_ghost_has_no_name_line() -> None:
    (part,) = build(replace(POST, as_ghost=True))
    assert part.content["formatted_body"] == "Bonjour à tous."


def test_address_never_stands_for_a_name() -> None:
    (part,) = build(replace(POST, author_name="monique@orange.fr"))
    assert "orange.fr" not in json.dumps(part.content)
    assert "<strong>Un membre de la liste</strong>" in part.content["formatted_body"]


def test_name_cannot_bring_html() -> None:
    (part,) = build(replace(POST, author_name="<img src=x>", subject="<script>", shows_subject=True))
    assert "<img" not in part.content["formatted_body"]
    assert "<script" not in part.content["formatted_body"]


def test_late_post_shows_when_it_was_written() -> None:
    (part,) = build(replace(POST, accepted_at=WRITTEN + timedelta(minutes=61)))
    assert "(écrit le 12 novembre à 14\u00a0h\u00a005)" in part.content["body"]
    (part,) = build(replace(POST, accepted_at=WRITTEN + timedelta(minutes=59)))
    assert "écrit le" not in part.content["body"]
    (part,) = build(replace(POST, said_at=WRITTEN + timedelta(days=3)))
    assert "écrit le" not in part.content["body"]


def test_nobody_is_pinged() -> None:
    for part in build(replace(GOLDEN_POSTS["post_files"], text="@room @lea:x", html="<b>@room</b>", original="@room")):
        assert part.content["m.mentions"] == {}
        assert "@room" not in json.dumps(part.content, ensure_ascii=False)


def test_every_part_carries_its_own_key() -> None:
    parts = build(replace(GOLDEN_POSTS["post_files"], original="entier"))
    assert [part.content[DELIVERY_KEY] for part in parts] == ["key-0", "key-1", "key-2"]


def test_original_is_attached_with_addresses_masked() -> None:
    part = build(GOLDEN_POSTS["post_reply"])[-1]
    assert (part.filename, part.content["filename"]) == ("original.txt", "original.txt")
    assert part.upload is not None
    assert part.upload.decode() == "Moi !\n\nLe 3, Paul <[adresse masquée]> a écrit :\n> Qui vient ?"


def test_addresses_in_quotes_are_masked_and_the_authors_own_stay() -> None:
    html = sanitise("<blockquote>Paul <a href='mailto:paul@orange.fr'>paul@orange.fr</a> :</blockquote>moi@asso.fr")
    (part,) = build(replace(POST, text="> Paul <paul@orange.fr> :\n> Qui ?\nÉcrivez à moi@asso.fr", html=html))
    for shown in (part.content["body"], part.content["formatted_body"]):
        assert "paul@orange.fr" not in shown
        assert "[adresse masquée]" in shown
        assert "moi@asso.fr" in shown


def test_file_over_the_limit_is_named_with_its_size() -> None:
    parts = build(replace(POST, attachments=(attached("plan.pdf", "application/pdf", bytes(32_000_000)),)), 20_000_000)
    assert len(parts) == 1
    assert "«\u00a0plan.pdf\u00a0» n’est pas arrivé" in parts[0].content["body"]
    assert "(32\u00a0Mo, 20\u00a0Mo au plus)" in parts[0].content["body"]


def test_mail_with_files_only_has_a_name_line() -> None:
    text, file = build(replace(POST, text="", attachments=(attached("a.pdf", "application/pdf", b"x"),)))
    assert text.content["body"] == "Monique\u00a0:"
    assert file.content["msgtype"] == "m.file"
    (only,) = build(replace(POST, text="", as_ghost=True, attachments=(attached("a.pdf", "application/pdf", b"x"),)))
    assert only.content["filename"] == "a.pdf"


def test_empty_mail_says_so() -> None:
    (part,) = build(replace(POST, text=" \n"))
    assert part.content["body"].endswith("(courriel sans texte)")


@pytest.mark.parametrize(
    ("name", "media_type", "data", "msgtype"),
    [
        ("a.png", "image/png", picture(), "m.image"),
        ("a.jpg", "image/jpeg", picture("JPEG"), "m.image"),
        ("a.svg", "image/svg+xml", b"<svg/>", "m.file"),
        ("a.png", "image/png", b"no picture", "m.file"),
        ("a.png", "image/png", picture("JPEG"), "m.file"),
        ("a.mp3", "audio/mpeg", b"x", "m.audio"),
        ("a.mp4", "video/mp4", b"x", "m.video"),
        ("a.html", "text/html", b"<script>", "m.file"),
    ],
)
def test_kind_of_file(name: str, media_type: str, data: bytes, msgtype: str) -> None:
    content = build(replace(POST, attachments=(attached(name, media_type, data),)))[1].content
    assert content["msgtype"] == msgtype
    assert content["info"]["size"] == len(data)
    assert ("w" in content["info"]) == (msgtype == "m.image")


def test_picture_on_its_side_is_measured_upright() -> None:
    data = picture("JPEG", (40, 20), orientation=6)
    info = build(replace(POST, attachments=(attached("a.jpg", "image/jpeg", data),)))[1].content["info"]
    assert (info["w"], info["h"]) == (20, 40)


def test_decompression_bomb_is_a_plain_file() -> None:
    bomb = bytearray(picture())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    content = build(replace(POST, attachments=(attached("a.png", "image/png", bytes(bomb)),)))[1].content
    assert content["msgtype"] == "m.file"


def test_long_mail_is_begun_and_attached_whole() -> None:
    text = "Compte rendu.\n\n" + "Une phrase de plus, à lire. " * 4000
    first, whole = build(replace(POST, text=text, html="<p>" + text + "</p>"))
    assert content_size_bytes(first.content) < MAX_CONTENT_BYTES
    assert "La suite est dans le fichier «\u00a0texte entier.txt\u00a0»" in first.content["body"]
    assert whole.upload is not None
    assert whole.upload.decode() == text


def test_text_longer_than_an_upload_is_several_files() -> None:
    text = "é" * 50_000
    parts = build(replace(POST, text=text), 30_000)
    assert all(part.upload is None or len(part.upload) <= 30_000 for part in parts)
    assert "".join(part.upload.decode() for part in parts[1:] if part.upload) == text
    assert parts[1].filename == "texte entier (1).txt"


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(max_size=40),
    name=st.text(max_size=200),
    subject=st.text(max_size=400),
    filename=st.text(min_size=1, max_size=400),
)
def test_every_event_stays_under_the_limit(text: str, name: str, subject: str, filename: str) -> None:
    files = (attached(filename, "application/pdf", bytes(100_001)),) * 3
    post = replace(POST, text=text * 700, author_name=name, subject=subject, shows_subject=True, attachments=files)
    for part in build(post, 100_000):
        event = {**part.content, "m.relates_to": {"rel_type": "m.thread", "event_id": "$" + "x" * 43}}
        # In an encrypted room the content is base64 of itself, in an event of its own.
        assert content_size_bytes(event) * 4 / 3 + 1500 < 65_536
        assert "\0" not in json.dumps(part.content, ensure_ascii=False)


def test_too_many_large_files_are_still_all_named_somewhere() -> None:
    files = tuple(attached(f"fichier-{n:04}-{'x' * 80}.pdf", "application/pdf", b"12345") for n in range(600))
    parts = build(replace(POST, attachments=files), 4)
    whole = b"".join(part.upload or b"" for part in parts).decode()
    assert all(f"fichier-{n:04}" in whole for n in range(600))


CONTENT: dict[str, Any] = {"msgtype": "m.text", "body": "a"}


def test_relations() -> None:
    assert relate(CONTENT, root=None) == CONTENT
    assert relate(CONTENT, root="$r")["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$r",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$r"},
    }
    assert relate(CONTENT, root="$r", parent="$p")["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$r",
        "is_falling_back": False,
        "m.in_reply_to": {"event_id": "$p"},
    }
    assert relate(CONTENT, root="$r", parent="$r")["m.relates_to"]["is_falling_back"] is True
    assert relate(CONTENT, root="$r", parent="$p", style="reply")["m.relates_to"] == {
        "m.in_reply_to": {"event_id": "$p"}
    }
    assert relate(CONTENT, root="$r", style="reply")["m.relates_to"] == {"m.in_reply_to": {"event_id": "$r"}}
    assert relate(CONTENT, root=None, parent="$p")["m.relates_to"] == {"m.in_reply_to": {"event_id": "$p"}}


def test_media_of_clear_and_encrypted_rooms() -> None:
    assert with_media(CONTENT, url="mxc://a/b")["url"] == "mxc://a/b"
    encrypted = with_media(CONTENT, url="mxc://a/b", file={"v": "v2"})
    assert encrypted["file"] == {"v": "v2", "url": "mxc://a/b"}
    assert "url" not in encrypted


def test_notice() -> None:
    plain = notice("Rien n’est perdu.", delivery_key="k")
    assert plain == {"msgtype": "m.notice", "body": "Rien n’est perdu.", "m.mentions": {}, DELIVERY_KEY: "k"}
    assert notice("a\n<b>", delivery_key="k")["formatted_body"] == "a<br>&lt;b&gt;"
