"""The searched words on PostgreSQL: vectors of stems that we made, so that no dictionary of the server has a say.

GIN finds few hits at once; where many match, the server reads the newest rows off in order instead: it knows by its
statistics which words are common (https://www.postgresql.org/docs/15/textsearch-indexes.html).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.search_plan import Bound, IndexedPhrase, SearchPlan
from passerelle.core.search_words import SearchWords
from passerelle.store.chrono_gap import FIRST_GAP
from passerelle.store.types import microseconds

#: A vector knows 256 places of a word at the most: in a post with more, phrases are looked for by their words alone.
_MOST_PLACES = 255
_TOO_MANY_PLACES = "_often"

#: Where a column stands: vector, and weight where several share one.
_PLACES = {"subject": ("words", "A"), "own": ("words", "B"), "files": ("files", ""), "quoted": ("quoted", "")}
#: No phrase goes from the subject into the text.
_GAP = 10
_WEIGHTS = "CAST(ARRAY[0.1, 0.2, 0.5, 1.0] AS real[])"  # of D, C, B, A

_INSERT = text(
    "INSERT INTO post_words (chrono_id, facets, words, files, quoted) VALUES (:chrono_id, CAST(:facets AS tsvector),"
    " CAST(:words AS tsvector), CAST(:files AS tsvector), CAST(:quoted AS tsvector))"
    " ON CONFLICT (chrono_id) DO UPDATE SET facets = excluded.facets, words = excluded.words, files = excluded.files,"
    " quoted = excluded.quoted"
)
_DELETE = text("DELETE FROM post_words WHERE chrono_id = ANY(:numbers)")
_SHOWN = (
    "NOT EXISTS (SELECT 1 FROM post AS gone WHERE gone.chrono_id = post_words.chrono_id AND gone.state <> 'accepted')"
)
_FIRST_GAP = text(FIRST_GAP)


async def insert_words(conn: AsyncConnection, words: Mapping[int, SearchWords]) -> None:
    """Store the words of rows, in place of those that stand there."""
    if words:
        await conn.execute(_INSERT, [{"chrono_id": number} | vectors(words[number]) for number in sorted(words)])


async def delete_words(conn: AsyncConnection, numbers: Iterable[int]) -> None:
    """The words of rows go."""
    await conn.execute(_DELETE, {"numbers": sorted(numbers)})


def vectors(words: SearchWords) -> dict[str, str]:
    """The columns of a row as text that PostgreSQL reads as tsvector."""
    subject, own = words.subject.split(), words.own.split()
    placed = _placed(subject, 1, "A")
    for word, places in _placed(own, len(subject) + _GAP, "B").items():
        placed[word] += places
    files, quoted = _placed(words.files.split(), 1), _placed(words.quoted.split(), 1)
    facets = _placed(words.facets.split(), 1)
    if any(len(places) > _MOST_PLACES for column in (placed, files, quoted) for places in column.values()):
        facets[_TOO_MANY_PLACES] = ["1"]
    return {"facets": _vector(facets), "words": _vector(placed), "files": _vector(files), "quoted": _vector(quoted)}


def _placed(words: Sequence[str], first: int, weight: str = "") -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for place, word in enumerate(words, first):
        places[word].append(f"{place}{weight}")
    return places


def _vector(places: Mapping[str, Sequence[str]]) -> str:
    return " ".join(f"{_lexeme(word)}:{','.join(of[:_MOST_PLACES])}" for word, of in places.items())


def _lexeme(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


async def find_newest(conn: AsyncConnection, plan: SearchPlan, *, before: int | None, limit: int) -> list[int]:
    """As `search_sqlite.find_newest`."""
    condition = await _condition(conn, plan)
    if before is not None:
        condition.add("chrono_id < :before", before=before)
    rows = await condition.execute("SELECT chrono_id FROM post_words WHERE {where} ORDER BY chrono_id DESC", limit)
    return [row[0] for row in rows]


async def rank_newest(conn: AsyncConnection, plan: SearchPlan, *, most: int) -> tuple[list[int], bool]:
    """As `search_sqlite.rank_newest`, by ts_rank: how often the words stand there, and where."""
    condition = await _condition(conn, plan)
    said = " | ".join(_stems(phrase, "") for phrase in plan.phrases)
    condition.values["said"] = said or _lexeme(_TOO_MANY_PLACES)
    # Of the quoted words only where they are asked for: they rank below all others.
    rank = f"ts_rank({_WEIGHTS}, words || files || quoted, CAST(:said AS tsquery), 1)"
    newest = f"SELECT chrono_id, {rank} FROM post_words WHERE {{where}} ORDER BY chrono_id DESC"
    rows = await condition.execute(newest, most + 1)
    return [number for number, _ in sorted(rows[:most], key=lambda row: (-row[1], -row[0]))], len(rows) > most


async def count(conn: AsyncConnection, plan: SearchPlan, *, most: int) -> int:
    """As `search_sqlite.count`."""
    rows = await (await _condition(conn, plan)).execute("SELECT 1 FROM post_words WHERE {where}", most)
    return len(rows)


class _Condition:
    """What a row must fulfil, and the values of its parameters."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._parts = [_SHOWN]
        self.values: dict[str, Any] = {}

    def add(self, part: str, **values: Any) -> None:
        self._parts.append(part)
        self.values |= values

    def ask(self, vector: str, query: str) -> str:
        """The condition that a vector fulfils a query; its parameter is added."""
        name = f"q{len(self.values)}"
        self.values[name] = query
        return f"{vector} @@ CAST(:{name} AS tsquery)"

    async def execute(self, statement: str, limit: int) -> Sequence[Any]:
        full = f"{statement.format(where=' AND '.join(self._parts))} LIMIT :limit"
        return (await self._conn.execute(text(full), self.values | {"limit": limit})).all()


async def _condition(conn: AsyncConnection, plan: SearchPlan) -> _Condition:
    condition = _Condition(conn)
    groups = [" | ".join(map(_lexeme, group)) for group in plan.facets]
    groups += [f"!{_lexeme(word)}" for word in plan.without_facets]
    condition.add(condition.ask("facets", " & ".join(f"({group})" for group in groups)))
    for phrase in plan.phrases:
        condition.add(_phrase(condition, phrase))
    for phrase in plan.without:
        condition.add(f"NOT {_phrase(condition, phrase)}")
    for name, bound in (("since", plan.since), ("until", plan.until)):
        if bound is not None:
            await _add_time(conn, condition, name, bound)
    if plan.thread is not None:
        condition.add(
            "chrono_id IN (SELECT chrono_id FROM post WHERE thread_id IN"
            " (SELECT thread_id FROM post WHERE permalink = :thread))",
            thread=plan.thread,
        )
    return condition


def _phrase(condition: _Condition, phrase: IndexedPhrase) -> str:
    """In one of its columns, the stems one after the other."""
    weights: dict[str, str] = defaultdict(str)
    for column in phrase.columns:
        vector, letter = _PLACES[column]
        weights[vector] += letter
    parts = []
    for vector, letters in weights.items():
        # Both columns of a vector: no weight need be looked at, and so no row.
        weight = f":{letters}" if letters not in ("", "AB") else ""
        parts.append(condition.ask(vector, _stems(phrase, weight)))
        if len(phrase.stems) > 1:
            everywhere = " & ".join(_lexeme(stem) + weight for stem in phrase.stems)
            often = condition.ask("facets", _lexeme(_TOO_MANY_PLACES))
            parts.append(f"({often} AND {condition.ask(vector, everywhere)})")
    return f"({' OR '.join(parts)})"


def _stems(phrase: IndexedPhrase, weight: str) -> str:
    return f"({' <-> '.join(_lexeme(stem) + weight for stem in phrase.stems)})"


async def _add_time(conn: AsyncConnection, condition: _Condition, name: str, bound: Bound) -> None:
    gap = (await conn.execute(_FIRST_GAP, {"first": bound.next_minute})).scalar_one()
    said = "(SELECT said_at FROM post WHERE post.chrono_id = post_words.chrono_id)"
    values = {f"{name}_first": bound.first, f"{name}_gap": gap, name: microseconds(bound.instant)}
    if name == "since":
        part = f"chrono_id >= :since_first AND (chrono_id >= :since_gap OR {said} >= :since)"
    else:
        part = f"chrono_id < :until_gap AND (chrono_id < :until_first OR {said} < :until)"
    condition.add(part, **values)
