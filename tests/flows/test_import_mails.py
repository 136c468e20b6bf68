"""The past of a list comes in: as posts like any other, once each, beside the bridge; interrupted, it goes on."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.archive_mails import ArchiveMaker
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.permalinks import copy_message_id
from passerelle.flows import import_work
from passerelle.flows.import_mails import Outcome, import_mails
from passerelle.flows.import_work import NOT_TO_BE_ARCHIVED, Work
from passerelle.imports.source import Refused, SourceMail
from passerelle.mail.quick_reading import ArchiveReading, ListFacts, read_for_archive
from passerelle.mail.reading import read_email
from passerelle.store.blobs import get_blob
from passerelle.store.imports import NewImportRun, get_import_run, insert_import_run
from tests.flows.bridge import BRIDGE, LIST, START, Bridge, mail


@dataclass
class Mails:
    """A source of mails that are here already."""

    mails: Sequence[bytes | Refused]
    name: str = "/past.mbox"
    total_bytes: int | None = None
    bytes_done: int = 0
    read_from: Any = None

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        self.read_from = after
        for number, one in enumerate(self.mails):
            if after is None or number > after:
                if isinstance(one, Refused):
                    yield dataclasses.replace(one, position=number)
                else:
                    yield SourceMail(raw=one, place=f"past.mbox, message {number}", position=number)


async def begin(bridge: Bridge, source: str = "/past.mbox") -> int:
    link = bridge.link
    new = NewImportRun(
        association=link.association_name, link=link.name, side="list", source=source, format="mbox", started_at=START
    )
    async with bridge.ctx.store.write() as conn:
        return await insert_import_run(conn, new)


async def take_in(bridge: Bridge, mails: Sequence[bytes | Refused], run: int | None = None) -> Outcome:
    run = await begin(bridge) if run is None else run
    return await import_mails(bridge.ctx, bridge.link, run, Mails(mails), on_progress=lambda _: None, processes=1)


async def rows(bridge: Bridge, statement: str, **values: Any) -> list[Any]:
    async with bridge.ctx.store.read() as conn:
        return list((await conn.execute(text(statement), values)).all())


def made(number: int = 1, *, subject: str = "La fête", body: str = "Bonjour, qui vient ?", **fields: str) -> bytes:
    lines = [f"From: Paul Dupont <paul@exemple.fr>\nTo: {LIST}\nSubject: {subject}\nMessage-ID: <{number}@exemple.fr>"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    if "Date" not in fields:
        lines.append(f"Date: Tue, 3 Mar 2020 10:{number % 60:02d}:00 +0100")
    return ("\n".join(lines) + f"\n\n{body}\n").encode()


async def test_an_imported_mail_is_a_post_like_one_that_came_live(bridge: Bridge) -> None:
    raw = made(1, body="Qui vient samedi ?\n\n-- \nPaul\n\nLe 2 mars 2020, Léa a écrit :\n> Des crêpes !")
    assert await take_in(bridge, [raw]) == Outcome(read=1, imported=1)
    (post,) = await rows(bridge, "SELECT * FROM post")
    reading = read_email(raw, list_addresses=bridge.link.list_addresses)
    assert (post.text, post.content_hash) == (reading.text, reading.content_hash)
    assert (post.origin, post.side, post.state, post.index_state) == ("import", "list", "accepted", "indexed")
    assert (post.author_name, post.author_address) == ("Paul Dupont", "paul@exemple.fr")
    assert datetime.fromtimestamp(post.said_at / 1e6, UTC) == datetime(2020, 3, 3, 9, 1, tzinfo=UTC)
    assert len(post.permalink) == 12
    async with bridge.ctx.store.read() as conn:
        assert await get_blob(conn, post.raw_hash) == raw
    (known,) = await rows(bridge, "SELECT * FROM mail_id WHERE message_id = '1@exemple.fr'")
    assert (known.post_id, known.thread_id) == (post.id, post.thread_id)
    (thread,) = await rows(bridge, "SELECT * FROM thread WHERE id = :id", id=post.thread_id)
    assert thread.subject == "La fête"


async def test_nothing_leaves_and_nobody_takes_part_by_an_import(bridge: Bridge) -> None:
    before = await rows(bridge, "SELECT count(*) FROM outbox"), await rows(bridge, "SELECT count(*) FROM participant")
    await take_in(bridge, [made(1), made(2)])
    after = await rows(bridge, "SELECT count(*) FROM outbox"), await rows(bridge, "SELECT count(*) FROM participant")
    assert before == after
    people = await rows(
        bridge, "SELECT name FROM person JOIN person_address ON id = person_id WHERE address LIKE 'paul%'"
    )
    assert [one.name for one in people] == ["Paul Dupont"]


async def test_what_is_imported_is_found_by_the_words_it_holds(bridge: Bridge) -> None:
    await take_in(bridge, [made(1, body="Les événements du quartier"), made(2, body="Autre chose")])
    hits = "SELECT rowid FROM post_words WHERE post_words MATCH 'own : even*'"
    found = await rows(bridge, f"SELECT message_id FROM post WHERE chrono_id IN ({hits.replace(':', chr(92) + ':')})")
    assert [one.message_id for one in found] == ["1@exemple.fr"]


async def test_a_second_run_finds_everything_known(bridge: Bridge) -> None:
    mails = [*ArchiveMaker(seed=5, count=300).mails()]
    first = await take_in(bridge, mails)
    assert first.imported + first.refused + first.known == 300
    again = await take_in(bridge, mails)
    assert (again.imported, again.known, again.refused) == (0, first.imported + first.known, first.refused)
    assert await rows(bridge, "SELECT count(*) FROM post") == [(first.imported,)]


async def test_a_mail_that_came_live_is_known(bridge: Bridge) -> None:
    live = mail("Bonjour à tous, qui a les clés ?", subject="Les clés")
    await bridge.receive(live)
    raw = live.replace(b"\r\n", b"\n")
    outcome = await take_in(bridge, [raw, raw.replace(b"\n", b"\r\n")])
    assert (outcome.imported, outcome.known) == (0, 2)
    assert await rows(bridge, "SELECT origin FROM post WHERE side = 'list'") == [("live",)]


async def test_a_mail_of_an_imported_past_that_comes_again_is_no_second_post(bridge: Bridge) -> None:
    live = mail("Bonjour à tous, qui a les clés ?", subject="Les clés")
    await take_in(bridge, [live])
    await bridge.receive(live)
    assert await rows(bridge, "SELECT origin FROM post WHERE side = 'list'") == [("live",)]


async def test_what_was_erased_does_not_come_back(bridge: Bridge) -> None:
    await take_in(bridge, [made(1)])
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("DELETE FROM mail_id"))
        await conn.execute(text("DELETE FROM post"))
    outcome = await take_in(bridge, [made(1), made(2)])
    assert (outcome.imported, outcome.known) == (1, 1)
    assert [one.message_id for one in await rows(bridge, "SELECT message_id FROM post")] == ["2@exemple.fr"]


async def test_the_same_message_id_with_other_words_is_flagged(bridge: Bridge) -> None:
    await take_in(bridge, [made(1, body="Oui"), made(1, body="Non, finalement")])
    assert await rows(bridge, "SELECT flagged FROM post ORDER BY id") == [("",), ("same_id_other_content",)]


async def test_who_asked_not_to_be_archived_is_refused_with_the_reason_and_neighbours_go_on(bridge: Bridge) -> None:
    run = await begin(bridge)
    refused = Refused(place="past.mbox, message 2", reason="It is larger than 64 MB.", position=None)
    mails = [made(1), made(2, X_No_Archive="yes"), refused, b"", made(3, Restrict="no-external-archive"), made(4)]
    outcome = await take_in(bridge, mails, run)
    assert (outcome.read, outcome.imported, outcome.refused) == (6, 2, 4)
    reasons = await rows(bridge, "SELECT place, reason FROM import_refusal ORDER BY id")
    assert [one.reason for one in reasons][:2] == [NOT_TO_BE_ARCHIVED, "It is larger than 64 MB."]
    assert len(reasons) == 4
    assert all(one.reason and one.place for one in reasons)
    async with bridge.ctx.store.read() as conn:
        assert (await get_import_run(conn, run)).refused == 4
    words = await rows(bridge, "SELECT count(*) FROM blob WHERE data LIKE '%No-Archive%'")
    assert words == [(0,)]


async def test_what_a_bridge_of_before_sent_is_kept_and_its_address_is_nobodys(bridge: Bridge) -> None:
    """A store that begins anew: the list's archive may be all that is left of what was said in the room."""
    ours = made(1).replace(b"paul@exemple.fr", BRIDGE.encode())
    outcome = await take_in(bridge, [ours, made(2)])
    assert (outcome.imported, outcome.known) == (2, 0)
    addresses = await rows(bridge, "SELECT author_address FROM post ORDER BY message_id")
    assert [row.author_address for row in addresses] == [None, "paul@exemple.fr"]


async def test_copies_of_lines_in_an_export_are_known_where_the_lines_are(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    [(short,)] = await rows(bridge, "SELECT permalink FROM post")
    copies = [
        made(number).replace(f"<{number}@exemple.fr>".encode(), f"<{copy_message_id(name, 'exemple.fr')}>".encode())
        for number, name in ((1, short), (2, "a" * 12))
    ]
    outcome = await take_in(bridge, copies)
    assert (outcome.imported, outcome.known) == (1, 1)


@pytest.mark.parametrize("from_", [f"Lea via Bureau <{LIST}>", None])
async def test_lines_of_the_room_that_left_as_a_mail_are_known_as_they_came_back(
    bridge: Bridge, from_: str | None
) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (left,) = await bridge.settle()
    if from_ is not None:
        left.replace_header("From", from_)
    outcome = await take_in(bridge, [left.as_bytes(), made(2)])
    assert (outcome.imported, outcome.known) == (1, 1)
    assert await rows(bridge, "SELECT count(*) FROM post WHERE side = 'list'") == [(1,)]


async def test_a_mail_of_ours_without_its_mark_is_known_by_its_message_id(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    (left,) = await bridge.settle()
    del left["X-Passerelle"]
    left.replace_header("From", f"Bureau <{LIST}>")
    del left["Reply-To"]
    outcome = await take_in(bridge, [left.as_bytes()])
    assert (outcome.imported, outcome.known) == (0, 1)


async def test_answers_find_their_conversation_in_whatever_order(bridge: Bridge) -> None:
    answer = made(2, subject="Re: La fête", body="Moi !", In_Reply_To="<1@exemple.fr>", References="<1@exemple.fr>")
    third = made(3, subject="Re: La fête", body="Moi aussi", In_Reply_To="<2@exemple.fr>")
    await take_in(bridge, [third, answer, made(1)])
    posts = {
        p.message_id[0]: p for p in await rows(bridge, "SELECT id, message_id, thread_id, parent_post_id FROM post")
    }
    assert len({post.thread_id for post in posts.values()}) == 1
    assert (posts["1"].parent_post_id, posts["2"].parent_post_id) == (None, posts["1"].id)
    assert posts["3"].parent_post_id == posts["2"].id
    assert await rows(bridge, "SELECT count(*) FROM thread") == [(1,)]


async def test_files_are_stored_once_and_those_over_the_limit_are_named(bridge: Bridge) -> None:
    bridge.link.settings.__dict__["email_limit_bytes"] = 50_000
    picture, film = os.urandom(20_000), os.urandom(60_000)
    mails = []
    for number in (1, 2):
        one = EmailMessage()
        one["From"], one["Subject"], one["Message-ID"] = "paul@exemple.fr", "Photos", f"<p{number}@exemple.fr>"
        one.set_content("Voici les photos")
        one.add_attachment(picture, maintype="image", subtype="jpeg", filename="fête.jpg")
        one.add_attachment(film, maintype="video", subtype="mp4", filename="film.mp4")
        mails.append(one.as_bytes())
    await take_in(bridge, mails)
    files = await rows(
        bridge, "SELECT filename, state, size_bytes, blob_hash FROM attachment ORDER BY post_id, position"
    )
    assert [(f.filename, f.state, f.size_bytes) for f in files[:2]] == [
        ("fête.jpg", "here", 20_000), ("film.mp4", "failed", 60_000),
    ]  # fmt: skip
    assert files[0].blob_hash == files[2].blob_hash
    assert await rows(bridge, "SELECT count(*) FROM blob WHERE size_bytes = 20000") == [(1,)]


async def test_an_interrupted_run_goes_on_where_it_was(bridge: Bridge) -> None:
    mails = [*ArchiveMaker(seed=6, count=900).mails()]
    run = await begin(bridge)

    class Stopped(Exception):
        pass

    def stop(outcome: Outcome) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        await import_mails(bridge.ctx, bridge.link, run, Mails(mails), on_progress=stop, processes=1)
    (before,) = await rows(bridge, "SELECT count(*) AS n FROM post")
    assert 0 < before.n < 900
    async with bridge.ctx.store.read() as conn:
        position = (await get_import_run(conn, run)).position
    source = Mails(mails)
    await import_mails(bridge.ctx, bridge.link, run, source, on_progress=lambda _: None, processes=1)
    assert source.read_from == position
    async with bridge.ctx.store.read() as conn:
        whole = await get_import_run(conn, run)
    assert whole.read == 900
    assert await rows(bridge, "SELECT count(*) FROM post") == [(whole.imported,)]
    assert whole.imported + whole.refused + whole.known == 900


async def test_a_mail_over_which_we_fail_is_refused_and_its_neighbours_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(raw: bytes, facts: ListFacts) -> ArchiveReading:
        if b"Secret" in raw:
            raise OverflowError(raw)
        return read_for_archive(raw, facts)

    monkeypatch.setattr(import_work, "read_for_archive", fail)
    work = Work(
        association=AssociationName("epeule"), link=LinkName("bureau"), link_path="epeule/bureau", side="list",
        facts=ListFacts(addresses=frozenset(), prefix=None, mark_field="x"), bridge=frozenset(), hash_key=b"k",
        file_limit_bytes=1, now=START,
    )  # fmt: skip
    bodies = enumerate(("a", "Secret", "b"))
    mails = [SourceMail(raw=made(number, body=body), place="x", position=number) for number, body in bodies]
    made_of = import_work.make_posts(work, mails)
    assert [type(one).__name__ for one in made_of] == ["BulkPost", "Refused", "BulkPost"]
    assert "OverflowError in fail" in caplog.text
    assert "Secret" not in caplog.text
