"""Searches as members write them: a golden table, and what must hold for anything that is typed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.search_query import LONGEST_QUERY, Query, QueryProblem, parse_query

#: A Thursday, 11 h in Paris.
NOW = datetime(2026, 11, 19, 10, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def parse(text: str, places: tuple[str, ...] | None = None) -> Query:
    return parse_query(text, now=NOW, zone=PARIS, places=places)


def instant(at: datetime) -> str:
    """A local day where it begins there, else the instant."""
    local = at.astimezone(PARIS)
    return f"{local:%Y-%m-%d}" if (local.hour, local.minute) == (0, 0) else at.isoformat()


def shown(query: Query) -> str:
    """A query in one line; an exact phrase by its words, another by its stems."""
    parts = []
    for phrase in query.phrases:
        words = f'"{" ".join(phrase.words)}"' if phrase.exact else "+".join(phrase.stems)
        parts.append(("-" if phrase.negated else "") + (f"{phrase.column}:" if phrase.column else "") + words)
    parts += [f"by:{'+'.join(stems)}" for stems in query.authors]
    parts += [f"at:{place}" for place in query.places]
    parts += [f"side:{query.side}"] if query.side else []
    parts += [f"files:{query.with_files}"] if query.with_files is not None else []
    parts += [f"thread:{query.thread}"] if query.thread else []
    parts += [f"{instant(query.since) if query.since else ''}..{instant(query.until) if query.until else ''}"] * bool(
        query.since or query.until
    )
    parts += ["rank"] * (query.order == "rank")
    return " ".join(parts)


GOLDEN = {
    # Words
    "réunion": "reunion",
    "Réunions": "reunion",
    "événements cœur": "even coeur",
    "l'harmonie": "harmon",
    "L’Harmonie": "harmon",
    "rendez-vous": "rend+vous",
    "aujourd’hui férié": "fer 2026-11-19..2026-11-20",
    "quelqu'un": "quelqu+un",
    "le programme de la fête": "programm fet",
    "la": "la",
    "d'une": "une",
    "fête ET voisins": "fet voisin",
    "budget budget": "budget",
    "10:30": "10+30",
    "14h30": "14h30",
    "https://exemple.org/salle": "http+exempl+org+sall",
    "mailto:lea": "mailto+le",
    "localhost:8080": "localhost+8080",
    "re: budget": "budget",
    "Réunion: budget": "reunion budget",
    "Conseil : budget": "conseil budget",
    "budget :-) !": "budget",
    'vinyle 12"': "vinyl 12",
    "": "",
    "   ": "",
    # Phrases
    '"réunion"': '"reunion"',
    '"Conseil d’administration"': '"conseil administration"',
    "« conseil d'administration »": '"conseil administration"',
    "“fête des voisins” budget": '"fete des voisins" budget',
    "«fête»": '"fete"',
    '"hier"': '"hier"',
    '""budget': "budget",
    # Without
    "fête -voisins": "fet -voisin",
    "-fête": "-fet",
    '-"fête des voisins" budget': '-"fete des voisins" budget',
    "fête - voisins": "fet voisin",
    "−objet:budget": "-subject:budget",
    # Prefixes
    "de:Monique": "by:moniqu",
    "De : monique": "by:moniqu",
    'de:"Monique Petit"': "by:moniqu+pet",
    "from:Léa de:Karim": "by:le by:karim",
    "auteur:lea@exemple.org": "by:le",
    "de:@lea:exemple.org": "by:le",
    "objet:budget": "subject:budget",
    "OBJET : budget": "subject:budget",
    "sujet:« conseil municipal »": 'subject:"conseil municipal"',
    "subject: l’assemblée": "subject:assemble",
    "liste:harmonie": "at:harmonie",
    'salon:"Le Grand Salon"': "at:le grand salon",
    "dans:harmonie room:bureau": "at:harmonie at:bureau",
    "dans:salon": "side:room",
    "in:list": "side:list",
    "dans:courriels": "side:list",
    "dans:k7qz2mabcdef": "thread:k7qz2mabcdef",
    "pièce:oui": "files:True",
    "piece:non": "files:False",
    "-pj:oui": "files:False",
    "pj:facture": "files:factur",
    "piéces:facture": "files:factur",
    'fichier:"compte rendu.pdf"': 'files:"compte rendu pdf"',
    'pièce:"oui"': 'files:"oui"',
    "cité:merci": "quoted:merc",
    "quoted:merci": "quoted:merc",
    "non-cité:merci": "own:merc",
    "Non-cite : merci": "own:merc",
    "fête tri:pertinence": "fet rank",
    "sort:date fête": "fet",
    "dates de:Léa": "dat by:le",
    # Dates behind a prefix
    "après:mars": "2026-03-01..",
    "apres: décembre": "2025-12-01..",
    "après:novembre": "2026-11-01..",
    "avant:12/11/2026": "..2026-11-12",
    "avant:12.11.26": "..2026-11-12",
    "before:2026-11-12": "..2026-11-12",
    "avant:12/12": "..2025-12-12",
    "après:29/02": "2024-02-29..",
    'après:"12 mars"': "2026-03-12..",
    "après:12 mars budget": "budget 2026-03-12..",
    "avant: 1er novembre 2026 salle": "sall ..2026-11-01",
    "avant:12 novembre à 14 h 30": "..2026-11-12",
    "depuis:lundi": "2026-11-16..",
    "après:jeudi": "2026-11-19..",
    "après:jeudi dernier": "2026-11-12..",
    "since:yesterday": "2026-11-18..",
    "après: la semaine dernière": "2026-11-09..",
    "après:l’an dernier": "2025-01-01..",
    "après:3 jours": "2026-11-16..",
    "après:il y a deux mois": "2026-09-19..",
    "le:12/11": "2026-11-12..2026-11-13",
    "le:hier": "2026-11-18..2026-11-19",
    "on:March 12th": "2026-03-12..2026-03-13",
    "date:mars": "2026-03-01..2026-04-01",
    "le:2025": "2025-01-01..2026-01-01",
    "le:11/2025": "2025-11-01..2025-12-01",
    "après:mars 12 personnes": "12 person 2026-03-01..",
    "après:2024 avant:mars 2025": "2024-01-01..2025-03-01",
    "après:2024 après:2025": "2025-01-01..",
    # Days on which the clock changes (29 March and 25 October 2026)
    "le:29/03/2026": "2026-03-29..2026-03-30",
    "le:25 octobre": "2026-10-25..2026-10-26",
    # Dates in the words
    "depuis la semaine dernière": "2026-11-09..",
    "fête depuis la semaine dernière": "fet 2026-11-09..",
    "depuis mars fête": "fet 2026-03-01..",
    "fête depuis 2024": "fet 2024-01-01..",
    "depuis le début de l’année salle": "sall 2026-01-01..",
    "salle depuis trois semaines": "sall 2026-10-29..",
    "fête avant le 12 novembre": "fet ..2026-11-12",
    "fête après mars 2025": "fet 2025-03-01..",
    "hier": "2026-11-18..2026-11-19",
    "avant-hier": "2026-11-17..2026-11-18",
    "fête avant hier": "fet 2026-11-17..2026-11-18",
    "en 2025": "2025-01-01..2026-01-01",
    "budget en mars": "budget 2026-03-01..2026-04-01",
    "le mois dernier": "2026-10-01..2026-11-01",
    "réunion cette semaine": "reunion 2026-11-16..2026-11-23",
    "ces 3 derniers jours": "2026-11-16..2026-11-20",
    "last week": "2026-11-09..2026-11-16",
    "fête jusqu’au 12 mars": "fet ..2026-03-13",
    "entre mars et mai fête": "fet 2026-03-01..2026-06-01",
    "travaux between 2024 and 2025": "traval 2024-01-01..2026-01-01",
    '"conseil" depuis mars de:Léa': '"conseil" by:le 2026-03-01..',
    # Words that only look like dates
    "réunion mars": "reunion mar",
    "assemblée 2025": "assemble 2025",
    "le 12 mars": "12 mar",
    "avant": "avant",
    "depuis longtemps": "depuis longtemp",
    "après midi": "apre mid",
    "soirée avant mer": "soire avant mer",
    "après deux ans d’absence": "apre deux an absenc",
    "fête hier soirée": "fet hi soire",
    "ce soir-là": "ce soir+la",
    "le mois": "mois",
    "après demain": "apre demain",
}


@pytest.mark.parametrize("typed", GOLDEN)
def test_a_search_is_understood(typed: str) -> None:
    assert shown(parse(typed)) == GOLDEN[typed]


#: What was typed, the kind of sentence that answers it, and the nearest search that can be understood.
WRONG = [
    ("obget:budget", "prefix_unknown", "objet:budget"),
    ("suget:budget de:Léa", "prefix_unknown", "sujet:budget de:Léa"),
    ("apret:mars", "prefix_unknown", "après:mars"),
    ('lsite:"le bureau"', "prefix_unknown", 'liste:"le bureau"'),
    ("-obget:budget", "prefix_unknown", "-objet:budget"),
    ("Réunion:budget", "prefix_unknown", "reunion budget"),
    ("obget : budget", "prefix_unknown", "objet:budget"),
    ("de:", "value_missing", "de:Monique"),
    ("fête de:", "value_missing", "fête"),
    ("de: objet:budget", "value_missing", "objet:budget"),
    ("avant:", "value_missing", "avant:mars"),
    ("avant:tantôt", "date_unclear", "avant:mars"),
    ("fête avant:tantôt", "date_unclear", "fête"),
    ("après:marrs fête", "date_unclear", "après:mars fête"),
    ("après:31/02/2026", "date_unclear", "après:mars"),
    ("avant:2025 après:2025", "range_empty", "le:01/01/2025"),
    ("fête avant:2024 après:mars 2025", "range_empty", "fête après:01/01/2024 avant:01/03/2025"),
    ("après:2025 avant 2024", "range_empty", "après:01/01/2024 avant:01/01/2025"),
    ("fête OU voisins", "or", "fête"),
    ("fête OR voisins", "or", "fête"),
    ('fête "des voisins', "quote_open", 'fête "des voisins"'),
    ("« fête", "quote_open", "« fête »"),
    ('objet:"des voisins', "quote_open", 'objet:"des voisins"'),
    ("-de:Léa fête", "not_negatable", "de:Léa fête"),
    ("tri:pertinance fête", "order_unknown", "tri:pertinence fête"),
    ("tri:zzz fête", "order_unknown", "tri:date fête"),
    ("???", "no_words", ""),
    ("obget:budget de: avant:marrs", "prefix_unknown", "objet:budget avant:mars"),
    ("mot " * 200, "too_long", None),
    (" ".join(f"mot{n}" for n in range(60)), "too_long", " ".join(f"mot{n}" for n in range(32))),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "kind", "suggestion"), WRONG)
def test_a_wrong_search_is_answered_by_the_nearest_right_one(typed: str, kind: str, suggestion: str | None) -> None:
    with pytest.raises(QueryProblem) as problem:
        parse(typed)
    assert problem.value.kind == kind
    if suggestion is not None:
        assert problem.value.suggestion == suggestion
    parse(problem.value.suggestion)


PLACES = ("bureau", "Harmonie de l’Épeule", "associations", "salon")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("liste:bureau", "at:bureau"),
        ("liste:Bureau", "at:bureau"),
        ('dans:"harmonie de l\'epeule"', "at:harmonie de epeule"),
        ("dans:associations", "at:associations"),  # twelve letters, as a short name has
        ("dans:associatione", "thread:associatione"),
        ("dans:salon", "at:salon"),  # a list of that name comes before the side
        ("dans:liste", "side:list"),
    ],
)
def test_a_place_is_one_that_is_known(typed: str, expected: str) -> None:
    assert shown(parse(typed, PLACES)) == expected


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("liste:buro fête", 'liste:"bureau" fête'),
        ("dans:harmonie", 'dans:"Harmonie de l’Épeule"'),
        ("salon:zzzz fête", "fête"),
        ("salon:zzzz", ""),
    ],
)
def test_an_unknown_place_is_answered_by_the_nearest_one(typed: str, suggestion: str) -> None:
    with pytest.raises(QueryProblem) as problem:
        parse(typed, PLACES)
    assert (problem.value.kind, problem.value.suggestion) == ("place_unknown", suggestion)


def test_what_was_typed_is_kept_to_be_shown() -> None:
    query = parse('de:Léa "Fête des Voisins" l’Épeule liste:Bureau')
    assert [phrase.shown for phrase in query.phrases] == ["Fête des Voisins", "l’Épeule"]
    assert (query.authors_shown, query.places_shown) == (("Léa",), ("Bureau",))


def test_an_empty_search_is_none_but_not_wrong() -> None:
    assert parse("").is_empty
    assert parse("tri:date").is_empty
    assert parse("tri:pertinence").is_empty
    assert not parse("hier").is_empty


def test_a_day_without_midnight_begins_when_it_begins() -> None:
    """In Beirut the clock went from 0 h to 1 h on 27 March 2022."""
    query = parse_query("le:27/03/2022", now=NOW, zone=ZoneInfo("Asia/Beirut"))
    assert query.since == datetime(2022, 3, 26, 22, tzinfo=UTC)
    assert query.until == datetime(2022, 3, 27, 21, tzinfo=UTC)


PARTS = st.sampled_from(
    [
        *GOLDEN, *(case[0][:60] for case in WRONG), "OU", "ET", "-", '"', "«", "»", ":", "/", "12", "mars", "depuis",
        "avant", "entre", "et", "le", "hier", "après:", "avant:", "le:", "de:", "dans:", "tri:", "x:", "obget:", "٣",
        "31/12/9999", "01/01/0001", "0", "99999999", "début", "dernier", "\u0301", "_", "'", "é" * 80, "\x00", "\n",
    ]
)  # fmt: skip
TYPED = st.one_of(st.text(max_size=80), st.lists(PARTS, max_size=12).map(" ".join), st.lists(PARTS).map("".join))


@settings(max_examples=400, deadline=None)
@given(typed=TYPED, places=st.sampled_from([None, PLACES]))
def test_whatever_is_typed_is_understood_or_mended(typed: str, places: tuple[str, ...] | None) -> None:
    try:
        query = parse(typed, places)
    except QueryProblem as problem:
        query = parse(problem.suggestion, places)
    assert all(len(phrase.stems) == len(phrase.words) > 0 for phrase in query.phrases)
    assert query.since is None or query.until is None or query.since < query.until


@pytest.mark.parametrize(
    "hostile",
    ["après:xyz ", "obget:x ", "le:aaa1-2 ", '"', "de:", "-", "avant:12/12/12 ", "en ", "entre a et ", "12 ", "1", "«"],
)
def test_a_long_hostile_search_is_not_read(hostile: str) -> None:
    with pytest.raises(QueryProblem) as problem:
        parse(hostile * 100_000)
    assert problem.value.kind == "too_long"
    assert len(problem.value.suggestion) <= LONGEST_QUERY
    parse(problem.value.suggestion)
