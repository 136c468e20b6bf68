"""The words by which a post is found."""

from dataclasses import replace

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.search_words import (
    BREAK,
    FROM_LIST,
    HAS_FILE,
    MOST_WORDS,
    Findable,
    author_token,
    build_words,
    shelf_token,
)
from passerelle.core.shelves import Shelf
from passerelle.store.search_tables import WORD_COLUMNS

LIVE = Shelf(association=AssociationName("epeule"), link=LinkName("bureau"), origin="live")
PAST = replace(LIVE, origin="import", side="list")
POST = Findable(
    shelves=(LIVE,),
    side="list",
    author_name="Hélène d’Ormesson",
    subject="Réunions",
    own="Les événements de l’harmonie",
    quoted="Qui vient ?",
    file_names=("Procès-verbal.pdf", "budget.ods"),
    file_texts=("Présents : tous.",),
)


def test_each_word_stands_in_its_column() -> None:
    words = build_words(POST)
    assert words.subject.split() == ["reunion"]
    assert words.own.split() == ["le", "even", "de", "harmon"]
    assert words.quoted.split() == ["qui", "vient"]
    assert words.files.split() == ["proc", "verbal", "pdf", BREAK, "budget", "od", BREAK, "present", "tous"]
    assert words.facets.split() == [
        shelf_token(LIVE), FROM_LIST, HAS_FILE, author_token("helen"), author_token("ormesson"),
    ]  # fmt: skip


def test_columns_stand_as_the_table_has_them() -> None:
    words = build_words(POST)
    assert words.columns() == tuple(getattr(words, name) for name in WORD_COLUMNS)


def test_shelves_have_words_of_their_own() -> None:
    other = replace(PAST, link=LinkName("bureau\nimport"))
    tokens = {shelf_token(one) for one in (LIVE, PAST, replace(PAST, side="room"), other)}
    assert len(tokens) == 4
    assert all(token.startswith("_s") and token[2:].isalnum() for token in tokens)
    both = build_words(replace(POST, shelves=(LIVE, PAST)))
    assert {shelf_token(LIVE), shelf_token(PAST)} <= set(both.facets.split())


def test_no_post_can_hold_a_word_of_the_facets() -> None:
    hostile = f"{shelf_token(PAST)} {HAS_FILE} _aadmin _"
    post = Findable(shelves=(LIVE,), side="room", author_name=hostile, subject=hostile, own=hostile, quoted=hostile)
    words = build_words(post)
    assert not [word for column in words.columns()[1:] for word in column.split() if word.startswith("_")]
    assert shelf_token(PAST) not in words.facets.split()
    assert HAS_FILE not in words.facets.split()


def test_a_column_is_bounded() -> None:
    endless = "mot " * 200_000
    words = build_words(replace(POST, own=endless, quoted="a " * 200_000, file_texts=(endless, endless, endless)))
    assert max(len(column.split()) for column in words.columns()) == MOST_WORDS
