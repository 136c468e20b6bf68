"""Every side door of the archive is tried: each address of `web.routes`, for each place, by each visitor.

`ROUTES_TRIED` has a row for every route, or `test_every_route_is_tried` fails. In each place one word is said that
stands nowhere else: it may be in an answer, in its headers too, only where the visitor may read that place.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, unquote
from zipfile import ZipFile

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pypdf import PdfReader
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_choice import Chosen, Item, Reason
from passerelle.core.digest_model import NewDigest
from passerelle.core.fiche import DEFAULT_LICENCE, Content, NewFiche, Part, Source
from passerelle.core.identity import keyed_hash
from passerelle.core.ids import AssociationName, LinkName, UserId
from passerelle.core.meeting_model import NewMeeting, NewMinutes
from passerelle.core.minutes_model import Minutes
from passerelle.core.permalinks import short_name
from passerelle.core.register_model import NewEntry
from passerelle.flows.import_mails import import_mails
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.readers import note_left_room
from passerelle.flows.sessions import begin_session, make_feed_key, session_reader, sign_out
from passerelle.imports.mbox import MboxFile
from passerelle.store.archive_tables import opening
from passerelle.store.digests import insert_digest
from passerelle.store.fiches import insert_fiche
from passerelle.store.imports import NewImportRun, insert_import_run
from passerelle.store.meeting_minutes import insert_minutes
from passerelle.store.meetings import insert_meeting
from passerelle.store.people import find_or_insert_person
from passerelle.store.register import insert_entry
from passerelle.store.secretary_tables import entry, rsvp
from passerelle.store.tables import post
from passerelle.web.pages import style_sheet
from passerelle.web.routes import ROUTES
from passerelle.web.server import build_app
from tests.web.town import BUREAU, EPEULE, MONIQUE, ROUBAIX, START, Town, make_town

Client = TestClient[web.Request, web.Application]


@dataclass(frozen=True)
class Place:
    """Somewhere something was said: one post, whose every part has the word of the place."""

    path: str
    word: str
    origin: str = "live"

    @property
    def association(self) -> AssociationName:
        return AssociationName(self.path.partition("/")[0])

    @property
    def values(self) -> dict[str, str]:
        """What stands for the pieces of an address in braces. None of them has the word."""
        message_id = f"{keyed_hash(b'', self.word)}@lab.test"
        return {
            "association": self.association,
            "link": self.path.partition("/")[2],
            "message_id": message_id,
            "short": short_name(self.association, message_id),
            "month": "2026-11",
            "number": NUMBERS.get(self.word, NO_NUMBER),
            "minutes": short_name(self.association, f"minutes {message_id}"),
            "digest": short_name(self.association, f"digest {message_id}"),
            "fiche": short_name(self.association, f"fiche {message_id}"),
        }


#: What the register's entry and the meeting of each place are called; what was imported has noted none.
NUMBERS = {"hortensia": "1", "tournesol": "2", "marguerite": "1"}
NO_NUMBER = "987654"


PLACES = {
    place.word: place
    for place in (
        Place("epeule/bureau", "hortensia"),
        Place("epeule/bureau", "campanule", "import"),
        Place("epeule/jardin", "tournesol"),
        Place("roubaix/bureau", "marguerite"),
    )
}
OF_EPEULE = {"hortensia", "campanule", "tournesol"}
#: Nobody ever wrote this: a stranger must not learn that it is another case.
NOWHERE = {
    "message_id": "nothing@nowhere.test",
    "short": "a" * 12,
    "month": "2019-01",
    "number": NO_NUMBER,
    "minutes": "c" * 12,
    "digest": "d" * 12,
    "fiche": "e" * 12,
}
#: What a member may change, and nobody else.
CHANGES = ("entry_change", "meeting_answer", "fiche_change")
#: Shown to who takes part, and to nobody else, whatever was opened to everyone.
MEMBERS_ONLY = {route.name for route in ROUTES if route.comer == "members"}


@dataclass(frozen=True)
class Tried:
    """How a route is tried. `shows`: who may read a place finds its word there."""

    path: str
    shows: bool = False
    #: What a form sends besides its token.
    form: Mapping[str, str] = field(default_factory=dict)
    #: Answers to a stranger are the same whatever there is; not where the address alone decides.
    is_private: bool = True
    #: It shows what is noted now: nothing of what was imported.
    of_now: bool = False


ROUTES_TRIED: dict[str, Tried] = {
    "root": Tried("/", is_private=False),
    "robots": Tried("/robots.txt", is_private=False),
    "style": Tried(f"/style/{style_sheet()[0]}.css", is_private=False),
    "root_message": Tried("/m/{message_id}", is_private=False),
    "root_short": Tried("/p/{short}", is_private=False),
    "bare": Tried("/{association}", is_private=False),
    "home": Tried("/{association}/", shows=True),
    "link": Tried("/{association}/a/{link}"),
    "month": Tried("/{association}/a/{link}/{month}", shows=True),
    "thread": Tried("/{association}/t/{short}", shows=True),
    "message": Tried("/{association}/m/{message_id}"),
    "short": Tried("/{association}/p/{short}"),
    "post": Tried("/{association}/p/{short}/alone", shows=True),
    "original": Tried("/{association}/p/{short}/original", shows=True),
    "original_file": Tried("/{association}/p/{short}/original.eml", shows=True),
    "file": Tried("/{association}/f/{short}/0/x.txt", shows=True),
    "search": Tried("/{association}/search?q=commun", shows=True),
    "mine": Tried("/{association}/mine"),
    "acts": Tried("/{association}/acts"),
    "now": Tried("/{association}/now", shows=True, of_now=True),
    "now_pdf": Tried("/{association}/now.pdf", shows=True, of_now=True),
    "register": Tried("/{association}/register", shows=True, of_now=True),
    "register_csv": Tried("/{association}/register.csv", shows=True, of_now=True),
    "register_json": Tried("/{association}/register.json?kind=decision", shows=True, of_now=True),
    "entry": Tried("/{association}/register/{number}", shows=True, of_now=True),
    "meetings": Tried("/{association}/meetings?year=2026", shows=True, of_now=True),
    "meeting": Tried("/{association}/meetings/{number}", shows=True, of_now=True),
    "convocation": Tried("/{association}/meetings/{number}/convocation.pdf", shows=True, of_now=True),
    "minutes": Tried("/{association}/minutes/{minutes}", shows=True, of_now=True),
    "minutes_odt": Tried("/{association}/minutes/{minutes}.odt", shows=True, of_now=True),
    "minutes_pdf": Tried("/{association}/minutes/{minutes}.pdf", shows=True, of_now=True),
    "calendar": Tried("/{association}/calendar"),
    "calendar_file": Tried("/{association}/calendar.ics", shows=True, of_now=True),
    "keyed_calendar": Tried("/{association}/key/{key}/calendar.ics", shows=True, of_now=True),
    "fiches": Tried("/{association}/fiches"),
    "fiche": Tried("/{association}/fiches/{fiche}"),
    "fiche_file": Tried("/{association}/fiches/{fiche}.md"),
    "network": Tried("/{association}/network/quartiers"),
    "network_fiche": Tried("/{association}/network/quartiers/fiches/{fiche}"),
    "network_fiche_file": Tried("/{association}/network/quartiers/fiches/{fiche}.json"),
    "digests": Tried("/{association}/digests"),
    "digest": Tried("/{association}/digests/{digest}"),
    "catch_up": Tried("/{association}/digests/catch-up?since=le+d%C3%A9but", shows=True),
    "digest_preview": Tried("/{association}/digests/preview"),
    "digest_stop": Tried("/{association}/digests/stop/1-" + "x" * 26, is_private=False),
    "digest_stopped": Tried("/{association}/digests/stop/1-" + "x" * 26, is_private=False),
    "account": Tried("/{association}/account?year=2026"),
    "account_file": Tried("/{association}/account.csv?year=2026"),
    "about": Tried("/{association}/about", is_private=False),
    "feeds": Tried("/{association}/feeds"),
    "feed_all": Tried("/{association}/feed/all.atom", shows=True),
    "feed_link": Tried("/{association}/feed/a/{link}.json", shows=True),
    "feed_thread": Tried("/{association}/feed/t/{short}.atom", shows=True),
    "keyed_all": Tried("/{association}/key/{key}/all.json", shows=True),
    "keyed_link": Tried("/{association}/key/{key}/a/{link}.atom", shows=True),
    "keyed_thread": Tried("/{association}/key/{key}/t/{short}.json", shows=True),
    "hide": Tried("/{association}/p/{short}/hide"),
    "show": Tried("/{association}/p/{short}/show"),
    "split": Tried("/{association}/p/{short}/split"),
    "attach": Tried("/{association}/p/{short}/attach", form={"to": "b" * 12}),
    "undo": Tried("/{association}/acts/1/undo"),
    "entry_change": Tried("/{association}/register/{number}/change", form={"move": "object"}),
    "meeting_answer": Tried("/{association}/meetings/{number}/answer", form={"answer": "yes"}),
    "fiche_make": Tried("/{association}/fiches/make", form={"meeting": "1"}),
    "fiche_change": Tried("/{association}/fiches/{fiche}/change", form={"what": "publish"}),
    "sign_in": Tried("/{association}/sign-in", is_private=False),
    "sign_in_send": Tried("/{association}/sign-in", form={"who": "x"}, is_private=False),
    "sign_in_confirm": Tried("/{association}/sign-in/" + "x" * 43, is_private=False),
    "sign_in_enter": Tried("/{association}/sign-in/" + "x" * 43, is_private=False),
    # Last: it ends the session.
    "feed_key_make": Tried("/{association}/feeds/key"),
    "feed_key_end": Tried("/{association}/feeds/end"),
    "sign_out": Tried("/{association}/sign-out"),
}
METHODS = {route.name: route.method for route in ROUTES}


def test_every_route_is_tried() -> None:
    assert set(ROUTES_TRIED) == {route.name for route in ROUTES}


@dataclass
class Visitor:
    """Someone at a side door."""

    name: str
    #: Words of the places that they may read.
    reads: set[str] = field(default_factory=set)
    cookie: str = ""
    key: str = "k" * 43


@dataclass
class Garden:
    """The town with something said in each place, served."""

    town: Town
    client: Client

    async def session(self, person_id: int, association: AssociationName = EPEULE) -> str:
        async with self.town.ctx.store.write() as conn:
            return await begin_session(self.town.ctx, conn, association, person_id, shared=True)

    async def key(self, cookie: str, association: AssociationName = EPEULE) -> str:
        entry = await session_reader(self.town.ctx, association, cookie)
        assert entry is not None
        return await make_feed_key(self.town.ctx, entry)

    async def ask(self, name: str, values: Mapping[str, str], visitor: Visitor) -> tuple[int, str]:
        """Ask for one address; status, and all of the answer: headers and body."""
        tried = ROUTES_TRIED[name]
        path = tried.path.format(**{"key": visitor.key, **values})
        headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": f"192.0.2.{hash(visitor.name) % 250}"}
        if visitor.cookie:
            headers["Cookie"] = f"passerelle={visitor.cookie}"
        form = None
        if METHODS[name] == "POST":
            token = keyed_hash(self.town.ctx.hash_key, "session", visitor.cookie)
            form = {**tried.form, "form_token": keyed_hash(self.town.ctx.hash_key, "form", token)}
        answer = await self.client.request(METHODS[name], path, headers=headers, data=form, allow_redirects=False)
        body = _read(await answer.read()).decode("utf-8", errors="replace")
        told = "\n".join(f"{key}: {value}" for key, value in answer.headers.items() if key != "Date")
        return answer.status, f"{told}\n\n{body}"

    async def try_all(self, visitor: Visitor) -> set[tuple[str, str]]:
        """Try every route at every place; which word was found on which route."""
        found = set()
        for name in ROUTES_TRIED:
            for place in PLACES.values():
                status, told = await self.ask(name, place.values, visitor)
                assert status < 500, f"{name} at {place.word} as {visitor.name}: {status}"
                words = {word for word in PLACES if word in told.lower()}
                assert words <= visitor.reads, f"{name} at {place.word} shows {words} to {visitor.name}"
                # What answers for a place of another association says nothing, whoever asks.
                if place.word in words:
                    found.add((name, place.word))
        return found


def expected(reads: set[str], *, keyed: bool = False) -> set[tuple[str, str]]:
    """Where who may read these places finds their words."""
    return {
        (name, word)
        for name, tried in ROUTES_TRIED.items()
        if tried.shows and (not name.startswith("keyed_") or keyed)
        for word in reads
        if word in NUMBERS or not tried.of_now
    }


def _read(data: bytes) -> bytes:
    """What stands in an answer; of a document that is packed, its text."""
    if data.startswith(b"%PDF"):
        return data + "".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages).encode()
    return ZipFile(BytesIO(data)).read("content.xml") if data.startswith(b"PK") else data


async def note_all(town: Town) -> None:
    """A decision and a meeting with its minutes in each place that is no past."""
    async with town.ctx.store.write() as conn:
        for word, number in NUMBERS.items():
            place = PLACES[word]
            entry = await insert_entry(
                conn,
                NewEntry(
                    association=place.association,
                    link=LinkName(place.path.partition("/")[2]),
                    kind="decision",
                    text=f"commun {word}",
                    state="proposed",
                    said_at=START,
                    author_name=f"Prénom {word}",
                    created_at=START,
                ),
            )
            meeting = await insert_meeting(
                conn,
                NewMeeting(
                    association=place.association,
                    link=LinkName(place.path.partition("/")[2]),
                    uid=f"{place.values['message_id']}",
                    title=f"commun {word}",
                    starts_local=datetime(2026, 11, 26, 18, 30),  # noqa: DTZ001
                    zone="Europe/Paris",
                    duration_minutes=90,
                    organizer_name=f"Prénom {word}",
                    created_at=START,
                ),
            )
            document = Minutes(
                association="x", title=f"commun {word}", number=meeting.number, zone="Europe/Paris", starts_at=START
            )
            minutes = NewMinutes(
                meeting_id=meeting.id, version=1, state="draft", document=document.to_json(),
                permalink=place.values["minutes"], made_at=START,
            )  # fmt: skip
            await insert_minutes(conn, minutes)
            await _digest_of(conn, place)
            await _draft_of(conn, place)
            assert (str(entry.number), str(meeting.number)) == (number, number)


async def _digest_of(conn: AsyncConnection, place: Place) -> None:
    """Somebody's digest that says the word of a place: it is theirs alone."""
    owner = await find_or_insert_person(conn, place.association, name=f"Lectrice {place.path}", now=START)
    item = Item(
        key="entry:1", section="decisions", kind="decision", state="proposed", title=f"commun {place.word}",
        reason=Reason(code="adopted"), weight=1, link=LinkName(place.path.partition("/")[2]),
    )  # fmt: skip
    new = NewDigest(
        association=place.association, kind="member", person_id=owner, since=START, until=START,
        document=Chosen(items=(item,)).to_json(), permalink=place.values["digest"], made_at=START,
    )  # fmt: skip
    assert await insert_digest(conn, new) is not None


async def _draft_of(conn: AsyncConnection, place: Place) -> None:
    """Somebody's fiche that is not published, and says the word of a place: it is its authors' alone."""
    owner = await find_or_insert_person(conn, place.association, name=f"Autrice {place.path}", now=START)
    part = Part(heading="context", kind="written", text=f"commun {place.word}", author="Autrice", said_at=START,
                person_id=owner)  # fmt: skip
    new = NewFiche(
        association=place.association, link=LinkName(place.path.partition("/")[2]), number=1, state="draft",
        audience="association", document=Content(source=Source(kind="tag", name="x"), parts=(part,)).to_json(),
        licence=DEFAULT_LICENCE, permalink=place.values["fiche"], made_by_person_id=owner, made_at=START,
        changed_at=START,
    )  # fmt: skip
    await insert_fiche(conn, new)


@pytest.fixture
async def garden(tmp_path: Path) -> AsyncIterator[Garden]:
    town = await make_town(tmp_path)
    await town.room_shows("joined")
    for place in PLACES.values():
        at = START - timedelta(hours=2 if place.origin == "import" else 1)
        await town.post(
            f"commun {place.word}",
            path=place.path,
            origin=place.origin,  # type: ignore[arg-type]
            said_at=at,
            message_id=place.values["message_id"],
            author=f"Prénom {place.word}",
            address=f"{place.word}@membres.lab.test",
            file=(f"{place.word}.txt", f"contenu {place.word}".encode()),
        )
    await note_all(town)
    while await index_waiting(town.ctx):
        pass
    client = TestClient(TestServer(build_app(town.ctx)))
    await client.start_server()
    yield Garden(town, client)
    await client.close()
    await town.ctx.store.close()


# ------------------------------------------------------------ those who may read: so that the others can fail


async def test_who_writes_to_the_list_finds_their_link_and_its_past_everywhere(garden: Garden) -> None:
    person = await garden.town.writes("paul@membres.lab.test", "Paul")
    cookie = await garden.session(person)
    visitor = Visitor("Paul", {"hortensia", "campanule"}, cookie, await garden.key(cookie))
    assert await garden.try_all(visitor) == expected(visitor.reads, keyed=True)


async def test_who_chats_finds_what_was_said_since_the_bridge_came_and_no_past_of_the_list(garden: Garden) -> None:
    cookie = await garden.session(await garden.town.chats("@lea:lab.test", "Léa"))
    visitor = Visitor("Léa", {"hortensia"}, cookie, await garden.key(cookie))
    assert await garden.try_all(visitor) == expected(visitor.reads, keyed=True)


async def test_a_coordinator_finds_all_links_of_the_association_and_no_past(garden: Garden) -> None:
    monique = await garden.town.writes(MONIQUE, "Monique", path="epeule/jardin")
    visitor = Visitor("Monique", {"hortensia", "tournesol"}, await garden.session(monique))
    found = await garden.try_all(visitor)
    # She hid the posts on her way: what stands before `hide` in the table showed them.
    before = [name for name in ROUTES_TRIED if list(ROUTES_TRIED).index(name) < list(ROUTES_TRIED).index("hide")]
    assert found >= {(name, word) for name, word in expected(visitor.reads) if name in before}


# ------------------------------------------------------------ those who may not


async def strangers(garden: Garden) -> list[Visitor]:
    """All who are nobody in épeule, each in another way, with a key or a cookie that was worth something once."""
    town = garden.town
    lea = await town.chats("@lea:lab.test", "Léa")
    former, key_of_former = await garden.session(lea), ""
    key_of_former = await garden.key(former)
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    async with town.ctx.store.write() as conn:
        await note_left_room(town.ctx, conn, town.link(), UserId("@lea:lab.test"))
    gone = await town.chats("@gone:lab.test", "Partie")
    unnoticed = await garden.session(gone)
    key_of_gone = await garden.key(unnoticed)
    # Nobody noticed yet that she left: the homeserver's word alone says so.
    await town.joins("@gone:lab.test", "Partie", membership="ban")
    paul = await town.writes("paul@membres.lab.test", "Paul")
    out = await garden.session(paul)
    key_taken_back = await garden.key(out)
    await garden.key(out)
    entry = await session_reader(town.ctx, EPEULE, out)
    assert entry is not None
    await sign_out(town.ctx, entry)
    expired = await garden.session(paul)
    town.pass_time(minutes=31)
    return [
        Visitor("a stranger"),
        Visitor("nonsense", cookie="x" * 43, key="y" * 43),
        Visitor("a former participant", cookie=former, key=key_of_former),
        Visitor("a former participant whom nobody noticed", cookie=unnoticed, key=key_of_gone),
        Visitor("who signed out", cookie=out, key=key_taken_back),
        Visitor("an expired session", cookie=expired, key=expired),
    ]


async def test_strangers_find_nothing_anywhere(garden: Garden) -> None:
    for visitor in await strangers(garden):
        assert await garden.try_all(visitor) == set()


async def test_another_association_s_reader_is_a_stranger_here(garden: Garden) -> None:
    person = await garden.town.writes("paul@membres.lab.test", "Paul", path="roubaix/bureau")
    cookie = await garden.session(person, ROUBAIX)
    visitor = Visitor("Paul of Roubaix", {"marguerite"}, cookie, await garden.key(cookie, ROUBAIX))
    found = await garden.try_all(visitor)
    assert {word for _, word in found} == {"marguerite"}


async def test_another_link_s_participant_finds_theirs_alone(garden: Garden) -> None:
    cookie = await garden.session(await garden.town.writes("paul@membres.lab.test", "Paul", path="epeule/jardin"))
    visitor = Visitor("Paul of the garden", {"tournesol"}, cookie, await garden.key(cookie))
    assert await garden.try_all(visitor) == expected(visitor.reads, keyed=True)


async def test_a_stranger_cannot_tell_what_there_is_from_what_there_is_not(garden: Garden) -> None:
    visitor = Visitor("a stranger")
    for name, tried in ROUTES_TRIED.items():
        if not tried.is_private:
            continue
        for place in PLACES.values():
            there = await garden.ask(name, place.values, visitor)
            values = place.values | NOWHERE
            status, told = await garden.ask(name, values, visitor)
            for mine, other in NOWHERE.items():
                told = told.replace(quote(other), quote(place.values[mine]))
            assert there == (status, told), f"{name} at {place.word}"


async def test_who_reads_one_link_cannot_tell_what_there_is_on_another(garden: Garden) -> None:
    cookie = await garden.session(await garden.town.writes("paul@membres.lab.test", "Paul", path="epeule/jardin"))
    visitor, place = Visitor("Paul of the garden", cookie=cookie), PLACES["hortensia"]
    for name in (
        "month", "thread", "message", "short", "post", "original", "original_file", "file", "feed_thread", "entry",
        "meeting", "convocation", "minutes", "minutes_odt", "minutes_pdf",
    ):  # fmt: skip
        there, there_told = await garden.ask(name, place.values, visitor)
        status, told = await garden.ask(name, place.values | NOWHERE, visitor)
        assert (there, len(there_told)) == (status, len(told)) == (404, len(told)), name


async def test_no_door_lets_who_may_not_change_anything(garden: Garden) -> None:
    town = garden.town
    jardin = await garden.session(await town.writes("paul@membres.lab.test", "Paul", path="epeule/jardin"))
    member = await garden.session(await town.writes("annie@membres.lab.test", "Annie"))
    karim = await garden.session(await town.writes("karim@membres.lab.test", "Karim", path="roubaix/bureau"), ROUBAIX)
    for visitor in (Visitor("stranger"), Visitor("Paul", cookie=jardin), Visitor("Annie", cookie=member),
                    Visitor("Karim, who coordinates Roubaix", cookie=karim)):  # fmt: skip
        for name in ("hide", "show", "split", "attach", "undo", *(CHANGES if visitor.name != "Annie" else [])):
            status, _ = await garden.ask(name, PLACES["hortensia"].values, visitor)
            assert status in (303, 403, 404, 405), (name, visitor.name)
    async with town.ctx.store.read() as conn:
        assert set((await conn.execute(select(post.c.state))).scalars()) == {"accepted"}
        assert set((await conn.execute(select(entry.c.state))).scalars()) == {"proposed"}
        assert list((await conn.execute(select(rsvp.c.answer))).scalars()) == []


async def test_no_answer_behind_the_door_is_kept_or_listed(garden: Garden) -> None:
    cookie = await garden.session(await garden.town.writes("paul@membres.lab.test", "Paul"))
    for visitor in (Visitor("stranger"), Visitor("Paul", cookie=cookie, key=await garden.key(cookie))):
        for name, tried in ROUTES_TRIED.items():
            if tried.path.startswith("/{association}"):
                _, told = await garden.ask(name, PLACES["hortensia"].values, visitor)
                headers = told.partition("\n\n")[0].lower()
                assert "cache-control: no-store" in headers, name
                assert "x-robots-tag: noindex" in headers, name


# ------------------------------------------------------------ opened to all


async def test_an_opened_link_shows_strangers_its_words_and_no_address(tmp_path: Path) -> None:
    town = await make_town(tmp_path, links={"epeule/bureau": {"archive": {"visibility": "public"}}})
    row = {"association": EPEULE, "link": BUREAU, "what": "posts", "to": "public", "told_at": START, "opens_at": START}
    async with town.ctx.store.write() as conn:
        await conn.execute(insert(opening).values(**row))
    place = PLACES["hortensia"]
    await town.chats("@lea:lab.test", "Léa")
    text = "commun hortensia : écrivez à secret@membres.lab.test ou @lea:lab.test"
    await town.post(
        text,
        said_at=START - timedelta(hours=1),
        message_id=place.values["message_id"],
        address="author@membres.lab.test",
        author="Monique author2@membres.lab.test",
        file=("hortensia.txt", b"hortensia"),
    )
    await town.post(
        "commun",
        said_at=START - timedelta(minutes=30),
        message_id="html@lab.test",
        html='<p>hortensia <a href="https://matrix.to/#/@lea:lab.test">Léa</a>, '
        '<a href="https://matrix.to/#/%40lea%3Alab.test">Léa</a>, <a href="mailto:secret@membres.lab.test">lui</a></p>',
    )
    other = PLACES["tournesol"]
    await note_all(town)
    await town.post("commun tournesol", path=other.path, message_id=other.values["message_id"], said_at=START)
    while await index_waiting(town.ctx):
        pass
    client = TestClient(TestServer(build_app(town.ctx)))
    await client.start_server()
    garden, visitor = Garden(town, client), Visitor("a stranger", {"hortensia"})
    try:
        seen = set()
        for name, tried in ROUTES_TRIED.items():
            for one in (place, other):
                _, told = await garden.ask(name, one.values, visitor)
                assert "tournesol" not in told, name
                for address in ("secret@", "author@", "author2@", "monique@", "@lea:", "bureau-epeule@"):
                    assert address not in unquote(told).lower(), f"{name} tells strangers {address}"
                if tried.shows and "hortensia" in told:
                    seen.add(name)
        shown = {name for name, tried in ROUTES_TRIED.items() if tried.shows and not name.startswith("keyed_")}
        assert seen == shown - MEMBERS_ONLY
    finally:
        await client.close()
        await town.ctx.store.close()


async def test_who_reads_a_link_because_all_may_is_no_member_of_it(tmp_path: Path) -> None:
    """Paul of the garden reads the office's archive, which is open to everyone: its register is not."""
    town = await make_town(tmp_path, links={"epeule/bureau": {"archive": {"visibility": "public"}}})
    row = {"association": EPEULE, "link": BUREAU, "what": "posts", "to": "public", "told_at": START, "opens_at": START}
    async with town.ctx.store.write() as conn:
        await conn.execute(insert(opening).values(**row))
    place = PLACES["hortensia"]
    await town.post("commun hortensia", message_id=place.values["message_id"], said_at=START)
    await note_all(town)
    client = TestClient(TestServer(build_app(town.ctx)))
    await client.start_server()
    garden = Garden(town, client)
    try:
        person = await town.writes("paul@membres.lab.test", "Paul", path="epeule/jardin")
        visitor = Visitor("Paul of the garden", cookie=await garden.session(person))
        assert "hortensia" in (await garden.ask("home", place.values, visitor))[1]
        for name in MEMBERS_ONLY:
            status, told = await garden.ask(name, place.values, visitor)
            assert "hortensia" not in told, name
            if {"{number}", "{minutes}"} & set(re.findall("{\\w+}", ROUTES_TRIED[name].path)):
                assert status == 404, name
    finally:
        await client.close()
        await town.ctx.store.close()


# ------------------------------------------------------------ while a past comes in


async def test_while_a_past_is_imported_nobody_sees_a_word_of_it_who_may_not(garden: Garden, tmp_path: Path) -> None:
    town, link = garden.town, garden.town.link()
    mbox = tmp_path / "past.mbox"
    mbox.write_text(
        "".join(
            f"From x@lab.test Mon Mar  1 10:00:00 2021\nFrom: Ancien <campanule@membres.lab.test>\n"
            f"Date: Mon, 1 Mar 2021 10:{n % 60:02}:00 +0000\nSubject: commun campanule {n}\n"
            f"Message-ID: <past{n}@lab.test>\nTo: {link.list_address}\n\nbonjour commun campanule {n}\n\n"
            for n in range(1500)
        )
    )
    async with town.ctx.store.write() as conn:
        run = NewImportRun(
            association=EPEULE, link=BUREAU, side="list", source=str(mbox), format="mbox", started_at=START
        )
        run_id = await insert_import_run(conn, run)
    chats = Visitor("Léa", {"hortensia"}, await garden.session(await town.chats("@lea:lab.test", "Léa")))
    writes = Visitor("Paul", {"hortensia", "campanule"}, await garden.session(await town.writes("paul@x.test", "Paul")))
    nobody = Visitor("a stranger")
    steps: list[int] = []
    task = asyncio.create_task(
        import_mails(
            town.ctx,
            link,
            run_id,
            MboxFile(mbox, "mboxrd"),
            on_progress=lambda o: steps.append(o.imported),
            processes=1,
        )
    )
    names = ("home", "month", "search", "feed_all", "feed_link", "link")
    past = {**PLACES["campanule"].values, "month": "2021-03"}
    rounds = 0
    while not task.done() or rounds < 3:
        rounds += 1
        for visitor in (nobody, chats):
            for name in names:
                status, told = await garden.ask(name, past, visitor)
                assert status < 500
                assert "campanule" not in told.lower(), f"{name} to {visitor.name} during the import"
        await asyncio.sleep(0.01)
    outcome = await task
    assert outcome.imported == 1500, steps
    assert rounds > 3
    while await index_waiting(town.ctx):
        pass
    for name in names[1:]:
        _, told = await garden.ask(name, past, writes)
        assert ("campanule" in told.lower()) == ROUTES_TRIED[name].shows, name


# ------------------------------------------------------------ conversations that stand on several shelves


async def test_of_a_conversation_begun_in_another_s_past_only_what_may_be_read_is_shown(garden: Garden) -> None:
    """A coordinator may attach what is said now to what was said before: its subject stays its own side's."""
    town = garden.town
    async with town.ctx.store.write() as conn:
        threads = dict((await conn.execute(select(post.c.permalink, post.c.thread_id))).all())
        begun, goes_on = PLACES["campanule"].values["short"], PLACES["hortensia"].values["short"]
        await conn.execute(update(post).where(post.c.permalink == goes_on).values(thread_id=threads[begun]))
    cookie = await garden.session(await town.chats("@lea:lab.test", "Léa"))
    visitor = Visitor("Léa", {"hortensia"}, cookie, await garden.key(cookie))
    found = await garden.try_all(visitor)
    assert ("thread", "hortensia") in found
