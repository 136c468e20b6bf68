"""What a fiche holds and shows, as values: never a word of anybody who has not agreed, nothing that nobody wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.command_fiches import parse_written
from passerelle.core.fiche import (
    HEADINGS,
    Content,
    Part,
    Source,
    asked_consent,
    consents_for,
    licence_named,
    who,
    without_words_of,
)
from passerelle.core.fiche_export import page_name
from passerelle.core.fiche_fill import Record, SaidPost, build_parts, quotable_sentences
from passerelle.core.ids import FicheId

AT = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
PEOPLE = st.integers(1, 5)


@st.composite
def parts(draw: Any) -> Part:
    """A quotation, a line of the register that names some, or an author's words; its text says whose yes it needs."""
    kind = draw(st.sampled_from(["quote", "record", "written"]))
    person = draw(PEOPLE)
    asks = {"quote": [person], "record": sorted({person, *draw(st.sets(PEOPLE))}), "written": []}[kind]
    return Part(
        heading=draw(st.sampled_from([*HEADINGS, "title"])), kind=kind, text=f"<{','.join(map(str, asks))}>",
        author=f"Prénom{person} Nom{person}", said_at=AT, person_id=person, asks=tuple(asks),
        post_id=draw(st.none() | st.integers(1, 9)), entry_id=None, number=draw(st.none() | st.integers(1, 9)),
    )  # fmt: skip


CONTENTS = st.builds(
    Content,
    source=st.just(Source(kind="thread")),
    parts=st.lists(parts(), max_size=8).map(tuple),
    versions=st.lists(parts(), max_size=3).map(tuple),
)


@given(CONTENTS, st.sets(PEOPLE))
def test_nothing_is_seen_without_the_yes_of_everybody_whom_it_needs(content: Content, agreed: set[int]) -> None:
    seen = content.seen_by(agreed)
    for part in seen.parts:
        assert {int(one) for one in part.text.strip("<>").split(",") if one} <= agreed
    assert seen.versions == ()
    assert [part for part in content.parts if part not in seen.parts] == [
        part for part in content.parts if not set(part.asks) <= agreed
    ], "and nothing else is missing"
    assert set(who(seen, agreed)) <= {f"Prénom{one}" for one in agreed}
    # Who takes a yes back takes their words along, and nobody else's yes brings them in.
    for one in agreed:
        assert not [part for part in content.seen_by(agreed - {one}).parts if one in part.asks]


@given(CONTENTS)
def test_what_is_stored_is_what_is_read(content: Content) -> None:
    stored = json.loads(json.dumps(content.to_json()))
    assert Content.from_json(stored) == content


@given(CONTENTS, PEOPLE)
def test_erasing_leaves_nothing_of_a_person(content: Content, person: int) -> None:
    left = Content.from_json(without_words_of(content.to_json(), person))
    assert person not in left.authors()
    assert person not in {part.person_id for part in left.versions}
    kept = [part for part in content.parts if part.person_id != person and person not in part.asks]
    assert list(left.parts) == kept


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=120), max_size=6))
def test_a_new_fiche_holds_only_what_was_written(texts: list[str]) -> None:
    posts = [
        SaidPost(post_id=n, person_id=n, author=f"P{n}", text=text, said_at=AT, permalink=f"p{n}")
        for n, text in enumerate(texts)
    ]
    for part in build_parts(posts, []):
        written = " ".join(texts[part.person_id or 0].split())
        assert all(piece in written for piece in part.text.split(" […] "))
        assert part.asks == (part.person_id,)


def said(text: str, **more: Any) -> SaidPost:
    return SaidPost(
        **{"post_id": 1, "person_id": 1, "author": "Léa", "text": text, "said_at": AT, "permalink": "p"} | more
    )


def record(**more: Any) -> Record:
    made = Record(entry_id=1, post_id=None, number=1, kind="decision", state="adopted", text="louer la salle",
                  author="Léa", person_id=1, asks=(1,), said_at=AT)  # fmt: skip
    return replace(made, **more)


def test_what_was_left_out_between_two_sentences_is_said() -> None:
    text = "Mon conseil : réservez tôt. Le ciel était très bleu ce jour-là. Pensez à la sono aussi."
    (part,) = [
        one for one in build_parts([said("Rien à citer ici, vraiment."), said(text)], []) if one.heading == "advice"
    ]
    assert part.text == "Mon conseil : réservez tôt. […] Pensez à la sono aussi."


@pytest.mark.parametrize(
    ("kind", "state", "heading"),
    [("decision", "adopted", "done"), ("decision", "proposed", None), ("action", "done", "done"),
     ("action", "open", None), ("idea", "kept", "again"), ("idea", "dropped", None), ("question", "open", None)],
)  # fmt: skip
def test_lines_of_the_register_stand_where_they_belong(kind: str, state: str, heading: str | None) -> None:
    found = build_parts([], [record(kind=kind, state=state)])
    assert [part.heading for part in found] == ([heading] if heading else [])


def test_no_sentence_names_who_can_t_be_asked() -> None:
    posts = [said("Le loto a bien marché. Mme Haddad garde les lots. Madame Haddad viendra.")]
    found = build_parts(posts, [record(text="rendre les clés à Mme Haddad")], spoken_of=["Mme Haddad"])
    assert [part.text for part in found] == ["Le loto a bien marché."]


def test_greetings_quotes_and_polite_ends_are_not_quoted() -> None:
    text = "Bonjour à toutes et tous,\n\n> Qui vient au loto samedi ?\nJe viens avec deux tables.\nBonne journée à tous"
    assert quotable_sentences(text) == ["Je viens avec deux tables."]


def test_a_shortened_word_ends_no_quotation() -> None:
    assert quotable_sentences("Bilan : M. Dupont a tenu la caisse.") == ["Bilan : M. Dupont a tenu la caisse."]


def test_an_author_s_words_replace_an_author_s_and_no_quotation() -> None:
    quote = Part(heading="advice", kind="quote", text="cité", author="A", said_at=AT, person_id=1, asks=(1,))
    first = replace(quote, kind="written", text="un", asks=())
    content = Content(source=Source(kind="tag"), parts=(quote,)).written(first).written(replace(first, text="deux"))
    assert [part.text for part in content.of("advice")] == ["cité", "deux"]
    assert [part.text for part in content.versions] == ["un"]


def test_a_yes_to_the_network_is_one_to_the_association_and_not_the_reverse() -> None:
    assert asked_consent(FicheId(3), "network") in consents_for(FicheId(3), "association")
    assert asked_consent(FicheId(3), "association") not in consents_for(FicheId(3), "network")


@pytest.mark.parametrize(
    ("text", "licence"),
    [("CC BY-SA 4.0", "CC BY-SA 4.0"), ("cc by", "CC BY 4.0"), ("cc0", "CC0 1.0"), ("tous droits réservés", None)],
)
def test_a_licence_is_one_that_has_a_name(text: str, licence: str | None) -> None:
    assert licence_named(text) == licence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contexte : un loto", [("context", "un loto")]),
        ("- Ce que nous avons fait : tout\nConseils: deux", [("done", "tout"), ("advice", "deux")]),
        ("résultats :\n120 personnes\n\n300 €\n> cité", [("results", "120 personnes\n\n300 €")]),
        ("Bonjour, voici mes idées", []),
        ("Bonjour,\n\ncontexte : un loto", [("context", "un loto")]),
        ("Voilà ce que je sais.\ncontexte : un loto", []),
        ("context: a raffle\nadvice: start early", [("context", "a raffle"), ("advice", "start early")]),
        ("conseil :", []),
    ],
)
def test_what_is_written_under_a_heading_is_read(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.heading, one.text) for one in parse_written(text)] == expected


@pytest.mark.parametrize(
    ("title", "name"), [("Un loto réussi !", "UnLotoReussi7"), ("2026", "Fiche20267"), ("", "Fiche7")]
)
def test_a_page_of_a_wiki_has_a_name_that_it_takes(title: str, name: str) -> None:
    assert page_name(title, 7) == name
