"""The convocation on one sheet of paper, whatever its length."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from passerelle.core.convocation import Convocation, ConvocationFacts, build_convocation
from passerelle.core.wording import Language
from passerelle.documents.convocation import build_convocation_pdf
from passerelle.render import load_words
from tests.unit.core.minutes_facts import meeting_of

MADE = datetime(2026, 11, 5, 9, tzinfo=UTC)
ITEM = "Point {} de l’ordre du jour, avec assez de mots pour tenir toute une ligne de la feuille"


def convocation(language: Language = "fr", site: str = "https://a.example", **told: Any) -> Convocation:
    told.setdefault("meeting", meeting_of({"place": "local", "organizer_name": "Monique"}))
    facts = ConvocationFacts(association="Comité de quartier de l’Épeule", **told)
    return build_convocation(facts, words=load_words(language), site=site)


def assembly(**more: Any) -> Any:
    return meeting_of({"kind": "assembly", "title": "assemblée générale", "place": "salle des fêtes", **more})


def sheet(made: Convocation, language: Language = "fr", folder: Path | None = None) -> tuple[int, str]:
    data = build_convocation_pdf(made, load_words(language), made_at=MADE, folder=folder)
    pages = PdfReader(io.BytesIO(data)).pages
    return len(pages), " ".join(" ".join(page.extract_text() for page in pages).split())


def test_it_says_when_where_and_what() -> None:
    pages, text = sheet(convocation(agenda=("Budget", "Fête"), reply_address="pont+r4@e.example"))
    assert pages == 1
    for said in (
        "Jeudi 12 novembre 2026",
        "de 18 h 30 à 20 h 30",
        "local",
        "1. Budget",
        "2. Fête",
        "pont+r4@e.example",
    ):
        assert said in text.replace("\u00a0", " ")
    assert "inutile d’expliquer" in text
    assert "Sans courriel, dites-le à Monique." in text
    assert "Pouvoir" not in text


def test_an_assembly_has_a_proxy_to_cut_out() -> None:
    _, text = sheet(convocation(meeting=assembly(), quorum=12))
    for said in ("Pouvoir", "Je donne pouvoir à", "Signature", "Il faut 12 personnes présentes ou représentées."):
        assert said in text


def test_each_name_has_a_line_for_who_takes_it() -> None:
    names = ("Mme Haddad", "M. Nguyễn", "Jean-Baptiste de La Tour")
    _, text = sheet(convocation(by_voice=names))
    assert "À prévenir de vive voix" in text
    assert "Qui s’en charge" in text
    assert all(name in text for name in names)


@pytest.mark.parametrize("items", [0, 12, 40, 200])
@pytest.mark.parametrize("names", [0, 43, 200])
@pytest.mark.parametrize("is_assembly", [True, False])
def test_it_is_never_more_than_one_page(items: int, names: int, is_assembly: bool) -> None:
    made = convocation(
        meeting=assembly() if is_assembly else meeting_of({}),
        agenda=[ITEM.format(number) for number in range(items)],
        by_voice=[f"Personne Numéro {number}" for number in range(names)],
        reply_address="pont+r4@e.example",
        path="/e/p/abcdefghijkl",
        quorum=12,
    )
    pages, text = sheet(made)
    assert pages == 1
    assert ("la suite sur https://a.example/e/p/abcdefghijkl" in text) == (
        f"Point {items - 1} de" not in text and items > 0
    )
    if names == 43:
        # What stands in the mail too is cut before who has to be told.
        assert "Personne Numéro 40" in text


def test_the_longest_words_still_fit() -> None:
    long = "mot " * 400
    made = convocation(
        meeting=assembly(title=long, place=long, notes=long, organizer_name="N" * 80),
        agenda=[long] * 200,
        by_voice=["Nom " * 20] * 200,
        quorum=12,
    )
    assert sheet(made)[0] == 1


def test_without_a_web_the_rest_is_in_the_mail() -> None:
    _, text = sheet(convocation(site="", agenda=[ITEM.format(number) for number in range(90)]))
    assert "la suite dans le courriel de convocation" in text


def test_few_items_are_set_large_and_many_small() -> None:
    def largest(made: Convocation) -> float:
        data = build_convocation_pdf(made, load_words("fr"), made_at=MADE)
        sizes: list[float] = []
        PdfReader(io.BytesIO(data)).pages[0].extract_text(
            visitor_text=lambda text, _cm, _tm, _font, size: sizes.append(size) if "Point 1 " in text else None
        )
        return max(sizes)

    few, many = ([ITEM.format(number) for number in range(count)] for count in (3, 40))
    assert largest(convocation(agenda=few)) > largest(convocation(agenda=many))


@pytest.mark.parametrize("said", ["#panic()", "*gras*", "$x$", "<a>", "\\", '"', "漢字", "\u0000x"])
def test_members_words_are_never_source(said: str) -> None:
    pages, text = sheet(convocation(meeting=meeting_of({"title": said, "place": said}), agenda=[said], by_voice=[said]))
    assert pages == 1
    if said.isascii() and said.isprintable():
        assert said in text


def test_english() -> None:
    _, text = sheet(convocation("en", meeting=assembly()), "en")
    assert "I give my proxy to" in text


def test_an_own_template_comes_first(tmp_path: Path) -> None:
    (tmp_path / "minutes").mkdir()
    (tmp_path / "minutes" / "convocation.typ").write_text(
        "#let it = json(bytes(sys.inputs.convocation))\n#set document(title: it.title)\n#set text(lang: it.language)\n"
        "= Salut les voisins\n#it.day",
        "utf-8",
    )
    assert "Salut les voisins jeudi 12 novembre 2026" in sheet(convocation(), folder=tmp_path)[1]
