"""Which files are read."""

import pytest

from passerelle.files.kinds import MOST_BYTES, is_readable, kind_of


@pytest.mark.parametrize(
    ("media_type", "filename", "kind"),
    [
        ("text/plain", "notes.txt", "plain"),
        ("TEXT/Plain; charset=iso-8859-1", "notes", "plain"),
        ("text/csv", "adhérents.csv", "plain"),
        ("text/html", "page.html", "html"),
        ("application/pdf", "sans-nom", "pdf"),
        ("application/octet-stream", "Compte-rendu.PDF", "pdf"),
        ("application/vnd.oasis.opendocument.text", "x", "opendocument"),
        ("application/octet-stream", "budget.ods", "opendocument"),
        ("application/octet-stream", "photo.jpg", None),
        ("application/octet-stream", "sans-point", None),
        ("image/jpeg", "photo.pdf", None),
        ("application/octet-stream", "CR.docx", "word"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "CR", "word"),
        ("application/msword", "lettre.doc", None),
        ("text/rtf", "lettre.rtf", None),
        ("application/zip", "tout.zip", None),
    ],
)
def test_kinds(media_type: str, filename: str, kind: str | None) -> None:
    assert kind_of(media_type, filename) == kind


def test_what_is_too_large_or_empty_is_not_read() -> None:
    assert is_readable("text/plain", "a.txt", MOST_BYTES)
    assert not is_readable("text/plain", "a.txt", MOST_BYTES + 1)
    assert not is_readable("text/plain", "a.txt", 0)
