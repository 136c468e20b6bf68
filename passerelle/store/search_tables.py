"""The tables of the words that are searched: `post_words`, one row a post, made by each database in its own way.

What is stored there is folded and stemmed already (`core.search_words`), so both databases find the same. Rows are
known by `post.chrono_id`: newest first is the order in which they stand.

SQLite keeps no copy of the words (a contentless FTS5 table, https://www.sqlite.org/fts5.html#contentless_tables), so a
row is deleted by naming its words again. The words of posts that may change are kept for that in `post_words_kept`;
those of an imported past are read out of the index itself when they are to go (`store.search_sqlite`). Whoever inserts
many rows sorts them by `chrono_id` first: FTS5 writes a segment each time that a number is lower than the last one.

PostgreSQL: vectors of their own for what is searched apart, since a search by weight has to look at each row again.
"""

#: Columns of words, in the order of the table. `facets`: words that no post can hold, which say where it stands, who
#: wrote it, and whether files came with it, so that one look-up answers all of a query.
WORD_COLUMNS = ("facets", "subject", "own", "files", "quoted")

#: In which an index stands while it is taken away, a piece at a time.
OLD_WORDS = "post_words_old"

_SQLITE = (
    # The words are cut already, and ASCII's tokenizer takes all that is not ASCII for letters: any script, and quick.
    f"CREATE VIRTUAL TABLE post_words USING fts5({', '.join(WORD_COLUMNS)}, content='', "
    "tokenize=\"ascii tokenchars '_'\")",
    # The columns, a line each, zlib.
    "CREATE TABLE post_words_kept (chrono_id INTEGER PRIMARY KEY, words BLOB NOT NULL) STRICT",
)
_POSTGRESQL = (
    # words: subject (A), own words (B).
    "CREATE TABLE post_words (chrono_id bigint PRIMARY KEY, facets tsvector NOT NULL, words tsvector NOT NULL, "
    "files tsvector NOT NULL, quoted tsvector NOT NULL)",
    "CREATE INDEX ix_post_words ON post_words USING gin (facets, words, files, quoted)",
    # So that a common word is known to be one: its newest posts are read off in order, not all of them and sorted.
    "ALTER TABLE post_words ALTER COLUMN facets SET STATISTICS 500",
    "ALTER TABLE post_words ALTER COLUMN words SET STATISTICS 1000",
)


def search_tables(dialect: str) -> tuple[str, ...]:
    """The statements that make these tables on `sqlite` or `postgresql`."""
    return _SQLITE if dialect == "sqlite" else _POSTGRESQL
