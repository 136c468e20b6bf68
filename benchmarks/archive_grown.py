"""An imported archive made several times as large: each post once more, and again, some minutes later.

Searches and pages of a million posts are to be measured without an import of half an hour. The copies have ids, names,
places in time, conversations and searched words of their own; what they quote is what the posts above them say, as in
the made mails. They share the originals, which neither searches nor pages read, and have no files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from passerelle.core.chronology import ChronoIds, first_chrono_id
from passerelle.core.search_words import Findable, build_words
from passerelle.core.shelves import shelf_of
from passerelle.store.search_sqlite import INSERT_WORDS
from passerelle.store.types import instant_of

_LATER_MICROSECONDS = 7 * 60 * 1_000_000
#: So many levels of quotes, as `benchmarks.archive_mails` writes them.
_QUOTED_POSTS = 4
_AT_ONCE = 50_000
#: Of short names. Those of copies begin with another one, `k` behind it; so there are 31 copies at the most.
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567" * 2
_LETTER = "substr(:letters, instr(:letters, substr(p.permalink, 1, 1)) + :k, 1)"
#: What is another's in a copy; `:k` is its number.
_OTHERS = {
    "post": {
        "id": "p.id + :k * :posts", "message_id": "iif(p.message_id = '', '', :k || '.' || p.message_id)",
        "content_hash": ":k || '.' || p.content_hash", "thread_id": "p.thread_id + :k * :threads",
        "parent_post_id": "p.parent_post_id + :k * :posts", "permalink": f"{_LETTER} || substr(p.permalink, 2)",
        "said_at": f"p.said_at + :k * {_LATER_MICROSECONDS}", "chrono_id": "g.number", "index_state": "'indexed'",
    },
    "thread": {"id": "p.id + :k * :threads", "split_from_thread_id": "p.split_from_thread_id + :k * :threads"},
}  # fmt: skip


def grow(folder: Path, times: int) -> None:
    """Have the store in `folder` hold each post so many times. Nobody else may use it."""
    with closing(sqlite3.connect(folder / "archive.db", isolation_level=None)) as conn:
        conn.execute("PRAGMA synchronous = OFF")
        conn.execute("PRAGMA cache_size = -262144")
        posts = conn.execute(
            "SELECT id, association, link, author_name, subject, text, parent_post_id, said_at, chrono_id FROM post"
            " ORDER BY chrono_id"
        ).fetchall()
        conn.execute("CREATE TEMP TABLE grown (k INTEGER, id INTEGER, number INTEGER, PRIMARY KEY (k, id))")
        conn.execute("BEGIN")
        conn.executemany("INSERT INTO grown VALUES (?, ?, ?)", _numbered(posts, times))
        conn.execute("COMMIT")
        ends = {f"{name}s": conn.execute(f"SELECT max(id) FROM {name}").fetchone()[0] for name in _OTHERS}
        for k in range(1, times):
            conn.execute("BEGIN")
            for name in ("thread", "post"):
                conn.execute(_copy(conn, name), {"k": k, "letters": _LETTERS, **ends})
            conn.execute("COMMIT")
        words = {row[0]: row for row in _words(posts)}
        rows = conn.execute("SELECT number, id FROM grown ORDER BY number").fetchall()
        for start in range(0, len(rows), _AT_ONCE):
            conn.execute("BEGIN")
            conn.executemany(INSERT_WORDS, [(number, *words[id][1:]) for number, id in rows[start : start + _AT_ONCE]])
            conn.execute("COMMIT")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _numbered(posts: list[tuple[Any, ...]], times: int) -> Iterator[tuple[int, int, int]]:
    numbers = ChronoIds()
    numbers.note_taken(row[-1] for row in posts)
    for k in range(1, times):
        for id, *_, said_at, _ in posts:
            yield k, id, numbers.take(first_chrono_id(instant_of(said_at + k * _LATER_MICROSECONDS)))


def _copy(conn: sqlite3.Connection, name: str) -> str:
    columns = [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
    values = ", ".join(_OTHERS[name].get(column, f'p."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    source = "thread AS p" if name == "thread" else "grown AS g JOIN post AS p ON p.id = g.id AND g.k = :k"
    return f"INSERT INTO {name} ({names}) SELECT {values} FROM {source} WHERE p.id <= :{name}s ORDER BY p.id"


def _words(posts: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    said = {row[0]: (row[5], row[6]) for row in posts}
    for id, association, link, author, subject, text, above, *_ in posts:
        quoted: list[str] = []
        while above is not None and len(quoted) < _QUOTED_POSTS:
            words, above = said[above]
            quoted.append(words)
        shelf = shelf_of(association=association, link=link, origin="import", side="list")
        findable = Findable(
            shelves=(shelf,), side="list", author_name=author, subject=subject, own=text, quoted="\n".join(quoted)
        )
        yield (id, *build_words(findable).columns())
