"""What a search finds, on both databases: every example of what members expect, and nothing that is not theirs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text, update

from passerelle.core.ids import AssociationName, LinkName, PostId
from passerelle.core.model import NewPost, PostState
from passerelle.core.search_plan import plan_search
from passerelle.core.search_query import QueryProblem, parse_query
from passerelle.core.search_words import Findable, SearchWords, build_words
from passerelle.core.shelves import Shelf, shelf_of
from passerelle.store.archive_tables import cross_post
from passerelle.store.engine import Store
from passerelle.store.posts import insert_post, set_post_state
from passerelle.store.search import count_found, find_newest, rank_newest, read_found
from passerelle.store.search_index import (
    allot_numbers,
    find_unkept,
    forget_words,
    mark_indexed,
    put_words,
    read_words,
    remove_words,
    scrub_words,
)
from passerelle.store.tables import post
from passerelle.store.threads import insert_thread

EPEULE, BUREAU = AssociationName("epeule"), LinkName("bureau")
LIVE = Shelf(association=EPEULE, link=BUREAU, origin="live")
PAST = Shelf(association=EPEULE, link=BUREAU, origin="import", side="list")
FETES = Shelf(association=EPEULE, link=LinkName("fetes"), origin="live")
OTHERS = Shelf(association=AssociationName("union"), link=BUREAU, origin="live")
NOON = datetime(2026, 11, 12, 11, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
NOW = NOON + timedelta(days=5)


@dataclass
class Archive:
    """A store with posts that are found by a name."""

    store: Store
    names: dict[int, str] = field(default_factory=dict)
    ids: dict[str, PostId] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    async def add(
        self, name: str, own: str, *, shelf: Shelf = LIVE, state: PostState = "accepted", **more: Any
    ) -> None:
        """A post is accepted and indexed. Further: subject, quoted, author, files, texts, said_at, thread, crossed."""
        side = shelf.side or more.get("side", "list")
        said_at = more.get("said_at", NOON + timedelta(minutes=len(self.ids)))
        async with self.store.write() as conn:
            thread_id = more.get("thread") or await insert_thread(conn, shelf.association, "", NOON, split_from=None)
            post_id = await insert_post(
                conn,
                NewPost(
                    association=shelf.association, link=shelf.link, side=side, origin=shelf.origin, state=state,
                    content_hash=name, message_id=f"{name}@lab.test", permalink=name.ljust(12, "a"),  # type: ignore[arg-type]
                    thread_id=thread_id, said_at=said_at, accepted_at=NOON, text=own, subject=more.get("subject", ""),
                    author_name=more.get("author", "Monique"),
                ),
            )  # fmt: skip
            crossed = tuple(more.get("crossed", ()))
            for other in crossed:
                await conn.execute(insert(cross_post).values(post_id=post_id, link=other.link))
            [number] = await allot_numbers(conn, [said_at])
            findable = Findable(
                shelves=(shelf, *crossed), side=side, author_name=more.get("author", "Monique"),
                subject=more.get("subject", ""), own=own, quoted=more.get("quoted", ""),
                file_names=more.get("files", ()), file_texts=more.get("texts", ()),
            )  # fmt: skip
            await put_words(conn, {number: build_words(findable)})
            await mark_indexed(conn, {post_id: number})
        self.names[number], self.ids[name], self.numbers[name] = name, post_id, number

    async def find(self, query: str, *, shelves: Sequence[Shelf] = (LIVE,), **how: Any) -> list[str]:
        """The names of what is found, newest first."""
        plan = plan_search(parse_query(query, now=NOW, zone=PARIS), shelves)
        numbers = await find_newest(self.store, plan, before=how.get("before"), limit=how.get("limit", 100))
        posts = await read_found(self.store, numbers, shelves)
        assert [post.chrono_id for post in posts] == numbers, "whatever the index finds may be read"
        assert await count_found(self.store, plan, most=1000) >= len(numbers)
        if "limit" not in how and "before" not in how:
            assert await count_found(self.store, plan, most=1000) == len(numbers)
            ranked, are_more = await rank_newest(self.store, plan)
            assert (sorted(ranked), are_more) == (sorted(numbers), False)
        return [self.names[number] for number in numbers]


@pytest.fixture
def archive(store: Store) -> Archive:
    return Archive(store)


SAYINGS = {
    "evenements": "Les événements de l’été",
    "reunions": "Nos réunions ont lieu le mardi",
    "coeur": "Le cœur du quartier bat",
    "harmonie": "L’harmonie municipale joue dimanche",
    "straight": "l'harmonie de Roubaix",
    "associations": "Les associations du Nord",
    "associatif": "Le monde associatif est vivant",
    "upper": "ÉCOLE MATERNELLE",
    "phrase": "Le compte rendu de la réunion de quartier",
    "turned": "Le quartier de la réunion",
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("evenement", ["evenements"]),
        ("événements", ["evenements"]),
        ("EVENEMENT", ["evenements"]),
        ("reunion", ["turned", "phrase", "reunions"]),
        ("réunions", ["turned", "phrase", "reunions"]),
        ("coeur", ["coeur"]),
        ("cœur", ["coeur"]),
        ("harmonie", ["straight", "harmonie"]),
        ("l'harmonie", ["straight", "harmonie"]),
        ("l’harmonie", ["straight", "harmonie"]),
        ("association", ["associatif", "associations"]),
        ("associations", ["associatif", "associations"]),
        ("associatif", ["associatif", "associations"]),
        ("ecole", ["upper"]),
        ("réunion quartier", ["turned", "phrase"]),
        ('"réunion de quartier"', ["phrase"]),
        ("« réunion de quartier »", ["phrase"]),
        ("réunion -quartier", ["reunions"]),
        ('réunion -"réunion de quartier" -mardi', ["turned", "phrase"]),
        ("harmonie -roubaix", ["harmonie"]),
        ("introuvable", []),
    ],
)
async def test_french_is_found(archive: Archive, query: str, found: list[str]) -> None:
    for name, own in SAYINGS.items():
        await archive.add(name, own)
    assert await archive.find(query) == found


async def test_columns_are_told_apart(archive: Archive) -> None:
    await archive.add("own", "le budget")
    await archive.add("subject", "rien", subject="Budget 2026")
    await archive.add("quoted", "d’accord", quoted="Voici le budget")
    await archive.add("file", "ci-joint", files=("Budget-2026.ods",))
    await archive.add("text", "ci-joint", files=("tableau.ods",), texts=("Le budget de la fête",))
    assert await archive.find("budget") == ["text", "file", "subject", "own"]
    assert await archive.find("objet:budget") == ["subject"]
    assert await archive.find("cité:budget") == ["quoted"]
    assert await archive.find("pièce:budget") == ["text", "file"]
    assert await archive.find("pièce:oui") == ["text", "file"]
    assert await archive.find("non-cité:budget") == ["own"]
    assert await archive.find("budget -pièce:oui") == ["subject", "own"]
    assert await archive.find("budget fête") == ["text"]
    assert await archive.find("tableau fête") == ["text"], "name and text of a file, together"
    assert await archive.find("budget 2026") == ["file", "subject"]
    assert await archive.find("ci-joint -objet:budget pièce:tableau") == ["text"]


async def test_no_phrase_crosses_from_one_text_into_the_next(archive: Archive) -> None:
    await archive.add(
        "post", "de quartier", subject="La fête", files=("fête.pdf", "quartier.pdf"), texts=("de", "nuit")
    )
    assert await archive.find('"fête de quartier"') == []
    assert await archive.find('"pdf quartier"') == []
    assert await archive.find('"de nuit"') == []
    assert await archive.find("fête quartier nuit") == ["post"]


async def test_authors_sides_and_files(archive: Archive) -> None:
    await archive.add("monique", "bonjour", author="Monique Delattre")
    await archive.add("lea", "bonjour de Monique", author="Léa", side="room")
    await archive.add("couple", "bonjour", author="Jean et Monique d’Hondt")
    assert await archive.find("de:monique") == ["couple", "monique"]
    assert await archive.find("de:lea") == ["lea"]
    assert await archive.find('de:"Monique Delattre"') == ["monique"]
    assert await archive.find("de:hondt bonjour") == ["couple"]
    assert await archive.find("dans:salon bonjour") == ["lea"]
    assert await archive.find("dans:liste bonjour") == ["couple", "monique"]


async def test_dates(archive: Archive) -> None:
    for name, moment in {
        "eve": datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),
        "first": datetime(2026, 10, 31, 23, 0, tzinfo=UTC),  # 1 November in Paris
        "last": datetime(2026, 11, 11, 22, 59, 59, tzinfo=UTC),
        "after": datetime(2026, 11, 11, 23, 0, tzinfo=UTC),
    }.items():
        await archive.add(name, "oui", said_at=moment)
    assert await archive.find("oui après:01/11/2026") == ["after", "last", "first"]
    assert await archive.find("oui avant:12/11/2026") == ["last", "first", "eve"]
    assert await archive.find("oui après:01/11/2026 avant:12/11/2026") == ["last", "first"]
    assert await archive.find("après:12/11/2026") == ["after"]


async def test_dates_hold_where_a_minute_runs_over(archive: Archive) -> None:
    midnight = datetime(2026, 11, 11, 23, 0, tzinfo=UTC)
    for number in range(9):  # more than the numbers of their minute
        await archive.add(f"before{number}", "oui", said_at=midnight - timedelta(seconds=9 - number))
    for number in range(3):
        await archive.add(f"then{number}", "oui", said_at=midnight + timedelta(seconds=number))
    assert archive.numbers["before8"] > archive.numbers["before0"] + 4
    assert sorted(await archive.find("oui avant:12/11/2026")) == [f"before{n}" for n in range(9)]
    assert sorted(await archive.find("oui après:12/11/2026")) == [f"then{n}" for n in range(3)]


async def test_only_the_conversation(archive: Archive) -> None:
    async with archive.store.write() as conn:
        thread = await insert_thread(conn, EPEULE, "", NOON, split_from=None)
    await archive.add("question", "le loto", thread=thread)
    await archive.add("elsewhere", "le loto")
    await archive.add("answer", "oui au loto", thread=thread)
    assert await archive.find(f"loto dans:{'question'.ljust(12, 'a')}") == ["answer", "question"]


async def test_newest_first_page_by_page(archive: Archive) -> None:
    for number in range(7):
        await archive.add(f"p{number}", "oui", said_at=NOON - timedelta(days=number))
    first = await archive.find("oui", limit=3)
    second = await archive.find("oui", limit=3, before=archive.numbers[first[-1]])
    third = await archive.find("oui", limit=3, before=archive.numbers[second[-1]])
    assert [*first, *second, *third] == [f"p{number}" for number in range(7)]


async def test_the_best_answer_comes_first(archive: Archive) -> None:
    await archive.add("title", "voir dessous", subject="Le budget du loto")
    await archive.add("aside", "rien à voir, sauf un mot du budget parmi beaucoup d’autres mots " * 5)
    plan = plan_search(parse_query("budget tri:pertinence", now=NOW, zone=PARIS), [LIVE])
    ranked, are_more = await rank_newest(archive.store, plan)
    assert ([archive.names[number] for number in ranked], are_more) == (["title", "aside"], False)
    await archive.add("newer", "le budget")
    ranked, are_more = await rank_newest(archive.store, plan, most=2)
    assert ({archive.names[number] for number in ranked}, are_more) == ({"newer", "aside"}, True)


# ---------------------------------------------------------------- who may find


async def test_nothing_of_another_shelf(archive: Archive) -> None:
    await archive.add("live", "le secret")
    await archive.add("past", "le secret", shelf=PAST)
    await archive.add("fetes", "le secret", shelf=FETES)
    await archive.add("others", "le secret", shelf=OTHERS)
    await archive.add("both", "le secret", shelf=OTHERS, crossed=(replace(OTHERS, link=LinkName("fetes")),))
    for shelves, found in (
        ((LIVE,), ["live"]),
        ((PAST,), ["past"]),
        ((LIVE, PAST), ["past", "live"]),
        ((FETES,), ["fetes"]),
        ((OTHERS,), ["both", "others"]),
        ((replace(OTHERS, link=LinkName("fetes")),), ["both"]),
        ((replace(PAST, side="room"),), []),
        ((), []),
    ):
        assert await archive.find("secret", shelves=shelves) == found
        assert await archive.find("-autre", shelves=shelves) == found
        assert await archive.find("de:monique", shelves=shelves) == found


async def test_a_query_cannot_name_a_shelf(archive: Archive) -> None:
    await archive.add("past", "le secret", shelf=PAST)
    for query in ("facets:x OR secret", '") OR facets : ("_side_list', "secret* OR NEAR(a b)", "'; DROP TABLE post --"):
        with suppress(QueryProblem):
            assert await archive.find(query) == []


@pytest.mark.parametrize("state", ["kept_back", "withdrawn", "redacted", "hidden", "erased"])
async def test_what_was_taken_back_is_not_found_and_not_counted(archive: Archive, state: PostState) -> None:
    await archive.add("stays", "le secret")
    await archive.add("goes", "le secret")
    async with archive.store.write() as conn:
        await set_post_state(conn, archive.ids["goes"], state)
    assert await archive.find("secret") == ["stays"]


async def test_every_read_asks_for_the_shelf(archive: Archive) -> None:
    """Also where the index would be wrong: a post that went to another link since."""
    await archive.add("moved", "le secret")
    async with archive.store.write() as conn:
        await conn.execute(text("UPDATE post SET link = 'fetes'"))
    assert await read_found(archive.store, list(archive.names), [LIVE]) == []
    assert len(await read_found(archive.store, list(archive.names), [FETES])) == 1


# ---------------------------------------------------------------- words change


async def test_new_words_take_the_place_of_old_ones(archive: Archive) -> None:
    await archive.add("post", "le loto du quartier")
    words = build_words(Findable(shelves=(LIVE,), side="list", author_name="", subject="", own="la fête du quartier"))
    async with archive.store.write() as conn:
        await put_words(conn, {archive.numbers["post"]: words})
    assert await archive.find("loto") == []
    assert await archive.find("de:monique") == []
    assert await archive.find("fête quartier") == ["post"]


async def test_words_that_nobody_kept_are_read_from_the_index(archive: Archive, dialect: str) -> None:
    """As those of an import are: with their columns and places. PostgreSQL knows its rows by their number."""
    own = "Réunion de l’association : réunion, réunion !"
    await archive.add("post", own, subject="Budget", quoted="cité", files=("pièce.pdf",), shelf=PAST)
    await archive.add("stays", own, shelf=PAST)
    number = archive.numbers["post"]
    known: dict[int, SearchWords] = {}
    async with archive.store.write() as conn:
        if dialect == "sqlite":
            await conn.execute(text("DELETE FROM post_words_kept"))
        unkept = await find_unkept(conn, [number, 12345])
    assert unkept == ({number} if dialect == "sqlite" else set())
    if unkept:
        known = await read_words(archive.store, unkept)
    words = build_words(
        Findable(
            shelves=(PAST,), side="list", author_name="Monique", subject="Budget", own=own, quoted="cité",
            file_names=("pièce.pdf",),
        )
    )  # fmt: skip
    for one in known.values():
        assert [column.split() for column in one.columns()] == [column.split() for column in words.columns()]
    async with archive.store.write() as conn:
        await remove_words(conn, [number], known=known)
    assert await archive.find("réunion", shelves=[PAST]) == ["stays"]


async def test_forgotten_words_leave_no_byte(archive: Archive, tmp_path: Any, dialect: str) -> None:
    for number in range(300):
        await archive.add(f"p{number}", f"bonjour à tous mot{number}", shelf=PAST)
    await archive.add("gone", "xylophoniste zanzibarite", subject="kakemonisme", author="Wolfgangine", shelf=PAST)
    await archive.add("live", "le xylofragment", quoted="zanziquote")
    if dialect == "sqlite":
        async with archive.store.write() as conn:
            await conn.execute(text("DELETE FROM post_words_kept WHERE chrono_id < :n"), {"n": archive.numbers["live"]})
    async with archive.store.write() as conn:
        await conn.execute(
            update(post).where(post.c.id.in_([archive.ids["gone"], archive.ids["live"]]))
            .values(state="erased", text="", subject="", author_name="")
        )  # fmt: skip
    await forget_words(archive.store, [archive.ids["gone"], archive.ids["live"]])
    await scrub_words(archive.store)
    erased = [b"xylophon", b"zanzib", b"kakemon", b"wolfgang", b"xylofrag", b"zanziq"]
    if dialect == "sqlite":
        raw = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
        assert b"mot250" in raw or b"ot250" in raw, "it is looked for where words stand"
        assert not [word for word in erased if word in raw]
    else:
        async with archive.store.read() as conn:
            rows = (await conn.execute(text("SELECT * FROM post_words"))).all()
        assert len(rows) == 300
        assert not [word for word in erased if word in repr(rows).encode()]
    assert await archive.find("mot250", shelves=[PAST]) == ["p250"]


async def test_a_word_that_stands_everywhere_in_a_long_text(archive: Archive) -> None:
    """PostgreSQL knows 256 places of a word; phrases behind them are found all the same."""
    await archive.add("long", "de la " * 400 + "fin de la réunion de quartier")
    await archive.add("short", "de la fin")
    assert await archive.find('"fin de la réunion"') == ["long"]


async def test_numbers_are_given_once(store: Store) -> None:
    archive = Archive(store)
    for number in range(6):
        await archive.add(f"p{number}", "oui", said_at=NOON)
    assert len(set(archive.numbers.values())) == 6
    async with store.write() as conn:
        more = await allot_numbers(conn, [NOON] * 5 + [NOON + timedelta(minutes=1)] * 3)
    assert len({*more, *archive.numbers.values()}) == 14
    assert min(more) > max(archive.numbers.values())


def test_shelf_of_is_what_the_index_holds() -> None:
    assert shelf_of(association=EPEULE, link=BUREAU, origin="live", side="room") == LIVE
    assert shelf_of(association=EPEULE, link=BUREAU, origin="import", side="list") == PAST


async def test_words_of_any_length_are_indexed(archive: Archive) -> None:
    """A vector of PostgreSQL holds 1 MB, and ranking joins three: no post may stop the index."""
    signs = [chr(code) for code in range(0x3300, 0x3358)]  # one sign folds to four letters of three bytes
    long = " ".join("".join(four) * 4 for four in islice(product(signs, repeat=4), 7000))
    hashes = tuple(" ".join(f"{7**90 * (m * 2000 + n):064x}"[:64] for n in range(1, 1800)) for m in range(9))
    await archive.add("long", f"salle {long}", quoted=f"mairie {long}", files=("a.txt",) * 9, texts=hashes)
    assert await archive.find("salle") == ["long"]
    assert await archive.find("cité:mairie") == ["long"]
    assert await archive.find("salle tri:pertinence") == ["long"]
