"""Feeds: read by a feed library, with a session and with a key, never without."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime

import feedparser
import pytest
from lxml import etree

from passerelle.flows.sessions import make_feed_key, session_reader
from passerelle.web.door import COOKIE
from passerelle.web.feeds import ATOM, Feed, FeedEntry, atom_of, json_of
from tests.web.scene import EPEULE, Scene

LEA = {"user_id": "@lea:lab.test"}
AT = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)


def parsed(data: bytes) -> feedparser.FeedParserDict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return feedparser.parse(data)


async def key_of(scene: Scene, **who: str) -> str:
    cookie = (await scene.session(**who))[COOKIE]
    entry = await session_reader(scene.ctx, EPEULE, cookie)
    assert entry is not None
    return await make_feed_key(scene.ctx, entry)


async def test_atom_holds_what_was_said_last(played: Scene) -> None:
    shorts = await played.shorts()
    async with played.browser(**LEA) as browser:
        answer = await browser.get("/epeule/feed/all.atom")
        assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        feed = parsed(await answer.read())
    assert not feed.bozo
    assert feed.version == "atom10"
    assert feed.feed.title == "Comité de quartier de l’Épeule"
    assert feed.feed.language == "fr"
    assert len(feed.entries) == 6
    newest = feed.entries[0]
    assert newest.title == "Quelqu’un a-t-il retrouvé la clé du local ?"
    assert newest.author == "Karim"
    assert newest.id == f"{played.url}/epeule/p/{shorts['Oui, elle est chez M']}"
    assert "Mme Haddad" in newest.content[0].value


@pytest.mark.parametrize(
    ("what", "number"), [("all", 6), ("a/bureau", 6), ("t/{loto}", 4)], ids=["all", "link", "thread"]
)
async def test_each_feed_in_both_forms_and_with_a_key(played: Scene, what: str, number: int) -> None:
    what = what.format(loto=(await played.shorts())["Bonjour à toutes et "])
    key = await key_of(played, **LEA)
    async with played.browser(**LEA) as signed_in, played.browser() as reader:
        for browser, root in ((signed_in, "/epeule/feed"), (reader, f"/epeule/key/{key}")):
            atom = parsed(await (await browser.get(f"{root}/{what}.atom")).read())
            assert (atom.bozo, len(atom.entries)) == (False, number)
            answer = await browser.get(f"{root}/{what}.json")
            assert answer.headers["Content-Type"].startswith("application/feed+json")
            document = json.loads(await answer.text())
            assert document["version"] == "https://jsonfeed.org/version/1.1"
            assert document["feed_url"] == f"{played.url}{root}/{what}.json"
            assert [item["id"] for item in document["items"]] == [entry.id for entry in atom.entries]
            for item in document["items"]:
                assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
                assert item["authors"][0]["name"]
                assert item["content_html"]
        wrong = "x" * len(key)
        assert (await reader.get(f"/epeule/key/{wrong}/{what}.atom")).status == 404


def test_what_is_no_xml_character_stops_no_feed() -> None:
    words = "a\0b\x08c\ud800d\uffffe]]>&<>\u202e"
    entry = FeedEntry(address="https://a.example/p/x", title=words, author=words, said_at=AT, html=f"<p>{words}</p>")
    feed = Feed(title=words, page="https://a.example/", address="https://a.example/f", language="fr", entries=[entry])
    root = etree.fromstring(atom_of(feed))
    # RFC 4287 §4.1.1, §4.1.2: what has to be there.
    for path in ("id", "title", "updated", "author/name", "entry/id", "entry/title", "entry/updated", "entry/author"):
        assert root.find("/".join(f"{{{ATOM}}}{part}" for part in path.split("/"))) is not None, path
    assert root.findtext(f"{{{ATOM}}}entry/{{{ATOM}}}updated") == "2026-11-17T10:00:00Z"
    assert json.loads(json_of(feed))["items"][0]["date_published"] == "2026-11-17T10:00:00Z"


def test_an_empty_feed_is_one() -> None:
    feed = Feed(title="t", page="https://a.example/", address="https://a.example/f", language="fr", entries=[])
    assert not parsed(atom_of(feed)).bozo
