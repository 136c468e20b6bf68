"""Mails to the list and to persons: what a relay, a list server and a 70-year-old treasurer find in them."""

import email
import email.policy
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.ids import MailAddress, MessageId
from passerelle.errors import MalformedEmail
from passerelle.mail.compose import (
    BatchCorrection,
    BatchFile,
    BatchMail,
    BatchReaction,
    BatchSpoken,
    ListNotice,
    PersonalMail,
    compose_batch,
    compose_list_notice,
    compose_personal,
    first_words,
)
from passerelle.mail.compose_text import mail_html, mail_text
from passerelle.render import Renderer

RENDER = Renderer(None, "fr")
GOLDEN = Path(__file__).parents[2] / "samples" / "render"
SAID = datetime(2026, 11, 12, 13, 5, tzinfo=UTC)
BRIDGE = MailAddress("passerelle@asso.example")
LIST = MailAddress("bureau@listes.example")


def spoken(author: str, text: str, minutes: float = 0, **more: Any) -> BatchSpoken:
    return BatchSpoken(author=author, said_at=SAID + timedelta(minutes=minutes), text=text, **more)


def file(name: str, media_type: str, data: bytes | None, voice_ms: int | None = None) -> BatchFile:
    return BatchFile(
        filename=name, media_type=media_type, size_bytes=len(data or b""), data=data, voice_duration_ms=voice_ms
    )


MAIL = BatchMail(
    bridge_address=BRIDGE,
    list_address=LIST,
    reply_to=LIST,
    subject="",
    is_reply=False,
    lines=(spoken("Léa", "Bonjour ! Qui apporte les tables samedi ?"),),
    message_id=MessageId("abc.1@asso.example"),
    date=SAID + timedelta(minutes=20),
    marker="v1 0123456789abcdef",
    attachments_limit_bytes=10_000_000,
)
CONVERSATION = replace(
    MAIL,
    subject="Fête des voisins",
    is_reply=True,
    in_reply_to=MessageId("q@orange.example"),
    references=(MessageId("p@orange.example"), MessageId("q@orange.example")),
    line_marks="aaaa bbbb cccc",
    lines=(
        spoken(
            "Léa",
            "Qui apporte les **tables** ? Karim ?",
            html="Qui apporte les <strong>tables</strong> ? "
            '<a href="https://matrix.to/#/@karim:asso.example">Karim</a> ? '
            'Voir <a href="https://asso.example/">le plan</a>.',
        ),
        spoken("Karim", "Moi.\nJ’en ai deux.", 7),
        spoken("Karim", "", 8, files=(file("tables.jpg", "image/jpeg", b"jpeg"), file("a.mp4", "video/mp4", None))),
        spoken("Karim", "danse", 9, is_emote=True),
        spoken("Léa", "", 12, files=(file("Message vocal de Léa (1 min 12 s).mp3", "audio/mpeg", b"mp3", 72_000),)),
    ),
    corrections=(BatchCorrection(author="Léa", said_at=SAID - timedelta(days=1), text="Rendez-vous à 15 h."),),
    reactions=(BatchReaction(names=("Karim", "Léa"), key="👍", excerpt="Ordre du jour de jeudi"),),
)
EVENING = replace(
    MAIL,
    subject="Dans le salon aujourd’hui",
    lines=(
        spoken("Léa", "Qui ferme la salle ?", -60, topic="Clés"),
        spoken("Paul", "Moi.", -50, topic="Clés"),
        spoken("Léa", "Il reste du gâteau.", -10, topic="Goûter"),
    ),
)


def composed(mail: BatchMail) -> EmailMessage:
    raw = compose_batch(mail, render=RENDER)
    assert_seven_bit(raw)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def assert_seven_bit(raw: bytes) -> None:
    assert raw.isascii()
    assert b"\0" not in raw
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert raw.count(b"\r") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def part_text(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content = body.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


@pytest.mark.parametrize(("name", "mail"), [("mail_conversation", CONVERSATION), ("mail_evening", EVENING)])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_golden_mails(name: str, mail: BatchMail, kind: str) -> None:
    path = GOLDEN / f"{name}.{'txt' if kind == 'plain' else 'html'}"
    shown = part_text(composed(mail), kind)
    if os.environ.get("PASSERELLE_WRITE_GOLDEN"):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


def test_fields_of_a_new_conversation() -> None:
    message = composed(MAIL)
    assert message["From"] == '"Léa (salon)" <passerelle@asso.example>'
    assert message["To"] == message["Reply-To"] == LIST
    assert message["Subject"] == "Bonjour ! Qui apporte les tables samedi ?"
    assert message["Message-ID"] == "<abc.1@asso.example>"
    assert message["X-Passerelle"] == "v1 0123456789abcdef"
    assert message["Date"].datetime == MAIL.date
    for absent in ("Auto-Submitted", "In-Reply-To", "References", "Precedence", "X-No-Archive", "X-Passerelle-Lines"):
        assert absent not in message
    assert not [name for name in message if name.lower().startswith("list-")]


def test_fields_of_an_answer() -> None:
    message = composed(CONVERSATION)
    assert message["Subject"] == "Re: Fête des voisins"
    assert message["In-Reply-To"] == "<q@orange.example>"
    assert message["References"].split() == ["<p@orange.example>", "<q@orange.example>"]
    assert message["From"].addresses[0].display_name == "Léa, Karim (salon)"
    assert message["X-Passerelle-Lines"] == "aaaa bbbb cccc"


def test_reply_to_is_left_to_the_list_where_it_sets_it() -> None:
    assert "Reply-To" not in composed(replace(MAIL, reply_to=None))


def test_archives_are_asked_to_leave_it_out() -> None:
    assert composed(replace(MAIL, no_archive=True))["X-No-Archive"] == "Yes"


def test_where_it_is_archived_stands_in_fields_of_its_own() -> None:
    pages = ("https://archives.example.org/epeule/m/abc.1@asso.example", "https://archives.example.org/epeule/p/abcd")
    long = "https://archives.example.org/epeule/m/" + "a" * 80 + "%C3%A9@asso.example"
    message = composed(replace(MAIL, archived_at=(*pages, pages[0], long)))
    assert message.get_all("Archived-At") == [*(f"<{page}>" for page in pages), f"<{long}>"]
    assert all(len(line) <= 998 for line in message.as_bytes().split(b"\n"))
    assert "Archived-At" not in composed(MAIL)
    for wrong in ("https://a.example/ b", "javascript:alert(1)", "https://a.example/<x>", "https://" + "a" * 2000):
        with pytest.raises(MalformedEmail):
            composed(replace(MAIL, archived_at=(wrong,)))


def test_text_comes_first_and_html_beside_it() -> None:
    kinds = [part.get_content_type() for part in composed(CONVERSATION).walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/jpeg",
        "audio/mpeg",
    ]


def test_attached_files_have_their_names() -> None:
    image, voice = composed(CONVERSATION).iter_attachments()
    assert (image.get_filename(), image.get_content_disposition()) == ("tables.jpg", "inline")
    assert voice.get_filename() == "Message vocal de Léa (1 min 12 s).mp3"
    assert voice.get_content() == b"mp3"


def test_file_over_the_limit_is_named_with_its_size() -> None:
    line = spoken(
        "Léa", "", files=(file("a.pdf", "application/pdf", bytes(600)), file("b.pdf", "application/pdf", bytes(600)))
    )
    message = composed(replace(MAIL, lines=(line,), attachments_limit_bytes=1000))
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.pdf"]
    assert "[b.pdf (600\u00a0octets) est resté dans le salon" in part_text(message)
    assert message["Subject"] == "Un fichier de Léa"


def test_message_and_multipart_files_are_carried_whole() -> None:
    line = spoken(
        "Léa",
        "",
        files=(file("a.eml", "message/rfc822", b"From: x\n\nFrom y"), file("é/../b", "multipart/mixed", b"--x")),
    )
    files = list(composed(replace(MAIL, lines=(line,))).iter_attachments())
    assert [part.get_content() for part in files] == [b"From: x\n\nFrom y", b"--x"]
    assert [part.get_content_type() for part in files] == ["application/octet-stream"] * 2
    assert files[1].get_filename() == "é_.._b"


def test_lines_of_one_author_stand_under_one_name() -> None:
    mail = replace(MAIL, lines=(spoken("Léa", "un"), spoken("Léa", "deux", 3), spoken("Léa", "trois", 40)))
    text = part_text(composed(mail))
    assert text.startswith("Léa, 14\u00a0h\u00a005\u00a0:\nun\ndeux\n\nLéa, 14\u00a0h\u00a045\u00a0:\ntrois\n")


def test_lines_of_another_day_say_so() -> None:
    text = part_text(composed(replace(MAIL, date=SAID + timedelta(days=1))))
    assert text.startswith("Léa, jeudi 12 novembre à 14\u00a0h\u00a005\u00a0:\n")


def test_author_without_a_usable_name() -> None:
    message = composed(replace(MAIL, lines=(spoken("lea@orange.fr", "Bonjour"),)))
    assert "orange.fr" not in str(message)
    assert message["From"].addresses[0].display_name == "Une personne du salon (salon)"


def test_the_same_input_gives_the_same_bytes() -> None:
    assert compose_batch(CONVERSATION, render=RENDER) == compose_batch(CONVERSATION, render=RENDER)


def test_html_of_the_room_cannot_smuggle() -> None:
    odd = '<script>x</script><img src="https://t/1.gif"><p onclick=x style="color:red">Léa</p>'
    odd += '<a href="javascript:x">b</a>'
    html = part_text(composed(replace(MAIL, lines=(spoken("<b>Léa</b>", "x", html=odd),))), "html")
    body = html.partition("<main")[2]
    assert not re.search(r"<script|<img|onclick|javascript|color:red|<b>Léa", body)


def test_html_is_accessible() -> None:
    html = part_text(composed(CONVERSATION), "html")
    assert '<html lang="fr">' in html
    assert 'name="color-scheme" content="light dark"' in html
    assert html.count("<h2") == 4
    assert "<table" not in html


ids = st.from_regex(r"[a-z0-9.]{1,60}@[a-z0-9.]{1,60}", fullmatch=True).map(MessageId)


@settings(max_examples=150, deadline=None)
@given(
    name=st.text(max_size=150),
    subject=st.text(max_size=400),
    text=st.text(max_size=300),
    filename=st.text(max_size=200),
    references=st.lists(ids, max_size=60),
    is_reply=st.booleans(),
)
def test_header_injection_is_impossible(
    name: str, subject: str, text: str, filename: str, references: list[MessageId], is_reply: bool
) -> None:
    injection = "\r\nBcc: tous@liste.example\r\n\r\n<b>"
    mail = replace(
        CONVERSATION,
        subject=subject + injection,
        is_reply=is_reply,
        references=tuple(references),
        in_reply_to=references[-1] if references else None,
        lines=(spoken(name + injection, text + injection, files=(file(filename + injection, "image/png", b"x"),)),),
        reactions=(BatchReaction(names=(name,), key=injection, excerpt=text),),
    )
    raw = compose_batch(mail, render=RENDER)
    assert_seven_bit(raw)
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    expected = {"From", "To", "Subject", "Date", "Message-ID", "X-Passerelle", "X-Passerelle-Lines", "Reply-To",
                "MIME-Version", "Content-Type"}  # fmt: skip
    threading = {"In-Reply-To", "References"} if references else set()
    assert sorted(message.keys()) == sorted(expected | threading)
    assert not message.defects
    assert [part.get_content_type() for part in message.walk()][-1] == "image/png"


@pytest.mark.parametrize(
    "change",
    [
        {"bridge_address": MailAddress("a@b\r\nBcc: c@d")},
        {"list_address": MailAddress("a, c@d")},
        {"list_address": MailAddress("é@d.example")},
        {"message_id": MessageId("a>\r\nBcc: b")},
    ],
)
def test_addresses_and_ids_that_cannot_be_written_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedEmail):
        compose_batch(replace(MAIL, **change), render=RENDER)


@pytest.mark.parametrize("marker", ["v1\r\nBcc: a@b", "v1 é", ""])
def test_marker_that_cannot_be_written_is_refused(marker: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        compose_batch(replace(MAIL, marker=marker), render=RENDER)


def test_odd_references_are_left_out_and_long_ones_cut() -> None:
    many = tuple(MessageId(f"{'x' * 60}{n}@y.example") for n in range(300))
    mail = replace(CONVERSATION, references=(MessageId("a b@c\r\nX: y"), *many), in_reply_to=many[-1])
    found = composed(mail)["References"].split()
    assert found[0] == f"<{many[0]}>"
    assert found[-1] == f"<{many[-1]}>"
    assert len(found) == 20


def test_international_domain_is_written_in_ascii() -> None:
    message = composed(replace(MAIL, list_address=MailAddress("bureau@épeule.example")))
    assert message["To"] == "bureau@xn--peule-9ra.example"


@pytest.mark.parametrize(
    "name", ['Zoé "la" \\ Belle', 'Zoe "la" \\ Belle', "a" * 40 + "é" * 30, "=?utf-8?q?x?=", "王小明"]
)
def test_display_names_survive(name: str) -> None:
    mail = PersonalMail(**{**PERSONAL, "from_name": name})
    # `policy.default` puts a space between adjacent encoded words of a phrase, against RFC 2047 §6.2.
    field = email.message_from_bytes(compose_personal(mail), policy=email.policy.compat32)["From"]
    assert parseaddr("".join(field.splitlines()))[1] == BRIDGE
    shown = parseaddr("".join(field.splitlines()))[0]
    assert str(make_header(decode_header(shown))) == name


PERSONAL: dict[str, Any] = {
    "from_name": "Comité de l’Épeule",
    "bridge_address": BRIDGE,
    "to_address": MailAddress("paul@orange.example"),
    "to_name": "Paul",
    "subject": "Votre courriel n’est pas arrivé dans le salon",
    "text": "Bonjour,\n\nRenvoyez-le sans elle.\n",
    "message_id": MessageId("n.1@asso.example"),
    "date": SAID,
    "marker": "v1 abcd",
}


@pytest.mark.parametrize("kind", ["generated", "replied"])
def test_personal_mail_says_that_a_program_wrote_it(kind: str) -> None:
    raw = compose_personal(PersonalMail(**PERSONAL, auto_submitted=kind, in_reply_to=MessageId("q@x.example")))
    assert_seven_bit(raw)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Auto-Submitted"] == f"auto-{kind}"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["In-Reply-To"] == message["References"] == "<q@x.example>"
    assert message.get_content_type() == "text/plain"
    assert isinstance(message, EmailMessage)
    assert message.get_content().replace("\r\n", "\n") == PERSONAL["text"]


def test_notice_to_a_list_is_not_marked_as_automatic() -> None:
    notice = ListNotice(
        from_name="Comité",
        bridge_address=BRIDGE,
        list_address=LIST,
        reply_to=MailAddress("monique@orange.example"),
        subject="Nos courriels",
        text="Bonjour\n",
        message_id=MessageId("n.2@asso.example"),
        date=SAID,
        marker="v1 abcd",
    )
    message = email.message_from_bytes(compose_list_notice(notice), policy=email.policy.default)
    assert "Auto-Submitted" not in message
    assert message["Reply-To"] == "monique@orange.example"
    assert message["To"] == LIST


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Bonjour", "Bonjour"),
        ("\n> cité\nQui vient ?", "cité"),
        ("**Réunion** jeudi", "Réunion** jeudi"),
        ("Qui peut apporter les tables et les chaises samedi avant dix heures ?",
         "Qui peut apporter les tables et les chaises samedi avant…"),
        ("x" * 100, "x" * 60 + "…"),
        ("\n\n", ""),
    ],
)  # fmt: skip
def test_first_words(text: str, subject: str) -> None:
    assert first_words(text) == subject


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Bonjour<br>à tous", "Bonjour\nà tous"),
        ("<p>un</p><p>deux</p>", "un\n\ndeux"),
        ("<ul><li>un</li><li>deux<ol start=3><li>a</li><li>b</li></ol></li></ul>", "- un\n- deux\n  3. a\n  4. b"),
        ("<blockquote><p>avant</p></blockquote>après", "> avant\n\naprès"),
        ('<a href="https://matrix.to/#/%40karim%3Ax">Karim</a>', "Karim"),
        ('<a href="https://asso.fr/x">le plan</a>', "le plan (https://asso.fr/x)"),
        ('<a href="https://asso.fr/x">https://asso.fr/x</a>', "https://asso.fr/x"),
        ("le <del>jeudi</del> vendredi", "le (barré\u00a0: jeudi) vendredi"),
        ("<strong>oui</strong> et <em>non</em>", "*oui* et non"),
        ('<span data-mx-spoiler="x">la fin</span>', "(passage caché\u00a0: la fin)"),
        ("<pre><code>a\n  b\n</code></pre>c", "a\n  b\n\nc"),
        ("<table><tr><th>Nom</th><th>Prix</th></tr><tr><td>A</td><td>5</td></tr></table>", "Nom | Prix\nA | 5"),
        ('<img src="mxc://x/y" alt=":merci:" data-mx-emoticon>', ":merci:"),
        ("<h1>Titre</h1>suite", "Titre\nsuite"),
        ("<mx-reply>x</mx-reply>oui", "oui"),
    ],
)  # fmt: skip
def test_matrix_formatting_as_text(html: str, text: str) -> None:
    assert mail_text(html, RENDER.words) == text


def test_mention_is_a_name_and_no_link() -> None:
    html = '<a href="https://matrix.to/#/@karim:x">Karim</a>, <a href="https://x.fr/">x</a>'
    assert mail_html(html, RENDER.words) == '<strong>Karim</strong>, <a href="https://x.fr/">x</a>'


SCRAPS = ["<b>", "</b>", "<ul>", "<li>", "</ul>", "<pre>", "</pre>", "<blockquote>", "</blockquote>", "mot", "\n",
          "<table><tr><td>", "<script>x</script>", "<a href=https://x>", "</a>", "<br>", "<details><summary>",
          "<span data-mx-spoiler>"]  # fmt: skip


@pytest.mark.parametrize("convert", [mail_text, mail_html])
@settings(deadline=None)
@given(parts=st.lists(st.sampled_from(SCRAPS), max_size=20))
def test_any_mixture_of_html_is_survived(convert: Callable[..., str], parts: list[str]) -> None:
    made = convert("".join(parts), RENDER.words)
    assert made.count("mot") == parts.count("mot")
    assert "<script" not in made
