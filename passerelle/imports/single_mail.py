"""A file that holds one mail (`.eml`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from passerelle.imports.mbox_scan import is_mail
from passerelle.imports.source import MAX_MAIL_BYTES, NOT_A_MAIL, TOO_LARGE, UNREADABLE_FILE, Refused, SourceMail
from passerelle.imports.streams import sample


class SingleMail:
    """A `Source` of one mail. The position after it is True."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self.total_bytes: int | None = path.stat().st_size
        self.bytes_done = 0

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        """See `Source`."""
        self.bytes_done = self.total_bytes or 0
        if after:
            return
        raw = sample(self._path, MAX_MAIL_BYTES + 1)
        reason = TOO_LARGE if len(raw) > MAX_MAIL_BYTES else UNREADABLE_FILE if not raw else NOT_A_MAIL
        if reason == NOT_A_MAIL and is_mail(raw):
            yield SourceMail(raw=raw, place=self._path.name, position=True)
        else:
            yield Refused(place=self._path.name, reason=reason, position=True)
