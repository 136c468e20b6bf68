"""Templates and words: complete in both languages, documented, in the tone of PEOPLE.md, harmless when broken."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, meta

from passerelle.core.digest_words import Place, build_shown
from passerelle.core.wording import NARROW_NBSP, NBSP, french_spaces
from passerelle.errors import ConfigError
from passerelle.render import TEMPLATES, Renderer, load_words
from tests.unit.core.digest_cases import load_situation
from tests.unit.core.minutes_facts import convocation_of, load_sample

ROOT = Path(__file__).parents[2]
LANGUAGES: tuple[Literal["fr", "en"], ...] = ("fr", "en")
AT = datetime(2026, 11, 17, 17, 30, tzinfo=UTC)
KINDS = (
    "email_failed", "email_unknown", "bounce", "moderation", "no_list_header", "email_set_aside", "event_set_aside",
    "set_aside", "undecryptable", "fuse", "public_room", "world_readable", "lost_past", "event_failed",
    "direct_failed", "reaction_failed", "redaction_failed", "compose_failed", "restored",
    "privacy_access", "privacy_erase", "privacy_large", "document_failed",
)  # fmt: skip


@dataclass(frozen=True)
class Coordinator:
    name: str
    address: str | None


def turn(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(topic="", text="Bonjour", html="", files=["f"], **more)


ENTRY = SimpleNamespace(
    number=12, kind="action", kind_word="Action", text="relancer la mairie", state="open", state_word="à faire",
    names=("Léa",), label="", quantity=None, due="jeudi 12 novembre", until="", overdue=False, author="Karim",
    said_for="", said_at=AT, open_until=None, objections=(), url="https://archives.example/epeule/register/12",
)  # fmt: skip
DECISION = SimpleNamespace(**(
    vars(ENTRY) | {"kind": "decision", "kind_word": "Décision", "state": "objected", "open_until": AT,
                   "objections": (SimpleNamespace(name="Paul", reason="trop cher"),), "said_for": "Mme Haddad"}
))  # fmt: skip
ADOPTED = SimpleNamespace(**(vars(DECISION) | {"state": "adopted", "state_word": "adoptée", "objections": ()}))
REMINDER = SimpleNamespace(
    number=3, text="apporter les clés", by="Léa", at=AT, is_late=True, missed=2, next_at=AT, rrule="FREQ=WEEKLY"
)
MEETING = SimpleNamespace(
    number=4, title="Budget de la fête", is_assembly=False, state="convened", starts_at=AT, place="au local",
    moment="jeudi 12 novembre à 18 h 30", url="https://visio.example/fete", recurs=False, organizer="Léa",
    agenda=("remplacer le frigo",), page="https://archives.example/epeule/meetings/4",
)  # fmt: skip

VALUES: dict[str, Any] = {
    "meeting": MEETING,
    "meetings": [MEETING],
    "tally": SimpleNamespace(
        yes_count=2, no_count=1, maybe_count=1, yes=("Léa", "Paul"), no=("Annie",), maybe=("Karim",)
    ),
    "headings": [
        SimpleNamespace(
            name="Le contexte",
            question="D’où est venue l’idée\u202f?",
            parts=[SimpleNamespace(text="La salle était pleine.", author="Paul", kind="quote")],
        ),
        SimpleNamespace(name="Les résultats", question="Qu’est-ce que cela a donné\u202f?", parts=[]),
    ],
    "quotes": ["La salle était pleine."],
    "in_network": True,
    "licence": "CC BY-SA 4.0",
    "answer": "yes",
    "step": "open",
    "decisions": 2,
    "actions": 1,
    "minutes_at": AT,
    "remarks": [SimpleNamespace(by_name="Paul", text="Il manque le budget.")],
    "before": "mercredi 11 novembre à 18 h 30",
    "reason": "la salle est prise",
    "zone_is_sure": False,
    "mailto": "mailto:passerelle@exemple.org?subject=reunion-4",
    "who": "Paul",
    "proposed": "vendredi 13 novembre à 18 h",
    "remark": "le train arrive à 19 h",
    "act": "adopter la décision 7",
    "sentence": "C’est noté.",
    "entries": [ENTRY, DECISION, ADOPTED],
    "entry": ENTRY,
    "objections_until": AT,
    "empty": "Rien.",
    "more": 2,
    "written": "jeudi prochain",
    "choices": ["jeudi 12 novembre", "jeudi 19 novembre"],
    "days": [12, 19],
    "number": 12,
    "author": "Karim",
    "lines": [SimpleNamespace(example="!décisions", what="Voir les décisions.")],
    "has_more": True,
    "reminders": [REMINDER],
    "recurs": True,
    # Minutes and convocations are in one language from the beginning: tests/unit/documents renders them in both.
    "sheet": load_sample("ordinary").sheet,
    "convocation": convocation_of({"kind": "assembly", "place": "local"}),
    "has_sheet": True,
    "reply_address": "pont+r4@exemple.org",
    "association": SimpleNamespace(title="Comité de quartier de l’Épeule", coordinators=()),
    "coordinator": Coordinator("Monique", "monique@orange.example"),
    "link": SimpleNamespace(name="bureau", archive=SimpleNamespace(visibility="participants")),
    "name": "Paul",
    "names": ["Léa"],
    "writer": "Monique",
    "asker": "Karim",
    "subject": "Fête des voisins",
    "text": "Qui apporte les tables\u202f?",
    "written_at": AT,
    "said_at": AT,
    "size_bytes": 32_000_000,
    "limit_bytes": 20_000_000,
    "list_address": "bureau@listes.example",
    "exposure": "public_room",
    "title": "Comité de quartier",
    "coordinators": "Monique",
    "reference": "abcd",
    "incidents": [SimpleNamespace(kind=kind, link="bureau", at=AT, detail="61") for kind in KINDS],
    "incident": SimpleNamespace(kind="fuse", link="bureau", at=AT, detail="61"),
    "turns": [turn(heading="Léa, 14 h 05 :")],
    "corrections": [],
    "reactions": [],
    "asked": "fête de:Monique",
    "understood": "«\u00a0fête\u00a0», écrit par Monique",
    "found": [
        SimpleNamespace(
            title="Fête", author="Monique", day="1er mars 2026", extract="La fête", url="https://a.example/p/b"
        )
    ],
    "total": 12,
    "is_more": False,
    "minutes": [
        SimpleNamespace(
            title="Bureau", author="", day="12 novembre 2026", extract="la salle", url="https://a.example/m"
        )
    ],
    "fiches": [
        SimpleNamespace(title="Fête", author="", day="12 novembre 2026", extract="la fête", url="https://a.example/f")
    ],
    "problem": "Il manque un mot après «\u00a0de:\u00a0».",
    "suggestion": "fête",
    "bridge_address": "passerelle@exemple.org",
    "url": "https://archives.example/epeule/",
    "until": AT,
    "opens_posts": True,
    "past_sides": ["list", "room"],
    "past_to": "public",
    "not_before": AT,
    "indexed": False,
    "has_web": True,
    "asked_of_nothing": False,
    "count": 1,
    "kind": "erase",
    "attached": True,
    "digest": build_shown(
        load_situation("own_actions").choose(),
        load_words("fr"),
        Place(association="epeule", title="Comité de quartier"),
        kind="member",
        since=AT,
        until=AT,
    ),
    "page_url": "https://archives.example/epeule/digests/abc",
    "stop_url": "https://archives.example/epeule/digests/stop/1-abc",
    "titles": ["Décision 7\u00a0: louer la salle des fêtes", "Goûter"],
    "asked_at": AT,
    "receipt": "Reçu d’effacement",
}


#: Rendered by tests of their own.
PAGES = ("privacy_export.html", "privacy_receipt")


def names() -> list[str]:
    """Every template, as `Renderer.render` is asked for it."""
    found = set()
    for path in TEMPLATES.rglob("*.j2"):
        stem = str(path.relative_to(TEMPLATES)).removesuffix(".j2")
        stem = re.sub(r"\.(?:fr|en)(?=\.(?:txt|html)$)", "", stem)
        found.add(stem.removesuffix(".txt"))
    return sorted(found)


def sources(name: str) -> Iterator[str]:
    stem, ending = (name.removesuffix(".html"), "html") if name.endswith(".html") else (name, "txt")
    for path in (TEMPLATES / f"{stem}.{language}{ending}.j2" for language in ("fr.", "en.", "")):
        if path.is_file():
            yield path.read_text("utf-8")


def texts() -> list[str]:
    """Those that leave by mail or into the room; pages are rendered with an archive (tests/web, exports, documents)."""
    return [name for name in names() if not name.startswith(("web/", "offline/", "account/")) and name not in PAGES]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", texts())
def test_every_template_is_rendered_in_both_languages(name: str, language: Literal["fr", "en"]) -> None:
    rendered = Renderer(None, language).render(name, **VALUES)
    assert rendered.strip()
    assert "{" not in re.sub(r"<style>.*?</style>", "", rendered, flags=re.DOTALL)


@pytest.mark.parametrize("name", names())
def test_every_template_and_variable_is_documented(name: str) -> None:
    document = (ROOT / "docs" / "templates.md").read_text("utf-8")
    section = re.search(rf"^### {re.escape(name)}$(.*?)(?=^##|\Z)", document, re.DOTALL | re.MULTILINE)
    assert section, f"docs/templates.md says nothing of {name}"
    listed = " ".join(line.partition(":")[0] for line in section[1].splitlines() if line.startswith("- "))
    documented = set(re.findall(r"`(\w+)`", listed))
    used: set[str] = set()
    for source in sources(name):
        used |= meta.find_undeclared_variables(Renderer(None, "fr")._shipped.parse(source))
    assert documented == used - {"words", "language"}


def test_document_names_no_template_that_is_not_there() -> None:
    document = (ROOT / "docs" / "templates.md").read_text("utf-8")
    assert sorted(re.findall(r"^### (\S+)$", document, re.MULTILINE)) == names()


def test_every_filter_is_documented() -> None:
    document = (ROOT / "docs" / "templates.md").read_text("utf-8")
    own = set(Renderer(None, "fr")._shipped.filters) - set(Environment().filters)
    assert set(re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE)) == own


@pytest.mark.parametrize("name", [name for name in texts() if not name.startswith("mail/conversation")])
def test_french_sentences_are_short_and_well_set(name: str) -> None:
    text = Renderer(None, "fr").render(name, **VALUES)
    if name.endswith(".html"):
        text = re.sub(r"<style>.*?</style>|<[^>]*>", "", text, flags=re.DOTALL)
    assert not re.search(r" [:;!?»](?:\s|$)|« ", text.partition("\n")[2] if name.startswith("mail/") else text)
    assert not re.search(r"\w'\w", text)
    for sentence in re.split(r"(?<=[.!?…])\s+|\n", text):
        words = re.findall(r"[\w’@.-]+", sentence)
        assert len(words) <= 22, sentence
        assert not re.search("[\U0001f300-\U0001faff]", sentence.replace("📧", ""))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_incident_has_its_own_words(kind: str, language: Literal["fr", "en"]) -> None:
    values = {**VALUES, "incidents": [SimpleNamespace(kind=kind, link="bureau", at=AT, detail="61")]}
    letter = Renderer(None, language).letter("mail/incidents", **values)
    assert f"({kind})" not in letter.text
    assert letter.subject


def test_refusal_in_the_tone_of_people() -> None:
    letter = Renderer(None, "fr").letter("mail/refusal_too_large", **{**VALUES, "subject": ""})
    assert letter.subject == "Votre courriel n’est pas arrivé dans le salon"
    when = f"du mardi 17 novembre à 18{NBSP}h{NBSP}30"
    assert f"Votre courriel {when} n’est pas arrivé dans le salon.\n" in letter.text
    assert f"La pièce jointe est trop lourde{NBSP}: 32{NBSP}Mo, 20{NBSP}Mo au plus.\n" in letter.text
    assert "Renvoyez-le sans elle, ou demandez de l’aide à Monique." in letter.text


@pytest.mark.parametrize(
    ("names", "beginning"),
    [
        (["Léa"], "Léa, votre message du mardi 17 novembre à 18\u00a0h\u00a030 n’a pas pu partir vers la liste."),
        (["Léa", "Karim"], "Léa et Karim, vos messages n’ont pas pu partir vers la liste."),
        ([], "Un courriel du salon n’a pas pu partir vers la liste."),
    ],
)
def test_failure_in_the_tone_of_people(names: list[str], beginning: str) -> None:
    told = Renderer(None, "fr").render("room/email_failed", **{**VALUES, "names": names})
    assert told.startswith(beginning)
    assert "rien n’est perdu" in told
    assert told.endswith(f"Nous prévenons Monique{NARROW_NBSP}; vous n’avez rien à refaire.")


def test_own_folder_comes_first(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "welcome.fr.txt.j2").write_text("Salut l'ami ! {{ association.title }}", "utf-8")
    renderer = Renderer(tmp_path, "fr")
    values = {**VALUES, "association": SimpleNamespace(title="L'amicale !")}
    assert renderer.render("room/welcome", **values) == f"Salut l’ami{NARROW_NBSP}! L'amicale !"
    assert renderer.render("room/consent", **VALUES) == Renderer(None, "fr").render("room/consent", **VALUES)
    assert renderer.problems() == []


@pytest.mark.parametrize("broken", ["{{ nobody }}", "{% if %}", "{{ 1 / 'a' }}", "{{ ''.__class__.__mro__ }}"])
def test_own_template_that_fails_is_passed_over(tmp_path: Path, broken: str) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "welcome.fr.txt.j2").write_text(broken, "utf-8")
    renderer = Renderer(tmp_path, "fr")
    assert renderer.render("room/welcome", **VALUES) == Renderer(None, "fr").render("room/welcome", **VALUES)


def test_problems_of_own_templates_are_named(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "welcome.fr.txt.j2").write_text("{% if %}", "utf-8")
    (tmp_path / "room" / "welcom.fr.txt.j2").write_text("x", "utf-8")
    problems = Renderer(tmp_path, "fr").problems()
    assert [problem.partition(":")[0] for problem in problems] == ["room/welcom.fr.txt.j2", "room/welcome.fr.txt.j2"]


def test_missing_template_missing_value_and_missing_subject_are_errors() -> None:
    renderer = Renderer(None, "fr")
    with pytest.raises(ConfigError, match="no template"):
        renderer.render("room/nothing")
    with pytest.raises(ConfigError, match="association"):
        renderer.render("room/welcome")
    with pytest.raises(ConfigError, match="Subject"):
        renderer.letter("room/welcome", **VALUES)


def test_values_are_escaped_in_html_only() -> None:
    values = {**VALUES, "turns": [turn(heading="<b>")]}
    assert "&lt;b&gt;" in Renderer(None, "fr").render("mail/conversation.html", **values)
    assert "<b>" in Renderer(None, "fr").render("mail/conversation", **values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_strings_and_names(language: str) -> None:
    def placeholders(code: str) -> dict[str, list[set[str]]]:
        with (ROOT / "passerelle" / "locale" / f"{code}.po").open("rb") as file:
            catalogue = read_po(file)
        found: dict[str, list[set[str]]] = {}
        for message in catalogue:
            if message.id:
                key = message.id if isinstance(message.id, str) else message.id[0]
                forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
                assert all(forms), key
                found[key] = [set(re.findall(r"{(\w+)}", str(form))) for form in forms]
        return found

    assert placeholders(language) == placeholders("fr")


def test_every_string_of_the_catalogue_is_used() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "passerelle").rglob("*.py"))
    code += "".join(path.read_text("utf-8") for path in TEMPLATES.rglob("*.j2"))
    with (ROOT / "passerelle" / "locale" / "fr.po").open("rb") as file:
        keys = [m.id if isinstance(m.id, str) else m.id[0] for m in read_po(file) if m.id]
    # Of a kind of which the code makes the key: `f"query_{kind}"`.
    made = tuple(re.findall(r'f"([a-z]+_(?:[a-z]+_)?)\{', code))
    assert [key for key in keys if f'"{key}"' not in code and not key.startswith(made)] == []


def test_unknown_string_is_an_error() -> None:
    with pytest.raises(KeyError):
        load_words("fr")("nothing")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bonjour !", f"Bonjour{NARROW_NBSP}!"),
        ("Vraiment ? Oui ; non.", f"Vraiment{NARROW_NBSP}? Oui{NARROW_NBSP}; non."),
        ("« oui »", f"«{NBSP}oui{NBSP}»"),
        ("à 18 h 30 : 150 €", f"à 18{NBSP}h{NBSP}30{NBSP}: 150{NBSP}€"),
        ("l'été", "l’été"),
        ("https://a.fr/?a=b", "https://a.fr/?a=b"),
        (":-)", ":-)"),
    ],
)
def test_french_spaces(text: str, shown: str) -> None:
    assert french_spaces(text) == shown
    assert french_spaces(shown) == shown


def test_instants_sizes_and_lengths() -> None:
    words = load_words("fr", ZoneInfo("Indian/Reunion"))
    assert words.moment(AT, weekday=True, year=True) == f"mardi 17 novembre 2026 à 21{NBSP}h{NBSP}30"
    assert words.day(datetime(2027, 1, 1, 12, tzinfo=UTC)) == "1er janvier"
    assert words.clock(datetime(2027, 1, 1, 4, tzinfo=UTC)) == f"8{NBSP}h"
    assert [words.size(n) for n in (0, 999, 1000, 1_540_000, 32_000_000)] == [
        f"0{NBSP}octets", f"999{NBSP}octets", f"1{NBSP}ko", f"1,5{NBSP}Mo", f"32{NBSP}Mo",
    ]  # fmt: skip
    assert [words.duration(n) for n in (1, 45_000, 72_000, 3_720_000)] == [
        f"1{NBSP}s", f"45{NBSP}s", f"1{NBSP}min 12{NBSP}s", f"1{NBSP}h 02{NBSP}min",
    ]  # fmt: skip
    assert load_words("en").moment(AT) == "17 November at 18:30"
    assert words.names(("Léa", "Karim", "Paul")) == "Léa, Karim et Paul"
