"""Folders and ZIP files in which each mail is a file of its own."""

import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from passerelle.errors import ImportFailure
from passerelle.i18n import _
from passerelle.imports.mbox_scan import is_mail
from passerelle.imports.source import MAX_MAIL_BYTES, NOT_A_MAIL, TOO_LARGE, UNREADABLE_FILE, Refused, SourceMail


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file that holds one mail."""

    #: Names it within its archive, and where to go on: unique.
    key: str
    size_bytes: int
    received_at: datetime | None = None


class MailFiles(ABC):
    """A `Source` over files in a fixed order. Positions are their keys."""

    def __init__(self, name: str, label: str, entries: Sequence[Entry]) -> None:
        """
        Args:
            label: what places begin with.
        """
        self.name = name
        self._label = label
        self._entries = entries
        self.total_bytes: int | None = sum(entry.size_bytes for entry in entries)
        self._done = 0

    @property
    def bytes_done(self) -> int:
        return self._done

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        """See `Source`. A file that has gone since was no reason to fail: reading begins anew then."""
        first = next((n for n, entry in enumerate(self._entries, 1) if entry.key == after), 0)
        self._done = sum(entry.size_bytes for entry in self._entries[:first])
        for entry in self._entries[first:]:
            self._done += entry.size_bytes
            yield self._one(entry)

    def _one(self, entry: Entry) -> SourceMail | Refused:
        place = f"{self._label}/{entry.key}"
        if entry.size_bytes > MAX_MAIL_BYTES:
            return Refused(place=place, reason=TOO_LARGE, position=entry.key)
        try:
            raw = self.content(entry)
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
            return Refused(place=place, reason=UNREADABLE_FILE, position=entry.key)
        if len(raw) > MAX_MAIL_BYTES:
            return Refused(place=place, reason=TOO_LARGE, position=entry.key)
        if not is_mail(raw):
            return Refused(place=place, reason=NOT_A_MAIL, position=entry.key)
        return SourceMail(raw=raw, place=place, position=entry.key, received_at=entry.received_at)

    @abstractmethod
    def content(self, entry: Entry) -> bytes:
        """The bytes of an entry, `MAX_MAIL_BYTES + 1` at the most. Raises OSError and what `zipfile` raises."""


class MailFolder(MailFiles):
    """Files below a folder; their keys are paths in it."""

    def __init__(self, folder: Path, entries: Sequence[Entry]) -> None:
        super().__init__(str(folder), folder.name, entries)
        self._folder = folder

    def content(self, entry: Entry) -> bytes:
        with (self._folder / entry.key).open("rb") as file:
            return file.read(MAX_MAIL_BYTES + 1)


class MailZip(MailFiles):
    """Members of a ZIP file; their keys are their names in it."""

    def __init__(self, path: Path, entries: Sequence[Entry]) -> None:
        super().__init__(str(path), path.name, entries)
        self._zip = open_zip(path)

    def content(self, entry: Entry) -> bytes:
        # The size that a ZIP file names may be a lie.
        with self._zip.open(entry.key) as file:
            return file.read(MAX_MAIL_BYTES + 1)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a ZIP file. Raises ImportFailure."""
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ImportFailure(_("{file}: this ZIP file cannot be read.").format(file=path)) from error
