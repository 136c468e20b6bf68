"""What comes from both sides is found by the next search, as it reads now; what was taken back is not."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from passerelle.core.extracts import Piece
from passerelle.core.search_query import parse_query
from passerelle.core.search_words import SearchWords
from passerelle.core.shelves import Shelf
from passerelle.flows import index_posts as index_posts_module
from passerelle.flows.index_posts import index_posts, index_waiting
from passerelle.flows.search_archive import MOST_COUNTED, Found, search_archive
from passerelle.indexing import Indexing, read_waiting_file
from passerelle.store.engine import Store
from passerelle.store.search_index import claim_waiting, list_waiting
from tests.flows.bridge import Bridge, mail
from tests.flows.test_import_mails import take_in
from tests.unit.files.sample_files import odt_of, pdf_of

SHELF = Shelf(association="epeule", link="bureau", origin="live")  # type: ignore[arg-type]


async def find(bridge: Bridge, query: str, **how: Any) -> Found:
    asked = parse_query(query, now=bridge.now(), zone=ZoneInfo("Europe/Paris"))
    return await search_archive(bridge.ctx, asked, shelves=how.pop("shelves", [SHELF]), **how)


async def texts(bridge: Bridge, query: str) -> list[str]:
    return [hit.post.text for hit in (await find(bridge, query)).hits]


def marked(pieces: tuple[Piece, ...]) -> str:
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in pieces)


def with_file(raw: bytes, data: bytes, name: str, kind: str) -> bytes:
    made = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(made, EmailMessage)
    main, _, sub = kind.partition("/")
    made.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return made.as_bytes()


async def test_both_sides_are_found_at_once(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui apporte les gâteaux ?"))
    await bridge.say("Moi, un gâteau au chocolat")
    assert await texts(bridge, "gateaux") == ["Moi, un gâteau au chocolat", "Qui apporte les gâteaux ?"]
    assert await texts(bridge, "gateau de:léa") == ["Moi, un gâteau au chocolat"]
    assert await texts(bridge, "gateau dans:liste") == ["Qui apporte les gâteaux ?"]
    assert await texts(bridge, "objet:loto") == ["Qui apporte les gâteaux ?"]


async def test_extracts_show_why(bridge: Bridge) -> None:
    await bridge.receive(mail("Bonjour.\n\n" + "Rien encore. " * 60 + "Les réunions de l’harmonie changent d’heure.\n"))
    found = await find(bridge, "l'harmonie loto")
    assert "l’[harmonie] changent" in marked(found.hits[0].extract)
    assert marked(found.hits[0].title) == "[Loto] du quartier"
    assert found.hits[0].of == "own"


async def test_quoted_words_are_told_apart(bridge: Bridge) -> None:
    said = "D’accord pour moi.\n\nLe 12 novembre 2026, Karim a écrit :\n> On parle du trampoline ?\n> Karim\n"
    await bridge.receive(mail(said))
    assert await texts(bridge, "trampoline") == []
    found = await find(bridge, "cité:trampoline")
    assert found.hits[0].of == "quoted"
    assert "[trampoline]" in marked(found.hits[0].extract)
    assert len((await find(bridge, 'cité:"parle du trampoline"')).hits) == 1
    assert (await find(bridge, 'cité:"parle du tremplin"')).hits == ()


async def test_exact_words_are_the_very_words(bridge: Bridge) -> None:
    await bridge.receive(mail("Nos réunions du mardi", message_id="a@lab.test"))
    await bridge.receive(mail("Une réunion du mardi", message_id="b@lab.test"))
    assert await texts(bridge, '"réunion"') == ["Une réunion du mardi"]
    assert await texts(bridge, '"REUNION DU mardi"') == ["Une réunion du mardi"]
    assert await texts(bridge, 'mardi -"réunion"') == ["Nos réunions du mardi"]
    assert len(await texts(bridge, "réunion")) == 2
    found = await find(bridge, '"réunion"')
    assert (found.total, found.total_is, found.next) == (1, "exact", None)


async def test_an_edit_is_found_as_it_reads_now(bridge: Bridge) -> None:
    line = await bridge.say("Rendez-vous samedi")
    assert await texts(bridge, "samedi") == ["Rendez-vous samedi"]
    new = {"msgtype": "m.text", "body": "Rendez-vous dimanche"}
    edit = {**new, "body": "* Rendez-vous dimanche", "m.new_content": new}
    edit["m.relates_to"] = {"rel_type": "m.replace", "event_id": line}
    await bridge.happen(bridge.event("@lea:lab.test", edit))
    assert await texts(bridge, "samedi") == []
    assert await texts(bridge, "dimanche") == ["Rendez-vous dimanche"]


async def test_what_was_redacted_is_gone_from_the_index(bridge: Bridge) -> None:
    line = await bridge.say("Un mot zanzibarite")
    assert await texts(bridge, "zanzibarite") == ["Un mot zanzibarite"]
    redaction = bridge.event("@lea:lab.test", {"redacts": line}, kind="m.room.redaction", redacts=line)
    await bridge.happen(redaction)
    found = await find(bridge, "zanzibarite")
    assert (found.hits, found.total) == ((), 0)
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM post_words_kept"))).scalar_one() == 0
        assert (await conn.execute(text("SELECT count(*) FROM post_words_docsize"))).scalar_one() == 0


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (pdf_of("La subvention de la mairie"), "compte-rendu.pdf", "application/pdf"),
        (odt_of("La subvention de la mairie"), "compte-rendu.odt", "application/octet-stream"),
        ("La subvention de la mairie".encode("utf-16"), "compte-rendu.txt", "application/octet-stream"),
    ],
)
async def test_files_are_found_by_name_and_text(bridge: Bridge, data: bytes, name: str, kind: str) -> None:
    await bridge.receive(with_file(mail("Ci-joint."), data, name, kind))
    found = await find(bridge, "pièce:compte-rendu")
    assert [hit.filename for hit in found.hits] == [name]
    assert await texts(bridge, "subvention") == [], "not read yet"
    assert await read_waiting_file(bridge.ctx)
    assert not await read_waiting_file(bridge.ctx)
    found = await find(bridge, "pièce:subvention")
    assert [(hit.of, hit.filename) for hit in found.hits] == [("files", name)]
    assert "[subvention] de la mairie" in marked(found.hits[0].extract)
    assert await texts(bridge, '"subvention de la mairie"') == ["Ci-joint."]
    assert await texts(bridge, '"subventions de la mairie"') == []


async def test_a_bad_file_stops_nothing(bridge: Bridge) -> None:
    raw = with_file(mail("Ci-joint."), b"%PDF-1.7 rien", "abime.pdf", "application/pdf")
    await bridge.receive(with_file(raw, b"un texte clair", "bon.txt", "text/plain"))
    await index_waiting(bridge.ctx)
    while await read_waiting_file(bridge.ctx):
        pass
    assert await texts(bridge, "clair") == ["Ci-joint."]
    assert await texts(bridge, "abime") == ["Ci-joint."]
    async with bridge.ctx.store.read() as conn:
        states = (await conn.execute(text("SELECT state, reason FROM file_text ORDER BY attachment_id"))).all()
    assert [tuple(row) for row in states] == [("failed", "it is damaged, or too much to read"), ("here", "")]


async def test_the_same_file_is_read_once(bridge: Bridge) -> None:
    for number in range(2):
        raw = mail(f"Ci-joint {number}.", message_id=f"m{number}@lab.test")
        await bridge.receive(with_file(raw, b"un texte clair", f"n{number}.txt", "text/plain"))
    await index_waiting(bridge.ctx)
    while await read_waiting_file(bridge.ctx):
        pass
    assert len(await texts(bridge, "clair")) == 2
    async with bridge.ctx.store.read() as conn:
        hashes = (await conn.execute(text("SELECT DISTINCT text_hash FROM file_text"))).all()
    assert len(hashes) == 1


async def test_the_worker_finds_its_work(bridge: Bridge) -> None:
    worker = Indexing(bridge.ctx)
    bridge.ctx.store.on_commit(worker.wake, queue="words")
    running = asyncio.create_task(worker.run())
    try:
        raw = with_file(mail("Ci-joint."), pdf_of("La subvention"), "a.pdf", "application/pdf")
        await bridge.receive(raw)
        for _ in range(1200):
            if await texts(bridge, "subvention"):
                break
            await asyncio.sleep(0.05)
        assert await texts(bridge, "subvention") == ["Ci-joint."]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


async def test_pages_and_totals(bridge: Bridge) -> None:
    for number in range(5):
        await bridge.receive(mail(f"Le budget {number}", message_id=f"m{number}@lab.test"))
    first = await find(bridge, "budget", limit=2)
    second = await find(bridge, "budget", limit=2, start=first.next)
    third = await find(bridge, "budget", limit=2, start=second.next)
    seen = [hit.post.text[-1] for page in (first, second, third) for hit in page.hits]
    assert seen == ["4", "3", "2", "1", "0"]
    assert third.next is None
    assert {(page.total, page.total_is) for page in (first, second, third)} == {(5, "exact")}
    ranked = [await find(bridge, "budget tri:pertinence", limit=3, start=start) for start in (None, 3)]
    assert sorted(hit.post.text[-1] for page in ranked for hit in page.hits) == list("01234")
    assert ranked[1].next is None


async def test_exact_words_among_many_that_are_not(bridge: Bridge) -> None:
    """Of what has the stems alone, many are looked at; a total that was not looked at is not called exact."""
    for number in range(130):
        word = "réunion" if number == 3 else "réunions"
        await bridge.receive(mail(f"Les {word} {number}", message_id=f"m{number}@lab.test"))
    await index_waiting(bridge.ctx)
    found = await find(bridge, '"réunion"', limit=1)
    assert [hit.post.text for hit in found.hits] == ["Les réunion 3"]
    assert found.is_complete
    many = await find(bridge, '"réunions"', limit=10)
    assert len(many.hits) == 10
    assert (many.total, many.total_is) == (130, "at_most")
    assert many.total <= MOST_COUNTED


async def test_nothing_without_a_shelf(bridge: Bridge) -> None:
    await bridge.receive(mail("Le secret"))
    assert (await find(bridge, "secret", shelves=[])).hits == ()
    past = Shelf(association="epeule", link="bureau", origin="import", side="list")  # type: ignore[arg-type]
    assert (await find(bridge, "secret", shelves=[past])).total == 0


async def test_places_by_any_of_their_names(bridge: Bridge) -> None:
    await bridge.receive(mail("Le secret"))
    assert await texts(bridge, "secret liste:bureau") == ["Le secret"]
    assert await texts(bridge, "secret liste:bureau@listes.lab.test") == ["Le secret"]
    assert await texts(bridge, "secret liste:fêtes") == []


async def test_a_crash_between_leaves_either_both_or_neither(bridge: Bridge) -> None:
    """The words and the mark that they stand are of one transaction."""
    await bridge.receive(mail("Le budget"))

    async def crash() -> None:
        async with bridge.ctx.store.write() as conn:
            ids = [post.id for post in await list_waiting(conn, 10)]
            await index_posts(conn, await claim_waiting(conn, ids), {})
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        await crash()
    assert await texts(bridge, "budget") == ["Le budget"]


async def test_what_is_said_now_is_found_at_once_whatever_of_a_past_waits(bridge: Bridge) -> None:
    """An import left a thousand posts to be indexed; what stands in the index is read out of it once, not by each."""
    past = [mail("Ci-joint.", message_id=f"{n}@past.test") for n in range(70)]
    past = [with_file(raw, b"Bonjour", "a.txt", "text/plain") for raw in past]
    await take_in(bridge, past)
    plain = [mail("Le vieux budget", message_id=f"{n}@plain.test") for n in range(70)]
    await take_in(bridge, plain)
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("UPDATE post SET index_state = 'waiting'"))
    await bridge.say("Une ligne toute neuve")
    read: list[int] = []
    reading = index_posts_module.read_words

    async def counted(store: Store, numbers: Collection[int]) -> dict[int, SearchWords]:
        read.append(len(numbers))
        return await reading(store, numbers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_posts_module, "read_words", counted)
        assert await texts(bridge, "toute neuve") == ["Une ligne toute neuve"]
        assert not any(read), "no search waits until an index was read through"
        read.clear()
        assert await index_waiting(bridge.ctx) == 140
        assert read == [70]
