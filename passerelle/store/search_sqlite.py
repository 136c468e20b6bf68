"""The searched words on SQLite: FTS5, contentless (https://www.sqlite.org/fts5.html). Plain connections, for threads.

FTS5 gives its rows in the order of their numbers, so the newest hits cost what they are, not what all hits would. Words
of a row are deleted by naming them; `read_words` gets them from the index where nobody kept them.
"""

import json
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from passerelle.core.search_plan import Bound, IndexedPhrase, SearchPlan
from passerelle.core.search_words import SearchWords
from passerelle.store.chrono_gap import FIRST_GAP
from passerelle.store.search_tables import WORD_COLUMNS
from passerelle.store.types import microseconds

#: Weights of the columns for bm25: facets say nothing about how well a post answers; a subject says much.
_WEIGHTS = (0.0, 6.0, 3.0, 2.0, 1.0)
_RANK = f"bm25(post_words, {', '.join(map(str, _WEIGHTS))})"
_NAMES = ", ".join(WORD_COLUMNS)
_MARKS = ", ".join("?" * len(WORD_COLUMNS))

INSERT_WORDS = f"INSERT INTO post_words (rowid, {_NAMES}) VALUES (?, {_MARKS})"
DELETE_WORDS = f"INSERT INTO post_words (post_words, rowid, {_NAMES}) VALUES ('delete', ?, {_MARKS})"
KEEP_WORDS = "INSERT OR REPLACE INTO post_words_kept (chrono_id, words) VALUES (?, ?)"
FIND_KEPT = "SELECT chrono_id, words FROM post_words_kept WHERE chrono_id IN (SELECT value FROM json_each(?))"
FORGET_KEPT = "DELETE FROM post_words_kept WHERE chrono_id = ?"

#: What stands in the index and is not to be found: taken back, hidden, erased. Few, in an index of their own.
_SHOWN = (
    "NOT EXISTS (SELECT 1 FROM post AS gone INDEXED BY ix_post_withheld "
    "WHERE gone.chrono_id = post_words.rowid AND gone.state <> 'accepted')"
)
_NEWEST = "SELECT rowid FROM post_words WHERE {where} ORDER BY rowid DESC LIMIT :limit"
#: bm25 goes through the whole index for each word that it is asked about: those of `facets`, which stand in every post,
#: are left out, and rows are told by number instead. `+`: FTS5 would begin anew for each number.
_RANKED = (
    f"SELECT rowid, {_RANK} FROM post_words WHERE post_words MATCH :said AND rowid >= :first"
    " AND +rowid IN (SELECT value FROM json_each(:numbers))"
)
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM post_words WHERE {where} LIMIT :limit)"
_ANY_WAITING = "SELECT 1 FROM post INDEXED BY ix_post_to_index WHERE index_state = 'waiting' LIMIT 1"


def packed(words: SearchWords) -> bytes:
    """The words of a row, as `post_words_kept` holds them."""
    return zlib.compress("\n".join(words.columns()).encode(), 6)


def unpacked(data: bytes) -> SearchWords:
    """What `packed` packed."""
    return SearchWords(**dict(zip(WORD_COLUMNS, zlib.decompress(data).decode().split("\n"), strict=True)))


def find_newest(conn: sqlite3.Connection, plan: SearchPlan, *, before: int | None, limit: int) -> list[int]:
    """The numbers of the newest posts that the plan finds, newest first; with `before`, of those below it."""
    where, values = _condition(conn, plan)
    if before is not None:
        where += " AND rowid < :before"
        values["before"] = before
    rows = conn.execute(_NEWEST.format(where=where), values | {"limit": limit}).fetchall()
    return [row[0] for row in rows]


def rank_newest(conn: sqlite3.Connection, plan: SearchPlan, *, most: int) -> tuple[list[int], bool]:
    """The numbers of the newest `most` posts that the plan finds, the best answer first (bm25); and whether it finds
    more."""
    numbers = find_newest(conn, plan, before=None, limit=most + 1)
    newest, are_more = numbers[:most], len(numbers) > most
    if len(newest) < 2 or not plan.phrases:
        return newest, are_more
    said = " AND ".join(map(_phrase, plan.phrases))
    rows = conn.execute(_RANKED, {"said": said, "first": newest[-1], "numbers": json.dumps(newest)}).fetchall()
    return [number for number, _ in sorted(rows, key=lambda row: (row[1], -row[0]))], are_more


def count(conn: sqlite3.Connection, plan: SearchPlan, *, most: int) -> int:
    """How many posts the plan finds, `most` at the most."""
    where, values = _condition(conn, plan)
    return int(conn.execute(_COUNT.format(where=where), values | {"limit": most}).fetchone()[0])


def has_waiting(conn: sqlite3.Connection) -> bool:
    """Whether a post is to be indexed."""
    return conn.execute(_ANY_WAITING).fetchone() is not None


def rows_of_numbers(conn: sqlite3.Connection, statement: str, numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows of a statement that names `{numbers}`."""
    filled = statement.format(numbers="(SELECT value FROM json_each(?))")
    return conn.execute(filled, (json.dumps(list(numbers)),)).fetchall()


def match_expression(plan: SearchPlan) -> str:
    """The plan as FTS5 reads it (https://www.sqlite.org/fts5.html#full_text_query_syntax)."""
    wanted = [f"facets : ({' OR '.join(map(_quoted, group))})" for group in plan.facets]
    wanted += [_phrase(phrase) for phrase in plan.phrases]
    unwanted = [f"facets : {_quoted(word)}" for word in plan.without_facets]
    unwanted += [_phrase(phrase) for phrase in plan.without]
    expression = " AND ".join(wanted)
    return f"({expression}) NOT ({' OR '.join(unwanted)})" if unwanted else expression


def _phrase(phrase: IndexedPhrase) -> str:
    return f"{{{' '.join(phrase.columns)}}} : {_quoted(' '.join(phrase.stems))}"


def _quoted(words: str) -> str:
    # Words have no quotation mark: it is none of the characters that folding leaves.
    return '"' + words.replace('"', "") + '"'


def _condition(conn: sqlite3.Connection, plan: SearchPlan) -> tuple[str, dict[str, Any]]:
    parts, values = ["post_words MATCH :match", _SHOWN], {"match": match_expression(plan)}
    for name, bound in (("since", plan.since), ("until", plan.until)):
        if bound is not None:
            part, more = _time_condition(conn, name, bound)
            parts.append(part)
            values |= more
    if plan.thread is not None:
        values["thread"] = json.dumps(_numbers_of_thread(conn, plan.thread))
        parts.append("rowid IN (SELECT value FROM json_each(:thread))")
    return " AND ".join(parts), values


def _time_condition(conn: sqlite3.Connection, name: str, bound: Bound) -> tuple[str, dict[str, Any]]:
    """Numbers say the time but around the bound, where a full minute runs over into the next: there `said_at` does."""
    gap = int(conn.execute(FIRST_GAP, {"first": bound.next_minute}).fetchone()[0])
    said = "(SELECT said_at FROM post WHERE chrono_id = post_words.rowid)"
    values = {f"{name}_first": bound.first, f"{name}_gap": gap, name: microseconds(bound.instant)}
    if name == "since":
        return f"rowid >= :since_first AND (rowid >= :since_gap OR {said} >= :since)", values
    return f"rowid < :until_gap AND (rowid < :until_first OR {said} < :until)", values


def _numbers_of_thread(conn: sqlite3.Connection, short: str) -> list[int]:
    rows = conn.execute(
        "SELECT chrono_id FROM post WHERE chrono_id IS NOT NULL"
        " AND thread_id IN (SELECT thread_id FROM post WHERE permalink = ?)",
        (short,),
    )
    return [row[0] for row in rows]


# ---------------------------------------------------------------- words of rows


def read_words(conn: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, SearchWords]:
    """The words of rows, read out of the whole index: seconds for 100,000 posts. For a connection that may be slow.

    Every word of a row stands there with its column and its place (fts5vocab, type `instance`).
    """
    wanted = json.dumps(sorted(numbers))
    conn.execute("PRAGMA query_only = OFF")
    conn.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.post_word_places USING fts5vocab(main, post_words, instance)")
    conn.execute("PRAGMA query_only = ON")
    found: dict[int, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    rows = conn.execute(
        "SELECT doc, col, offset, term FROM temp.post_word_places WHERE doc IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    for number, column, place, term in rows:
        found[number][column].append((place, term))
    return {number: _put_together(columns) for number, columns in found.items()}


def _put_together(columns: Mapping[str, list[tuple[int, str]]]) -> SearchWords:
    return SearchWords(
        **{name: " ".join(term for _, term in sorted(columns.get(name, ()))) for name in WORD_COLUMNS},
    )


def word_rows(words: Mapping[int, SearchWords]) -> Sequence[tuple[Any, ...]]:
    """Parameters of `INSERT_WORDS` and `DELETE_WORDS`, in the order that FTS5 likes."""
    return [(number, *words[number].columns()) for number in sorted(words)]
