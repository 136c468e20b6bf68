"""A search as members write it, understood. Pure. The grammar, for members: docs/fr/chercher.md.

All words must be there; `"…"` and « … » are looked for as they stand, whatever accents and capitals; `-word` must not
be there; prefixes (`de:`, `objet:`, `avant:` …) say where and when. A search that cannot be understood is answered by
one sentence and the nearest one that can: `QueryProblem`.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import NoReturn
from zoneinfo import ZoneInfo

from passerelle.core.folding import fold, stems_of, words_of
from passerelle.core.model import Side
from passerelle.core.search_dates import DATE_WORDS, Today, today_of
from passerelle.core.search_limits import Limits, take_dates
from passerelle.core.search_terms import Column, Order, Phrase, Query
from passerelle.core.search_tokens import Field, Token, nearest_prefix, tokens_of
from passerelle.errors import QueryProblem

__all__ = ["LONGEST_QUERY", "Column", "Order", "Phrase", "Query", "QueryProblem", "parse_query", "place_key"]

#: Longer searches are not read: nobody types them.
LONGEST_QUERY = 500
#: More words and phrases than that find nothing that fewer do not.
MOST_PHRASES = 32
#: A search may be wrong in more than one place; each is mended in turn.
_MOST_MENDINGS = 12

_OR = {"OU", "OR", "|", "||"}
_AND = {"ET", "AND", "&", "&&"}
#: Words that stand in nearly every post: outside quotes they are asked for only where nothing else is.
_SMALL_WORDS = frozenset(words_of("le la les un une des du de au aux et en a the of and"))
_YES = {"oui", "yes", "avec", "with"}
_NO = {"non", "no", "sans", "without"}
_SIDES: dict[str, Side] = {
    "liste": "list", "list": "list", "courriel": "list", "courriels": "list", "mail": "list", "mails": "list",
    "salon": "room", "room": "room", "chat": "room", "discussion": "room",
}  # fmt: skip
_ORDERS: dict[str, Order] = {
    "date": "newest", "recent": "newest", "recents": "newest", "newest": "newest",
    "pertinence": "rank", "pertinent": "rank", "relevance": "rank", "rank": "rank",
}  # fmt: skip
_SHORT_NAME = re.compile(r"[a-z2-7]{12}")
#: What may stand behind a prefix, where nothing else of a search is left to propose.
_EXAMPLES: dict[Field, str] = {
    "author": "Monique", "subject": "réunion", "before": "mars", "since": "mars", "on": "hier", "files": "oui",
    "quoted": "merci", "own": "merci", "in": "salon", "order": "date", "list": "", "room": "",
}  # fmt: skip
_COLUMNS: dict[Field, Column] = {"subject": "subject", "files": "files", "quoted": "quoted", "own": "own"}


class _WrongQuery(Exception):
    """Of this module alone: as `QueryProblem`, with a search that may be wrong elsewhere."""

    def __init__(self, kind: str, values: Mapping[str, str], mended: str) -> None:
        super().__init__(kind)
        self.kind, self.values, self.mended = kind, dict(values), mended


def place_key(name: str) -> str:
    """A list's, room's or link's name as it is compared."""
    return " ".join(words_of(name))


def parse_query(text: str, *, now: datetime, zone: ZoneInfo, places: Collection[str] | None = None) -> Query:
    """What `text` asks for.

    Args:
        now: The instant (aware) from which « hier » is counted.
        zone: Where the days of the search begin and end.
        places: Names that may stand behind `liste:`, `salon:` and `dans:`; None: any.

    Raises:
        QueryProblem: It cannot be understood; with the nearest search that can.
    """
    today = today_of(now, zone)
    known = None if places is None else {place_key(name): name for name in places if place_key(name)}
    try:
        return _parse(text, today, known)
    except _WrongQuery as wrong:
        raise QueryProblem(wrong.kind, wrong.values, _mended(wrong.mended, today, known)) from None


def _mended(text: str, today: Today, known: Mapping[str, str] | None) -> str:
    """The first of ever simpler searches that can be understood."""
    for _ in range(_MOST_MENDINGS):
        try:
            _parse(text, today, known)
        except _WrongQuery as wrong:
            text = wrong.mended
        else:
            return text
    text = " ".join(words_of(text)[:MOST_PHRASES])[:LONGEST_QUERY]
    try:
        _parse(text, today, known)
    except _WrongQuery:
        return ""
    return text


def _parse(text: str, today: Today, known: Mapping[str, str] | None) -> Query:
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) > LONGEST_QUERY:
        raise _WrongQuery("too_long", {}, _cut_at_a_space(text))
    tokens = list(tokens_of(text))
    left, limits = take_dates(tokens, today)
    reading = _Reading(tokens, known)
    for token in left:
        reading.read(token)
    return reading.query(limits, today, is_blank=not text)


def _cut_at_a_space(text: str) -> str:
    cut = text[:LONGEST_QUERY]
    return cut.rpartition(" ")[0] or cut


class _Reading:
    """A search while it is read."""

    def __init__(self, tokens: list[Token], known: Mapping[str, str] | None) -> None:
        self._tokens = tokens
        self._known = known
        self._phrases: dict[Phrase, None] = {}
        self._small: dict[Phrase, None] = {}
        self._authors: dict[tuple[str, ...], str] = {}
        self._places: dict[str, str] = {}
        self._side: Side | None = None
        self._with_files: bool | None = None
        self._thread: str | None = None
        self._order: Order = "newest"
        self._readings: dict[Field, Callable[[Token], None]] = {
            "author": self._read_author, "list": self._read_place, "room": self._read_place, "in": self._read_in,
            "order": self._read_order, "before": self._read_date, "since": self._read_date, "on": self._read_date,
        }  # fmt: skip

    def query(self, limits: list[Limits], today: Today, *, is_blank: bool) -> Query:
        """The whole of what was read."""
        since = max((day for limit in limits if (day := limit.since)), default=None)
        until = min((day for limit in limits if (day := limit.until)), default=None)
        if since is not None and until is not None and since >= until:
            raise _WrongQuery("range_empty", {}, _turned_around(since, until, self._tokens, today))
        query = Query(
            phrases=tuple(self._phrases or self._small),
            authors=tuple(self._authors),
            authors_shown=tuple(self._authors.values()),
            places=tuple(self._places),
            places_shown=tuple(self._places.values()),
            side=self._side,
            since=None if since is None else today.begins(since),
            until=None if until is None else today.begins(until),
            with_files=self._with_files,
            thread=self._thread,
            order=self._order,
        )
        if query.is_empty and not is_blank and not any(token.field == "order" for token in self._tokens):
            raise _WrongQuery("no_words", {}, "")
        return query

    def read(self, token: Token) -> None:
        """Take in one token that is no date."""
        if token.kind == "unclosed":
            raise self._wrong("quote_open", token, token.source.rstrip() + (" »" if "«" in token.source else '"'))
        if token.kind == "unknown":
            self._refuse_prefix(token)
        if token.kind == "prefixed" and token.field is not None:
            self._read_prefixed(token, token.field)
        elif token.kind == "word" and not token.negated and token.value in _OR:
            before = self._tokens[: self._tokens.index(token)]
            raise _WrongQuery("or", {}, _text_of(before) or _text_of(t for t in self._tokens if t.value not in _OR))
        elif token.kind == "quoted" or token.value not in _AND:
            self._add_phrase(token, None)

    def _read_prefixed(self, token: Token, field: Field) -> None:
        if not words_of(token.value):
            raise self._wrong("value_missing", token, None, prefix=token.prefix)
        column = _COLUMNS.get(field)
        if field == "files" and not token.quoted and fold(token.value) in _YES | _NO:
            self._with_files = (fold(token.value) in _YES) is not token.negated
        elif column is not None:
            self._add_phrase(token, column)
        elif token.negated:
            raise self._wrong("not_negatable", token, token.source[1:], prefix=token.prefix)
        else:
            self._readings[field](token)

    def _add_phrase(self, token: Token, column: Column | None) -> None:
        words = tuple(words_of(token.value))
        if not words:
            return
        exact = token.quoted or token.kind == "quoted"
        phrase = Phrase(
            stems=tuple(stems_of(token.value)), words=words, exact=exact, column=column, negated=token.negated,
            shown=token.value.strip(),
        )  # fmt: skip
        is_small = not exact and not token.negated and column is None and _SMALL_WORDS.issuperset(words)
        (self._small if is_small else self._phrases).setdefault(phrase)
        if len(self._phrases) > MOST_PHRASES or len(self._small) > MOST_PHRASES:
            raise _WrongQuery("too_long", {}, _text_of(self._tokens[: self._tokens.index(token)]))

    def _read_author(self, token: Token) -> None:
        # Of an address, and of a Matrix ID, the name: no search tells whose address it is.
        name = re.split(r"[@:]", token.value.removeprefix("@"), maxsplit=1)[0] or token.value
        stems = tuple(stems_of(name))
        if not stems:
            raise self._wrong("value_missing", token, None, prefix=token.prefix)
        self._authors.setdefault(stems, name.strip())

    def _read_place(self, token: Token) -> None:
        key = place_key(token.value)
        if self._known is not None and key not in self._known:
            near = get_close_matches(key, self._known, n=1, cutoff=0.5)
            mended = f'{token.prefix}:"{self._known[near[0]]}"' if near and '"' not in self._known[near[0]] else None
            raise self._wrong("place_unknown", token, mended, place=token.value.strip())
        self._places.setdefault(key, token.value.strip())

    def _read_in(self, token: Token) -> None:
        key = place_key(token.value)
        is_known = self._known is not None and key in self._known
        if key in _SIDES and not is_known:
            self._side = _SIDES[key]
        elif _SHORT_NAME.fullmatch(token.value) and not is_known:
            self._thread = token.value
        else:
            self._read_place(token)

    def _read_order(self, token: Token) -> None:
        value = fold(token.value)
        if value not in _ORDERS:
            near = get_close_matches(value, _ORDERS, n=1, cutoff=0.5)
            raise self._wrong("order_unknown", token, f"{token.prefix}:{near[0] if near else 'date'}")
        self._order = _ORDERS[value]

    def _read_date(self, token: Token) -> NoReturn:
        """Whatever could be read is gone (`take_dates`)."""
        near = get_close_matches(fold(token.value), DATE_WORDS, n=1, cutoff=0.7)
        mended = f"{token.prefix}:{near[0]}" if near else None
        raise self._wrong("date_unclear", token, mended, words=token.value)

    def _refuse_prefix(self, token: Token) -> NoReturn:
        near = nearest_prefix(token.prefix)
        value = f'"{token.value}"' if token.quoted else token.value
        minus = token.source[0] if token.negated else ""
        mended = f"{minus}{near}:{value}" if near else f"{minus}{' '.join(words_of(token.prefix))} {value}"
        raise self._wrong("prefix_unknown", token, mended, prefix=token.prefix)

    def _wrong(self, kind: str, token: Token, mended: str | None, **values: str) -> _WrongQuery:
        """The problem of a token, and the search with `mended` wherever it stood, or without it (None)."""
        sources = [mended if other == token else other.source for other in self._tokens]
        whole = " ".join(source for source in sources if source)
        if not whole and token.field is not None and _EXAMPLES[token.field]:
            whole = f"{token.prefix}:{_EXAMPLES[token.field]}"
        return _WrongQuery(kind, values, whole)


def _text_of(tokens: Iterable[Token]) -> str:
    return " ".join(token.source for token in tokens)


def _turned_around(since: date, until: date, tokens: list[Token], today: Today) -> str:
    """The search with its two dates exchanged, or, where they are one day, that day alone."""
    left, _ = take_dates(tokens, today)
    when = f"le:{since:%d/%m/%Y}" if since == until else f"après:{until:%d/%m/%Y} avant:{since:%d/%m/%Y}"
    return " ".join([*(token.source for token in left), when])
