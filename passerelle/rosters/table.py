"""Members as a table: what spreadsheets and list servers save as CSV. Separator, encoding and columns are found out."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from passerelle.core.ids import MailAddress
from passerelle.errors import MalformedRoster
from passerelle.mail.addresses import parse_address, parse_mailboxes
from passerelle.rosters.roster import Roster, RosterMember, build_roster

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = (";", ",", "\t", "|")
#: Longer than any list that an association has.
_MOST_LINES = 200_000
_LONGEST_CELL = 2_000
_SEVERAL = re.compile(r"[\s,;/]+")
#: What columns of names are called, folded: the first of a kind that is found is taken.
_FIRST_NAME = ("prenom", "first name", "firstname", "given name")
_LAST_NAME = ("nom de famille", "nom d'usage", "nom", "last name", "lastname", "family name", "surname")
_FULL_NAME = (
    "nom complet", "nom et prenom", "prenom nom", "nom prenom", "prenom et nom", "nom affiche", "full name",
    "display name", "displayname", "real name", "name", "gecos", "membre", "adherent",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Columns:
    """Which column holds what; `names` are joined in their order."""

    address: int
    names: tuple[int, ...]


def read_table(data: bytes) -> Roster:
    """The members in a CSV file, or in a plain list of addresses, one a line.

    Raises MalformedRoster where there is no address in it.
    """
    rows = list(_rows(decode(data)))
    columns = _columns([cells for _, cells in rows])
    members, unread = [], []
    for number, (line, cells) in enumerate(rows):
        found = list(_members(cells, columns))
        members += found
        # The first row may be the columns' titles.
        if not found and number > 0:
            unread.append(line)
    return build_roster("csv", members, unread)


def decode(data: bytes) -> str:
    """Text of a file of unknown encoding: what its first bytes say, UTF-8, or what Windows saves in France."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, with the number of their line."""
    lines = text.replace("\0", "").splitlines()[:_MOST_LINES]
    reader = csv.reader(lines, delimiter=_separator(lines))
    try:
        for cells in reader:
            trimmed = [cell.strip()[:_LONGEST_CELL] for cell in cells]
            if any(trimmed):
                yield reader.line_num, trimmed
    except csv.Error as error:
        raise MalformedRoster(f"Line {reader.line_num} of the list of members cannot be read: {error}.") from error


def _separator(lines: Sequence[str]) -> str:
    """What stands in most lines equally often; a comma where nothing does."""
    sample = [line for line in lines[:50] if line.strip()]
    best, best_lines = ",", 0
    for separator in _SEPARATORS:
        counts = Counter(line.count(separator) for line in sample)
        counts.pop(0, None)
        if counts and max(counts.values()) > best_lines:
            best, best_lines = separator, max(counts.values())
    return best


def _columns(rows: Sequence[Sequence[str]]) -> _Columns:
    """Raises MalformedRoster where no column holds addresses."""
    counts: Counter[int] = Counter()
    for cells in rows:
        counts.update(n for n, cell in enumerate(cells) if "@" in cell and _addresses(cell))
    if not counts:
        raise MalformedRoster("There is no mail address in this list of members.")
    address = min(counts, key=lambda n: (-counts[n], n))
    first = rows[0]
    titled = address >= len(first) or not _addresses(first[address])
    return _Columns(address=address, names=_named(first) if titled else _unnamed(rows, address))


def _named(titles: Sequence[str]) -> tuple[int, ...]:
    folded = [_fold(title) for title in titles]

    def find(names: Sequence[str]) -> int | None:
        return next((folded.index(name) for name in names if name in folded), None)

    full, given, family = find(_FULL_NAME), find(_FIRST_NAME), find(_LAST_NAME)
    if given is not None or full is None:
        return tuple(n for n in (given, family) if n is not None)
    return (full,)


def _fold(title: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", title.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.replace("’", "'").replace("_", " ").replace("-", " ").split())


def _unnamed(rows: Sequence[Sequence[str]], address: int) -> tuple[int, ...]:
    """Without titles: the one other column, where most rows have letters and no figures; none where that is unclear."""
    width = max(len(cells) for cells in rows)
    likely = [n for n in range(width) if n != address and _reads_like_names([c[n] for c in rows if n < len(c)])]
    return (likely[0],) if len(likely) == 1 else ()


def _reads_like_names(cells: Sequence[str]) -> bool:
    good = [c for c in cells if any(x.isalpha() for x in c) and not any(x.isdigit() or x in "@/:" for x in c)]
    return 2 * len(good) > len(cells) > 0


def _members(cells: Sequence[str], columns: _Columns) -> Iterator[RosterMember]:
    if columns.address >= len(cells):
        return
    name = " ".join(cells[n] for n in columns.names if n < len(cells) and cells[n])
    cell = cells[columns.address]
    for address in _addresses(cell):
        boxes = parse_mailboxes([cell]) if "<" in cell else ()
        own = next((box.name for box in boxes if box.address == address), "")
        yield RosterMember(address=address, name=name or own)


def _addresses(cell: str) -> list[MailAddress]:
    if "<" in cell:
        return [box.address for box in parse_mailboxes([cell])]
    whole = parse_address(cell)
    if whole is not None:
        return [whole]
    return [found for part in _SEVERAL.split(cell) if "@" in part and (found := parse_address(part)) is not None]
