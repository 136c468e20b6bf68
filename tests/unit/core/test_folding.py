"""Words as they are searched: what must be found by what."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.folding import LONGEST_WORD, fold, placed_words, stemmed, stems_of, words_of

#: Letters, marks and signs that fold in odd ways, beside any other text.
ODD = st.text(alphabet=st.sampled_from("aeéÉœŒßẞıİ’'ʼ«»_-. \u00ad\u200b\u0301\u0345ᾳﬁ№㋀ŉ´ǰΐ\u1e9b\u0323हिن\u064b"))
TEXTS = st.one_of(st.text(), ODD)


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("événements", "evenement"),
        ("Évènement", "événements"),
        ("réunions", "reunion"),
        ("RÉUNION", "réunions"),
        ("cœur", "coeur"),
        ("CŒUR", "cœurs"),
        ("l'harmonie", "harmonie"),
        ("l’harmonie", "Harmonie"),
        ("Lʼharmonie", "harmonie"),
        ("associations", "association"),
        ("associatif", "association"),
        ("associatives", "associatif"),
        ("qu’elle", "elle"),
        ("jusqu’à", "a"),
        ("d’aujourd’hui", "aujourd'hui"),
        ("ré\u00adu\u200bnion", "réunion"),
        ("re\u0301union", "réunion"),
        ("STRASSE", "straße"),
        ("Łódź", "lodz"),
        ("n°12", "n° 12"),
        ("1ᵉʳ", "1er"),
        ("كِتَاب", "كتاب"),
        ("Αθήνα", "ΑΘΗΝΑ"),
        ("оформление", "Оформление"),
    ],
)
def test_what_is_written_is_found_by_what_is_searched(written: str, searched: str) -> None:
    assert stems_of(written) == stems_of(searched)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("… « » – ' _ _", []),
        ("L'ordre du jour : 14h30, salle_2 !", ["ordre", "du", "jour", "14h30", "salle", "2"]),
        ("rendez-vous à l’Épeule", ["rendez", "vous", "a", "epeule"]),
        ("quelqu’un de la presqu'île", ["quelqu", "un", "de", "la", "presqu", "ile"]),
        ("aujourd’hui", ["aujourd", "hui"]),
        ("O'Brien, d'Artagnan", ["o", "brien", "artagnan"]),
        ("https://exemple.org/a_b", ["https", "exemple", "org", "a", "b"]),
        ("l'", ["l"]),
        ("(l'«école»)", ["l", "ecole"]),
        ("_side_list", ["side", "list"]),
    ],
)
def test_a_text_is_cut_into_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_sqlite_cuts_what_is_cut_already_no_further() -> None:
    """One word here is one word in the index, whatever its script: else the two databases would count otherwise."""
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE t USING fts5(words, tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")")
    table.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")
    words = sorted({word for code in range(0x20000) for word in words_of(f"q{chr(code)}z")})
    table.executemany("INSERT INTO t (rowid, words) VALUES (?, ?)", enumerate(words))
    cut = table.execute("SELECT doc, term FROM v ORDER BY doc, offset").fetchall()
    # Of all letters, SQLite knows these by an older Unicode: those of New Tai Lue, and two Vedic signs.
    old = set("ᳲᳳ") | {chr(code) for code in range(0x19B0, 0x19CA)}
    assert [pair for pair in cut if not old & set(words[pair[0]])] == [
        (row, word) for row, word in enumerate(words) if not old & set(word)
    ]
    table.close()


def test_an_overlong_word_is_cut() -> None:
    assert words_of("a" * 5000 + " b") == ["a" * LONGEST_WORD, "b"]


@given(TEXTS)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_each_word_has_its_stem_and_its_place(text: str) -> None:
    words = words_of(text)
    assert len(stems_of(text)) == len(words)
    assert stemmed(text).split() == stems_of(text)
    placed = list(placed_words(text))
    assert [word.word for word in placed] == words
    assert all(0 <= word.start < word.end <= len(text) for word in placed)


@given(TEXTS)
def test_no_word_can_be_taken_for_a_facet_or_for_two(text: str) -> None:
    for word in words_of(text) + stems_of(text):
        assert "_" not in word
        assert "'" not in word
        assert word.split() == [word]


def test_places_are_those_of_the_written_text() -> None:
    text = "Oui : l’Œuvre (e\u0301coles, ré\u00adunion)"
    assert [text[w.start : w.end] for w in placed_words(text)] == ["Oui", "Œuvre", "e\u0301coles", "ré\u00adunion"]
