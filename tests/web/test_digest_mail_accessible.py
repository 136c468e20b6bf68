"""The mail of every golden digest as it leaves: axe finds nothing in it by day or by night, on paper or a telephone; a
text browser and the text beside it tell every item, with its reason and its numbers, in the same order."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from typing import Any

import pytest

from passerelle.core.digest_answers import AnswerWay
from passerelle.core.digest_words import Place, ShownDigest, build_shown
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.wording import Language
from passerelle.mail.compose import compose_personal
from passerelle.mail.compose_types import PersonalMail, Unsubscribe
from passerelle.render import Renderer
from tests.unit.core.digest_cases import NAMES, Situation, load_situation
from tests.web.test_accessible import LOOKS, judge
from tests.web.test_text_browser import NO_W3M, shown

WEB = "https://archives.example.org"
BRIDGE = MailAddress("passerelle@pont.example")
ASSOCIATION = Place(web=WEB, association="epeule", title="Comité de quartier de l’Épeule")
#: Those of which there is a mail: nothing is sent where there is nothing to say.
TOLD = [name for name in NAMES if not load_situation(name).choose().is_empty]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
#: What a text browser puts between words: numbers of links, lines of a table.
_MARKS = re.compile(r"\[\d+\]|[│┃|]")


def words_of(situation: Situation, language: Language) -> ShownDigest:
    """The digest in words; each item has an address by which it is answered."""
    chosen = situation.choose()
    answers = {
        item.key: AnswerWay(url=f"mailto:passerelle@pont.example?subject=Re:%20%5B{token}%5D", token=token)
        for number, item in enumerate(chosen.items)
        if (token := f"k{2 + number % 6}mn{2 + number // 6}")
    }
    links = {link: link for link in sorted(situation.facts.links)}
    place = Place(web=WEB, association="epeule", title=ASSOCIATION.title, links=links, answers=answers)
    kind = "coordinator" if situation.reader.is_coordinator else "member"
    words = Renderer(None, language).words
    return build_shown(chosen, words, place, kind=kind, since=situation.since, until=situation.until)  # type: ignore[arg-type]


@cache
def sent(name: str, language: Language = "fr") -> EmailMessage:
    """The digest of a situation as its reader's mail program gets it."""
    situation, renderer = load_situation(name), Renderer(None, language)
    values: dict[str, Any] = {
        "association": ASSOCIATION, "digest": words_of(situation, language), "name": situation.reader.name,
        "page_url": f"{WEB}/epeule/digests/abcdefgh2345", "stop_url": f"{WEB}/epeule/digests/stop/1-abc",
        "is_answered": True,
    }  # fmt: skip
    letter = renderer.letter("mail/digest", **values)
    mail = PersonalMail(
        from_name=ASSOCIATION.title, bridge_address=BRIDGE, to_address=MailAddress("monique@membres.example"),
        subject=letter.subject, text=letter.text, message_id=MessageId("digest@pont.example"), marker="x",
        html=renderer.letter_html("mail/digest", subject=letter.subject, **values),
        date=datetime(2026, 11, 16, 7, tzinfo=UTC), unsubscribe=Unsubscribe(url=values["stop_url"]),
    )  # fmt: skip
    made = message_from_bytes(compose_personal(mail), policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def told(digest: ShownDigest) -> Iterator[str]:
    """What stands in it, in the order in which it is read."""
    yield from (digest.intro, digest.period)
    for one in digest.parts:
        for item in one.items:
            yield item.title
            yield item.reason
            if item.where:
                yield f"({item.where})"
            if item.extract:
                yield item.extract
        if one.more:
            yield one.more
    yield from digest.figures


def flat(text: str) -> str:
    """Each white space as one blank."""
    return " ".join(_MARKS.sub(" ", text).split())


def missing(text: str, wanted: Iterator[str]) -> list[str]:
    """What does not stand in a text behind all that is wanted before it."""
    read, at, gone = flat(text), 0, []
    for words in wanted:
        found = read.find(flat(words), at)
        if found < 0:
            gone.append(words)
        else:
            at = found + len(flat(words))
    return gone


@pytest.mark.parametrize("look", LOOKS)
async def test_no_digest_by_mail_is_in_anybody_s_way(chromium: Any, look: str) -> None:
    wrong: list[str] = []
    context = await chromium.new_context(**LOOKS[look])
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in TOLD:
        await page.set_content(part(sent(name), "html"))
        wrong += await judge(page, name)
    await context.close()
    assert wrong == []
    assert asked == [], "a mail asks for nothing"


@pytest.mark.skipif(shutil.which("w3m") is None, reason=NO_W3M)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TOLD)
async def test_a_text_browser_reads_every_item_in_its_order(name: str, language: Language) -> None:
    mail, digest = sent(name, language), words_of(load_situation(name), language)
    text, _, addresses = (await shown(part(mail, "html").encode())).partition("References:")
    # Where something is, is said behind its reason there, before it in the text.
    assert missing(text, told(digest)) == []
    bars = [words for bar in digest.bars for words in (bar.label, bar.words)]
    behind = flat(text).rpartition(flat(digest.figures[-1]))[2] if digest.figures else ""
    assert missing(behind, iter(bars)) == []
    for item in (item for one in digest.parts for item in one.items):
        assert item.url in addresses
        assert item.answer in addresses


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TOLD)
def test_the_text_part_is_complete_in_itself(name: str, language: Language) -> None:
    mail, digest = sent(name, language), words_of(load_situation(name), language)
    text = part(mail, "plain")
    in_text = [words for words in told(digest) if not words.startswith("(")]
    assert missing(text, iter(in_text)) == []
    for item in (item for one in digest.parts for item in one.items):
        assert item.url in text
        assert item.where in text
        assert f"[{item.token}]" in text
    assert {one.title.upper() for one in digest.parts} <= {line.strip() for line in text.splitlines()}
    assert "<" not in text


def test_there_is_no_mail_where_there_is_nothing_to_say() -> None:
    assert 15 <= len(TOLD) < len(NAMES)
