"""The archive of a Sympa list: `<year>-<month>/arctxt/<n>`, a mail a file, and the ZIP file that Sympa gives of it.

As Sympa itself reads them (src/lib/Sympa/Archive.pm, 6.2): names are numbers, in numeric order; what its administrators
took out stands in `deleted/` beside `arctxt/`, and stays out. The ZIP file (`do_arc_download` of wwsympa) has
`<list>_<year>-<month>/<n>`; Framalistes writes `<n>.eml` (https://github.com/sympa-community/sympa/issues/1581).
"""

import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from passerelle.imports.mail_files import Entry, MailFolder, MailZip, open_zip

_MONTH = re.compile(r"(?:^|[/_])(\d{4}-\d{2})$", re.ASCII)
_MAIL = re.compile(r"(\d{1,9})(?:\.eml)?", re.ASCII)


def is_sympa(folder: Path) -> bool:
    """Whether this is a list's archive, one month of it, an `arctxt` itself, or a ZIP file of Sympa's, unpacked."""
    return any(True for _ in _folders(folder))


def read_sympa(folder: Path) -> MailFolder:
    """The mails of a Sympa archive, month by month. Raises OSError."""
    entries = [
        Entry(key=str(file.relative_to(folder)), size_bytes=file.stat().st_size, received_at=_written_at(file))
        for inner in _folders(folder)
        for file in sorted(inner.iterdir(), key=lambda one: _number(one.name))
        if _is_mail(file.name) and file.is_file()
    ]
    return MailFolder(folder, entries)


def is_sympa_zip(path: Path) -> bool:
    return zipfile.is_zipfile(path) and any(True for _ in _members(path))


def read_sympa_zip(path: Path) -> MailZip:
    """The mails of a ZIP file that Sympa gave of its archive. Raises ImportFailure."""
    members = sorted(_members(path), key=lambda m: (_month_of(m.filename), _number(m.filename)))
    return MailZip(path, [Entry(key=member.filename, size_bytes=member.file_size) for member in members])


def _folders(folder: Path) -> Iterator[Path]:
    if folder.name == "arctxt" and folder.is_dir():
        yield folder
        return
    if (folder / "arctxt").is_dir():
        yield folder / "arctxt"
        return
    months = [one for one in folder.iterdir() if _MONTH.search(one.name) and one.is_dir()] if folder.is_dir() else []
    for month in sorted(months, key=lambda one: one.name[-7:]):
        if (month / "arctxt").is_dir():
            yield month / "arctxt"
        elif "_" in month.name:
            yield month


def _members(path: Path) -> Iterator[zipfile.ZipInfo]:
    with open_zip(path) as archive:
        yield from (m for m in archive.infolist() if _is_mail(m.filename.rpartition("/")[2]) and _month_of(m.filename))


def _month_of(name: str) -> str:
    """The month in whose folder a member stands: `bureau_2009-03/12` or `2009-03/arctxt/12`; "" where in none."""
    folder = name.rpartition("/")[0].removesuffix("/arctxt")
    found = _MONTH.search(folder)
    return found[1] if found and "deleted" not in name.split("/") else ""


def _is_mail(name: str) -> bool:
    return _MAIL.fullmatch(name) is not None


def _number(name: str) -> int:
    found = _MAIL.fullmatch(name.rpartition("/")[2])
    return int(found[1]) if found else 0


def _written_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
