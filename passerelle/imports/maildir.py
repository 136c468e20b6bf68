"""A Maildir: one file a mail, in `cur` and `new` (https://cr.yp.to/proto/maildir.html), and its subfolders."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from passerelle.imports.mail_files import Entry, MailFolder

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()


def is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def read_maildir(folder: Path, *, subfolders: bool = False) -> MailFolder:
    """The mails of a Maildir in the order of their names, which begin with the time of delivery.

    Args:
        subfolders: those of its Maildir++ folders (`.Bureau`, `.Bureau.2019`) too. Not Trash, Junk and Drafts.

    Raises OSError.
    """
    return MailFolder(folder, sorted(_entries(folder, subfolders=subfolders), key=_order))


def _entries(folder: Path, *, subfolders: bool) -> Iterator[Entry]:
    below = [Path()]
    if subfolders:
        below += sorted(Path(one.name) for one in folder.iterdir() if _is_archive(one))
    for inner in below:
        for sub in ("new", "cur"):
            yield from _files(folder, inner / sub)


def _is_archive(folder: Path) -> bool:
    names = folder.name.lower().split(".")[1:]
    return folder.name.startswith(".") and is_maildir(folder) and not {"trash", "junk", "spam", "drafts"} & {*names}


def _files(folder: Path, inner: Path) -> Iterator[Entry]:
    with os.scandir(folder / inner) as files:
        for file in files:
            # Draft (D) and trashed (T) by their flags: kept by nobody.
            flags = file.name.partition(":2,")[2]
            if file.name.startswith(".") or not file.is_file() or "T" in flags or "D" in flags:
                continue
            status = file.stat()
            yield Entry(
                key=str(inner / file.name),
                size_bytes=status.st_size,
                received_at=_received_at(file.name, status.st_mtime),
            )


def _received_at(name: str, modified: float) -> datetime:
    """The time of delivery that a file's name begins with, or of its last change."""
    seconds = name.partition(".")[0]
    delivered = float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) <= 10 else 0.0
    return datetime.fromtimestamp(delivered if delivered > _EARLIEST else modified, UTC)


def _order(entry: Entry) -> tuple[str, float, str]:
    path = Path(entry.key)
    at = entry.received_at.timestamp() if entry.received_at else 0.0
    return (str(path.parent.parent), at, path.name)
