"""Copies of mails in which a person's words were marked out."""

from __future__ import annotations

import hashlib
import quopri
from base64 import b64decode
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from passerelle.core.quoted_words import MarkWords, traces_of
from passerelle.errors import MalformedEmail
from passerelle.mail.parse import parse_email
from passerelle.mail.redacted_copy import FIELD, NOBODY, Wanted, redacted_copy

SAID = "La zorglubine du hangar est fermée depuis mardi.\nLa clé kryptonée reste chez Paul.\n"
FILE = b"%PDF-1.4 zorglubine et kryptonite"
WANTED = Wanted(
    traces=traces_of([SAID], subjects=["Clés"], names=["Monique Delattre"], addresses=["monique@membres.lab.test"]),
    marks=MarkWords(words="[…] (effacé à la demande de leur auteur)", name="[…]"),
    files=frozenset({hashlib.sha256(FILE).hexdigest()}),
)
DISTINCT = (b"zorglubine", b"krypton", b"monique", b"delattre")


def answer(*, charset: str = "utf-8", cte: str = "quoted-printable", eol: str = "\r\n") -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP.clone(linesep=eol))
    made["From"] = "Paul Petit <paul@membres.lab.test>"
    made["To"] = "bureau@listes.lab.test, Monique Delattre <monique@membres.lab.test>"
    made["Subject"] = "Re: [bureau] Clés"
    made["Message-ID"] = "<r1@membres.lab.test>"
    made["In-Reply-To"] = "<q1@membres.lab.test>"
    made["Return-Path"] = "<bureau+monique=membres.lab.test@listes.lab.test>"
    quote = "".join(f"> {line}\n" for line in SAID.splitlines())
    text = f"Très bien, j’y vais.\n\nLe 3 mars, Monique Delattre a écrit :\n{quote}\nPaul\n"
    if charset != "utf-8":
        text = text.replace("’", "'")
    made.set_content(text, charset=charset, cte=cte)
    return made


def unfolded(raw: bytes) -> bytes:
    """All that the bytes say, transfer encodings undone part by part."""
    mail = message_from_bytes(raw, policy=policy.default)
    said = [raw, quopri.decodestring(raw)]
    for part in mail.walk():
        said += [str(value).encode() for value in part.values()]
        payload = part.get_payload(decode=True)
        said.append(payload if isinstance(payload, bytes) else b"")
    return b"\n".join(said).lower()


def assert_gone(raw: bytes) -> None:
    assert not [word for word in DISTINCT if word in unfolded(raw)]


@pytest.mark.parametrize("eol", ["\r\n", "\n"])
@pytest.mark.parametrize(
    ("charset", "cte"), [("utf-8", "quoted-printable"), ("utf-8", "base64"), ("utf-8", "8bit"), ("iso-8859-1", "8bit")]
)
def test_quotes_go_and_the_answer_stays(charset: str, cte: str, eol: str) -> None:
    raw = answer(charset=charset, cte=cte, eol=eol).as_bytes()
    copy = redacted_copy(raw, WANTED)
    assert copy is not None
    assert_gone(copy.raw)
    read = parse_email(copy.raw)
    assert read.text is not None
    assert read.text.startswith("Très bien, j")
    assert read.text.rstrip().endswith("Paul")
    assert WANTED.marks.words in read.text
    assert read.message_id == "r1@membres.lab.test"
    assert read.in_reply_to == ("q1@membres.lab.test",)
    assert read.header(FIELD) == "yes"
    assert [m.address for m in read.to] == ["bureau@listes.lab.test", NOBODY]
    assert "Clés" not in read.subject


def test_a_copy_of_a_copy_is_marked_once_and_nothing_is_found_again() -> None:
    copy = redacted_copy(answer().as_bytes(), WANTED)
    assert copy is not None
    assert redacted_copy(copy.raw, WANTED) is None
    other = Wanted(traces=traces_of(["Très bien, j’y vais."], addresses=["paul@membres.lab.test"]), marks=WANTED.marks)
    twice = redacted_copy(copy.raw, other)
    assert twice is not None
    assert twice.raw.count(FIELD.encode()) == 1


def test_html_files_and_mails_within_mails() -> None:
    inner = answer()
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "Paul Petit <paul@membres.lab.test>"
    made["Subject"] = "Tr: le hangar"
    made.set_content("Voir plus bas.")
    quote = SAID.replace("\n", "<br>")
    made.add_alternative(f"<p>Voir plus bas.</p><blockquote>{quote}</blockquote>", subtype="html")
    made.add_attachment(FILE, maintype="application", subtype="pdf", filename="Monique Delattre.pdf")
    made.add_attachment(b"innocent", maintype="application", subtype="pdf", filename="autre.pdf")
    made.add_attachment(inner)
    raw = made.as_bytes()
    copy = redacted_copy(raw, WANTED)
    assert copy is not None
    assert_gone(copy.raw)
    mail = message_from_bytes(copy.raw, policy=policy.default)
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds.count("message/rfc822") == 1
    html = next(part for part in mail.walk() if part.get_content_type() == "text/html")
    assert "<blockquote>" in html.get_content()
    files = [part for part in mail.walk() if part.get_filename() == "autre.pdf"]
    assert b64decode(files[0].get_payload()) == b"innocent"


def test_what_is_not_theirs_stays_to_the_byte() -> None:
    made = answer()
    made.make_mixed()
    made.add_attachment(bytes(range(256)) * 20, maintype="image", subtype="png", filename="a.png")
    raw = made.as_bytes()
    copy = redacted_copy(raw, WANTED)
    assert copy is not None
    picture = raw[raw.index(b"Content-Type: image/png") :]
    assert copy.raw.endswith(picture)


def test_a_mail_without_traces_is_left() -> None:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "Paul Petit <paul@membres.lab.test>"
    made["Subject"] = "Tout autre chose"
    made.set_content("Le loto a lieu samedi.")
    assert redacted_copy(made.as_bytes(), WANTED) is None


def test_damaged_mails_are_read_or_refused() -> None:
    whole = answer().as_bytes()
    for end in range(0, len(whole), 37):
        copy = redacted_copy(whole[:end], WANTED)
        if copy is not None:
            assert parse_email(copy.raw).header(FIELD) == "yes"
    for raw in (b"", b"\n", b"\0" * 100, b"Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n--x--", b": :\n :\n"):
        redacted_copy(raw, WANTED)
    with pytest.raises(MalformedEmail):
        redacted_copy(b"a" * (65 * 1024 * 1024), WANTED)
