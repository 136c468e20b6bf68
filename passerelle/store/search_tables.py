"""The table of the words that are searched: `post_words`, one row a post, made by each database in its own way.

What is stored there is folded and stemmed already (`core.folding`), so both databases find the same. Rows are known by
`post.chrono_id`: newest first is the order in which they stand. SQLite keeps no copy of the words (a contentless FTS5
table, https://www.sqlite.org/fts5.html#contentless_tables), so a row is deleted by naming its words again.
"""

#: Columns of words, in the order of the table. `facets`: words that no post can hold, which say where it stands, who
#: wrote it and when, so that one look-up answers all of a query.
WORD_COLUMNS = ("facets", "subject", "own", "files", "quoted")

_SQLITE = (
    f"CREATE VIRTUAL TABLE post_words USING fts5({', '.join(WORD_COLUMNS)}, content='', "
    "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")",
)
_POSTGRESQL = (
    "CREATE TABLE post_words (chrono_id bigint PRIMARY KEY, facets tsvector NOT NULL, words tsvector NOT NULL)",
    "CREATE INDEX ix_post_words_words ON post_words USING gin (facets, words)",
)


def search_tables(dialect: str) -> tuple[str, ...]:
    """The statements that make `post_words` on `sqlite` or `postgresql`."""
    return _SQLITE if dialect == "sqlite" else _POSTGRESQL
