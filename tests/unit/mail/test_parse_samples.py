"""One sample a way in which mail is odd, and what must be read from it (tests/samples/parse)."""

import json
from pathlib import Path
from typing import Any

import pytest

from passerelle.core.email import Attachment, Email, Mailbox
from passerelle.mail.parse import parse_email, parse_headers

SAMPLES = Path(__file__).parents[2] / "samples" / "parse"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.eml"))


def _mailboxes(mailboxes: tuple[Mailbox, ...]) -> list[list[str]]:
    return [[mailbox.name, mailbox.address] for mailbox in mailboxes]


def _attachment(attachment: Attachment, wanted: dict[str, Any]) -> dict[str, Any]:
    known = {
        "filename": attachment.filename,
        "media_type": attachment.media_type,
        "content_id": attachment.content_id,
        "inline": attachment.inline,
        "text": attachment.data.decode("utf-8", "replace"),
    }
    return {key: known[key] for key in wanted}


def _seen(email: Email, key: str, wanted: Any) -> Any:
    if key in {"from", "to", "cc", "reply_to"}:
        return _mailboxes(getattr(email, "from_" if key == "from" else key))
    if key == "sender":
        return [email.sender.name, email.sender.address] if email.sender else None
    if key == "date":
        return email.date.isoformat() if email.date else None
    if key == "bcc_header":
        return email.header("bcc")
    if key == "attachments":
        assert len(email.attachments) == len(wanted), [a.filename for a in email.attachments]
        return [_attachment(a, w) for a, w in zip(email.attachments, wanted, strict=True)]
    value = getattr(email, key)
    return list(value) if isinstance(value, tuple) else value


def test_samples_are_there() -> None:
    assert len(NAMES) >= 80
    assert all((SAMPLES / f"{name}.json").exists() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_sample(name: str) -> None:
    email = parse_email((SAMPLES / f"{name}.eml").read_bytes())
    expected = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    assert expected, name
    assert {key: _seen(email, key, wanted) for key, wanted in expected.items()} == expected


@pytest.mark.parametrize("name", NAMES)
def test_header_section_alone_says_the_same(name: str) -> None:
    raw = (SAMPLES / f"{name}.eml").read_bytes()
    whole, light = parse_email(raw), parse_headers(raw)
    assert (light.text, light.html, light.attachments) == (None, None, ())
    for field in ("message_id", "references", "subject", "date", "from_", "to", "headers", "list_id", "return_path"):
        assert getattr(light, field) == getattr(whole, field), field
