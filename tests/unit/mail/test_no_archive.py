"""Header fields by which authors ask not to be archived."""

from __future__ import annotations

import pytest

from passerelle.mail.no_archive import asks_for_no_archive
from passerelle.mail.parse import parse_headers


@pytest.mark.parametrize(
    ("field", "asks"),
    [
        ("X-No-Archive: yes", True),
        ("x-no-archive: Yes", True),
        ("X-No-Archive: YES, please", True),
        ("X-No-Archive:", True),
        ("X-No-Archive: no", False),
        ("Restrict: no-external-archive", True),
        ("Restrict: No-External-Archive; x", True),
        ("X-Restrict: no-external-archive", True),
        ("Restrict: other", False),
        ("X-Archive: no", True),
        ("X-Archive: yes", False),
        ("Subject: X-No-Archive: yes", False),
    ],
)
def test_asks_for_no_archive(field: str, asks: bool) -> None:
    raw = f"From: a@example.org\r\n{field}\r\n\r\nBonjour\r\n".encode()
    assert asks_for_no_archive(parse_headers(raw).headers) is asks
