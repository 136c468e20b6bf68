"""A person's words in what others wrote: found however they are quoted, and nobody else's touched."""

from __future__ import annotations

import textwrap
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.quoted_markup import mark_out_markup
from passerelle.core.quoted_words import MarkWords, Traces, find, mark_out, tokens_of, traces_of

MARKS = MarkWords(words="[…] (effacé à la demande de leur auteur)", name="[…]")
SAID = """Bonjour à tous,

La zorglubine du hangar est fermée depuis mardi, et la clé kryptonée reste chez Paul.
Merci de prévenir les équipes d’Épeule. Zut alors !
"""
TRACES = traces_of(
    [SAID],
    subjects=["Clés du hangar"],
    names=["Monique Delattre", "Momo"],
    addresses=["monique@membres.lab.test"],
    user_ids=["@monique:lab.test"],
)
DISTINCT = ("zorglubine", "krypton", "quipes", "monique@", "delattre")


def without(text: str, traces: Traces = TRACES) -> str:
    return mark_out(text, traces, MARKS).text


def quoted(text: str, mark: str = "> ", width: int = 60) -> str:
    lines = [
        wrapped
        for line in text.splitlines()
        for wrapped in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return "\n".join(mark + line for line in lines)


def assert_gone(text: str) -> None:
    assert not [word for word in DISTINCT if word in text.casefold()]


@pytest.mark.parametrize("mark", ["> ", ">", "> > ", ">> ", "| ", "MD> ", "  > "])
@pytest.mark.parametrize("width", [20, 40, 72, 200])
def test_quotes_of_every_style_and_width_are_marked_out(mark: str, width: int) -> None:
    marked = without(f"Je m’en occupe.\n\n{quoted(SAID, mark, width)}\n\nPaul")
    assert_gone(marked)
    assert marked.startswith("Je m’en occupe.\n")
    assert marked.endswith("\n\nPaul")
    assert MARKS.words in marked


@pytest.mark.parametrize(
    "announced",
    [
        "-----Message d'origine-----\nDe : Monique Delattre <monique@membres.lab.test>\n"
        "Objet : RE: [bureau] Clés du hangar\n",
        "De : Monique Delattre\nEnvoyé : mardi 3 mars 2026 10:00\nÀ : bureau\nObjet : Clés du hangar\n",
        "________________________________\nFrom: Monique Delattre\nSubject: Clés du hangar\n",
        "Le mar. 3 mars 2026 à 10:00, Monique Delattre\n<monique@membres.lab.test> a écrit :\n",
    ],
)
def test_quotes_without_marks_are_found_below_what_announces_them(announced: str) -> None:
    marked = without(f"Entendu.\n\n{announced}\n{SAID}")
    assert_gone(marked)
    assert "hangar" not in marked
    assert marked.startswith("Entendu.\n")


def test_a_cut_quote_is_found() -> None:
    assert_gone(without("> La zorglubine du hangar est fermée [...]\nAh bon ?\n> la clé kryptonée reste chez Paul"))


def test_words_said_again_without_quoting_are_found_when_they_are_many() -> None:
    assert_gone(
        without("Comme tu dis, la zorglubine du hangar est fermée depuis mardi et la clé kryptonée reste chez Paul.")
    )


def test_what_others_say_alike_stays_theirs() -> None:
    traces = traces_of(["Je suis bien d'accord. Merci à tous. Bonne journée !"])
    own = "Merci à tous ! Je suis bien d'accord.\nÀ jeudi, bonne journée !"
    assert without(own, traces) == own


def test_quotes_of_a_third_person_stay() -> None:
    text = "> Paul : je peux passer jeudi soir avec la remorque\nParfait."
    assert without(text) == text


def test_an_answer_below_a_marked_quote_is_nobodys_quote() -> None:
    text = "Le 3 mars, Monique Delattre a écrit :\n> Zut alors !\n\nZut alors, dis-tu."
    assert without(text).endswith("\n\nZut alors, dis-tu.")


@pytest.mark.parametrize(
    "written",
    [
        "monique@membres.lab.test", "Monique@Membres.Lab.Test", "monique%40membres.lab.test",
        "monique at membres.lab.test", "monique (at) membres.lab.test", "<monique@membres.lab.test>",
        "bureau+monique=membres.lab.test@listes.lab.test",
        "@monique:lab.test", "%40monique%3Alab.test", "Monique DELATTRE", "Delattre, Monique",
    ],
)  # fmt: skip
def test_names_and_addresses_are_found_anywhere(written: str) -> None:
    marked = without(f"Voir avec {written}, svp.")
    assert_gone(marked)
    assert "monique" not in marked.casefold()


def test_a_name_of_one_word_is_found_where_an_author_is_named() -> None:
    assert without("Le 3 mars, Momo a écrit :\n> rien") == "Le 3 mars, […] a écrit :\n> rien"
    assert without("Momo le chat dort") == "Momo le chat dort"


def test_another_address_of_the_same_beginning_stays() -> None:
    for other in ("monique@membres.lab.testament", "dominique@membres.lab.test", "monique@membres.lab.test-2.fr"):
        assert without(other) == other


def test_markup_keeps_its_tags() -> None:
    source = (
        '<p>Entendu.</p><div>Le 3 mars, <b>Monique Delattre</b> a écrit&nbsp;:</div><blockquote type="cite">'
        "<p>La <i>zorglubine</i> du&nbsp;hangar est ferm&eacute;e<br>depuis mardi, et la cl&#233; kryptonée reste chez "
        "Paul.</p><p>Zut alors !</p></blockquote><p>Zut alors, moi.</p>"
        '<a href="mailto:monique%40membres.lab.test">là</a>'
        "<!-- Zut alors -->"
    )
    marked = mark_out_markup(source, TRACES, MARKS).text
    assert_gone(marked)
    assert marked.count("Zut alors") == 1
    assert marked.count("<p>") == 4
    assert '<blockquote type="cite">' in marked
    assert "<a>là</a>" in marked


def test_markup_without_traces_is_left_to_the_letter() -> None:
    source = "<p>Rien &agrave; voir < 3 & alors <br/></p><!-- x -->\r\n"
    assert mark_out_markup(source, TRACES, MARKS).text == source


WORDS = st.text(st.sampled_from("abcdeéèœ'’-"), min_size=3, max_size=9).filter(lambda w: len(list(tokens_of(w))) == 1)
SENTENCES = st.lists(WORDS, min_size=4, max_size=30)


@settings(max_examples=150, deadline=None)
@given(SENTENCES, st.integers(8, 90), st.sampled_from(["> ", ">", "> > ", "| "]))
def test_whatever_is_said_is_found_when_it_is_quoted(words: list[str], width: int, mark: str) -> None:
    said = " ".join(words)
    marked = without(f"Réponse 123\n{quoted(said, mark, width)}\nfin 456", traces_of([said]))
    left = set(tokens_of(marked)) - set(tokens_of(MARKS.words)) - {"reponse", "123", "fin", "456"}
    assert left == set()
    assert marked.startswith("Réponse 123\n")
    assert marked.endswith("\nfin 456")


@settings(max_examples=150, deadline=None)
@given(SENTENCES, st.data())
def test_whatever_is_said_is_found_in_markup(words: list[str], data: st.DataObject) -> None:
    tags = st.sampled_from([" ", "<br>", "\n", " <b>", "</b> ", "<p>", "&nbsp;"])
    source = "".join(word + data.draw(tags) for word in words)
    marked = mark_out_markup(f"<blockquote>{source}</blockquote><p>fin 456", traces_of([" ".join(words)]), MARKS).text
    text = "".join(c if c not in "<>" else " " for c in marked.replace(MARKS.words, ""))
    assert set(tokens_of(text)) - {"blockquote", "p", "b", "br", "fin", "456", "nbsp"} == set()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_and_only_what_is_found_changes(text: str) -> None:
    found = find(text, TRACES)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    if not found:
        assert mark_out(text, TRACES, MARKS).text == text
    mark_out_markup(text, TRACES, MARKS)


def test_hostile_repetition_takes_no_more_than_its_length() -> None:
    said = "a b " * 20_000
    assert mark_out("> " + said, traces_of([said]), MARKS).count == 1
    mark_out_markup("<blockquote>" * 5_000 + "<" * 20_000 + "&" * 20_000, traces_of([said]), MARKS)
    mark_out("> " * 20_000 + ":" * 20_000, TRACES, MARKS)
