"""Which format an archive has, by what it is; and the source that reads it."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

from passerelle.errors import ImportFailure
from passerelle.i18n import _
from passerelle.imports.maildir import is_maildir, read_maildir
from passerelle.imports.mbox import MBOX_KINDS, MboxFile, MboxKind, find_first
from passerelle.imports.mbox_scan import FIELD
from passerelle.imports.public_inbox import PublicInbox, find_repositories
from passerelle.imports.restored import (
    looks_like_hyperkitty,
    looks_like_pipermail,
    restore_hyperkitty,
    restore_pipermail,
)
from passerelle.imports.several import Several
from passerelle.imports.single_mail import SingleMail
from passerelle.imports.source import Source
from passerelle.imports.streams import sample
from passerelle.imports.sympa import is_sympa, is_sympa_zip, read_sympa, read_sympa_zip

#: `mbox`: whichever of the four it is.
Format = Literal[
    "mbox",
    "mboxo",
    "mboxrd",
    "mboxcl",
    "mboxcl2",
    "maildir",
    "sympa",
    "pipermail",
    "hyperkitty",
    "public-inbox",
    "mail",
]
FORMATS: tuple[Format, ...] = get_args(Format)

_SAMPLE_BYTES = 64 * 1024
#: What a folder is searched for where it is no archive itself.
_NAMES = re.compile(r"\.(mbox|mboxo|mboxrd|mboxcl2?|txt|zip|eml)(\.(gz|bz2|xz))?$", re.IGNORECASE)
#: The first letters of months, English and French, that tell them apart.
_MONTHS = re.compile(
    "(jan)|(feb|fév)|(mar)|(apr|avr)|(may|mai)|(june|juin)|(july|juil)|(aug|aoû)|(sep)|(oct)|(nov)|(dec|déc)"
)


def open_sources(paths: Sequence[Path], format: Format | None = None) -> tuple[Source, str]:
    """The archives at some paths, read one after the other, and what they are: formats, a comma between.

    Args:
        format: what they are to be read as; None: what they look like.

    Raises ImportFailure, in the administrator's language.
    """
    opened = [one for path in paths for one in _found(path.absolute(), format)]
    formats = ", ".join(dict.fromkeys(kind for _source, kind in opened))
    sources = [source for source, _kind in opened]
    if len(sources) == 1:
        return sources[0], formats
    return Several(", ".join(str(path.absolute()) for path in paths), sources), formats


def _found(path: Path, format: Format | None) -> Iterator[tuple[Source, Format]]:
    if not path.exists():
        raise ImportFailure(_("{file}: there is no such file or folder.").format(file=path))
    kind = format or detect(path)
    if kind is not None and (path.is_dir() or kind not in ("maildir", "public-inbox")):
        try:
            if not (path.is_dir() and _is_of_files(kind)):
                yield _open(path, kind), kind
                return
        except OSError as error:
            raise ImportFailure(f"{error.filename}: {error.strerror}") from error
    inner = sorted((one for one in path.iterdir() if _NAMES.search(one.name)), key=_order) if path.is_dir() else []
    if not inner:
        raise ImportFailure(
            _("{file}: this is no archive that can be imported. Name its format with --format.").format(file=path)
        )
    for one in inner:
        yield from _found(one, format)


def detect(path: Path) -> Format | None:
    """The format of one archive; None where it is none, or a folder of several. Raises ImportFailure."""
    if path.is_dir():
        if is_maildir(path):
            return "maildir"
        if is_sympa(path):
            return "sympa"
        return "public-inbox" if find_repositories(path) else None
    if is_sympa_zip(path):
        return "sympa"
    begin = sample(path, _SAMPLE_BYTES)
    first = find_first(begin)
    if first is None:
        return "mail" if FIELD.match(begin) is not None else None
    if looks_like_pipermail(begin, first):
        return "pipermail"
    return "hyperkitty" if looks_like_hyperkitty(begin, first) else "mbox"


def _open(path: Path, kind: Format) -> Source:
    openers: dict[str, Callable[[Path], Source]] = {
        "mbox": MboxFile,
        "maildir": lambda folder: read_maildir(folder, subfolders=True),
        "sympa": lambda place: read_sympa(place) if place.is_dir() else read_sympa_zip(place),
        "pipermail": lambda file: MboxFile(file, "mboxo", restore=restore_pipermail),
        "hyperkitty": lambda file: MboxFile(file, "unquoted", restore=restore_hyperkitty),
        "public-inbox": PublicInbox,
        "mail": SingleMail,
    }
    if kind in MBOX_KINDS:
        return MboxFile(path, cast(MboxKind, kind))
    return openers[kind](path)


def _is_of_files(kind: Format) -> bool:
    return kind not in ("maildir", "sympa", "public-inbox")


def _order(path: Path) -> tuple[int, int, str]:
    """Months of pipermail in the order of the calendar (`2009-March.txt`), anything else by name."""
    year, _dash, name = path.name.partition(".")[0].partition("-")
    month = _MONTHS.match(name.lower())
    if year.isascii() and year.isdigit() and month is not None and month.lastindex is not None:
        return (int(year), month.lastindex, path.name)
    return (0, 0, path.name)
