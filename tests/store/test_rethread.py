"""Conversations come out alike in whatever order their posts come, one by one or in chunks, on both databases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId, ThreadId
from passerelle.flows.rethread import foresee, plan_chunk, regroup, rethread_chunk
from passerelle.store import threads
from passerelle.store.engine import Store
from passerelle.store.tables import mail_id, missing_parent, post, thread
from passerelle.store.thread_places import Placed
from tests.store.made import LINK, NOW, A, made_post


@dataclass(frozen=True)
class Mail:
    """An email; `answers`: nearest first."""

    name: str
    answers: str = ""
    subject: str = "loto"
    minute: int = 0
    content: str = ""

    @property
    def hash(self) -> str:
        return self.content or self.name


async def arrive(conn: AsyncConnection, mail: Mail) -> PostId:
    """One email comes in as `relay_email` takes it."""
    said = NOW + timedelta(minutes=mail.minute)
    foreseen = await foresee(conn, A, as_placed(mail, PostId(0)))
    thread_id = foreseen.thread_id or await threads.insert_thread(
        conn, A, mail.subject, NOW, split_from=foreseen.split_from
    )
    id = await made_post(
        conn,
        thread_id=thread_id,
        message_id=mail.name,
        refs=mail.answers,
        subject=mail.subject,
        said_at=said,
        content_hash=mail.hash,
        parent_post_id=foreseen.parent_post_id,
    )
    before = await _stands(conn, id)
    await rethread_chunk(conn, A, {id: mail.subject}, NOW)
    assert await _stands(conn, id) == before, "what was foreseen comes true"
    return id


async def _stands(conn: AsyncConnection, id: PostId) -> tuple[int, int | None]:
    row = (await conn.execute(select(post.c.thread_id, post.c.parent_post_id).where(post.c.id == id))).one()
    return row[0], row[1]


async def import_chunk(conn: AsyncConnection, mails: Sequence[Mail]) -> None:
    """Emails come in as an import takes them."""
    lobby = await threads.insert_thread(conn, A, "", NOW)
    arrived = {}
    for mail in mails:
        id = await made_post(
            conn,
            thread_id=lobby,
            message_id=mail.name,
            refs=mail.answers,
            subject=mail.subject,
            said_at=NOW + timedelta(minutes=mail.minute),
            content_hash=mail.hash,
        )
        arrived[id] = mail.subject
    await rethread_chunk(conn, A, arrived, NOW, lobby=lobby)


async def import_planned(conn: AsyncConnection, mails: Sequence[Mail]) -> None:
    """Emails come in as the quickest import takes them: placed before they are inserted."""
    last = (await conn.execute(select(func.coalesce(func.max(post.c.id), 0)))).scalar_one()
    placed = [as_placed(mail, PostId(last + number)) for number, mail in enumerate(mails, 1_000)]
    plan = await plan_chunk(conn, A, placed, {one.id: one.subject for one in placed}, NOW)
    for one, mail in zip(placed, mails, strict=True):
        await made_post(
            conn,
            thread_id=plan.place_of(one)[0],
            message_id=mail.name,
            refs=mail.answers,
            subject=mail.subject,
            said_at=NOW + timedelta(minutes=mail.minute),
            content_hash=mail.hash,
        )
    # Their ids as they were planned, now that their parents are here.
    ids = (await conn.execute(select(post.c.id).where(post.c.id > last).order_by(post.c.id))).scalars().all()
    for id, one in zip(ids, placed, strict=True):
        await conn.execute(update(post).where(post.c.id == id).values(id=one.id))
    for one in placed:
        await conn.execute(update(post).where(post.c.id == one.id).values(parent_post_id=plan.place_of(one)[1]))
    await plan.finish(are_placed=True)


def as_placed(mail: Mail, id: PostId) -> Placed:
    return Placed(
        id=id,
        link=LINK,
        side="list",
        message_id=mail.name,
        refs=mail.answers,
        subject=mail.subject,
        beginning="",
        said_at=int((NOW + timedelta(minutes=mail.minute)).timestamp() * 1_000_000),
        content_hash=mail.hash,
        thread_id=ThreadId(0),
        parent_post_id=None,
    )


async def shape(conn: AsyncConnection) -> dict[str, object]:
    """All conversations by what does not depend on when things came: content hashes for posts."""
    posts = {
        row.id: row
        for row in await conn.execute(select(post.c.id, post.c.content_hash, post.c.thread_id, post.c.parent_post_id))
    }
    facts = {row.id: row for row in await conn.execute(select(thread))}
    assert {row.thread_id for row in posts.values()} == facts.keys(), "no thread stands empty"
    members: dict[int, list[str]] = {}
    for row in posts.values():
        members.setdefault(row.thread_id, []).append(row.content_hash)
    called = {id: ",".join(sorted(some)) for id, some in members.items()}
    ids = (await conn.execute(select(mail_id.c.message_id, mail_id.c.thread_id, mail_id.c.post_id))).all()
    assert all(row.thread_id == posts[row.post_id].thread_id for row in ids)
    missing = (await conn.execute(select(missing_parent.c.name, missing_parent.c.post_id))).all()
    return {
        "threads": sorted(
            (called[id], row.subject, called.get(row.split_from_thread_id, "")) for id, row in facts.items()
        ),
        "parents": sorted(
            (row.content_hash, posts[row.parent_post_id].content_hash if row.parent_post_id else "")
            for row in posts.values()
        ),
        "names": sorted((row.message_id, posts[row.post_id].content_hash) for row in ids),
        "missing": sorted((row.name, posts[row.post_id].content_hash) for row in missing),
    }


CASES: dict[str, list[Mail]] = {
    "a talk": [Mail("a"), Mail("b", "a", minute=1), Mail("c", "b a", minute=2), Mail("d", "a", minute=3)],
    "a missing parent": [Mail("c", "b a", minute=2), Mail("a"), Mail("d", "b", minute=3), Mail("e", "d", minute=4)],
    "a missing root": [Mail("b", "x", minute=1), Mail("c", "x", minute=2), Mail("d", "c x", minute=3)],
    "no References": [Mail("a"), Mail("b", "a", minute=1), Mail("c", "b", minute=2), Mail("d", "c", minute=3)],
    "a new subject": [
        Mail("a", subject="loto du quartier"),
        Mail("b", "a", "pique-nique", 1),
        Mail("c", "b a", "pique-nique", 2),
        Mail("d", "a", "loto du quartier", 3),
    ],
    "the missing one changed the subject": [
        Mail("a", subject="loto du quartier"),
        Mail("b", "a", "pique-nique", 1),
        Mail("c", "b a", "pique-nique", 2),
        Mail("d", "b a", "pique-nique", 3),
        Mail("e", "d", "pique-nique", 4),
    ],
    "a loop": [Mail("a", "c"), Mail("b", "a", minute=1), Mail("c", "b", minute=2), Mail("d", "c", minute=3)],
    "an answer to itself": [Mail("a", "a"), Mail("b", "a", minute=1)],
    "one name, two contents": [
        Mail("a"),
        Mail("b", "a", minute=1),
        Mail("b", "a", minute=2, content="b2"),
        Mail("c", "b", minute=3),
    ],
    "one name in two places": [
        Mail("a"),
        Mail("z", subject="budget", minute=1),
        Mail("b", "a", minute=3),
        Mail("b", "z", "budget", minute=2, content="b2"),
        Mail("c", "b", "budget", minute=4),
    ],
    "chains that disagree": [
        Mail("a"),
        Mail("z", minute=1),
        Mail("b", "x a", minute=2),
        Mail("c", "x z", minute=3),
        Mail("d", "x", minute=4),
    ],
    "empty subjects": [Mail("a"), Mail("b", "a", "", 1), Mail("c", "b", "pique-nique", 2)],
}


@pytest.mark.parametrize("case", CASES)
async def test_any_order_gives_the_same(store: Store, case: str) -> None:
    mails = CASES[case]
    expected: dict[str, object] | None = None
    rng = random.Random(case)
    for turn in range(8):
        order = list(mails) if turn == 0 else rng.sample(mails, len(mails))
        async with store.write() as conn:
            if turn % 4 == 3:
                cut = rng.randrange(len(order))
                await import_chunk(conn, order[:cut])
                await import_planned(conn, order[cut:])
            else:
                for mail in order:
                    await arrive(conn, mail)
            found = await shape(conn)
            expected = expected or found
            assert found == expected, [mail.hash for mail in order]
            every = (await conn.execute(select(thread.c.id))).scalars().all()
            await regroup(conn, A, every, NOW)
            assert await shape(conn) == expected, "done anew, it is the same"
            await _empty(conn)


async def _empty(conn: AsyncConnection) -> None:
    await conn.execute(missing_parent.delete())
    await conn.execute(mail_id.delete())
    await conn.execute(update(post).values(parent_post_id=None))
    await conn.execute(post.delete())
    await conn.execute(update(thread).values(split_from_thread_id=None))
    await conn.execute(thread.delete())


def made_up(rng: random.Random) -> list[Mail]:
    """Mails that answer each other in every way, and some that nobody sees."""
    subjects = ["loto", "loto", "loto", "pique-nique", ""]
    mails: list[Mail] = []
    for number in range(rng.randrange(3, 14)):
        chain = [f"m{rng.randrange(14)}" for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        mails.append(
            Mail(
                f"m{rng.randrange(14)}",
                " ".join(dict.fromkeys(chain)),
                rng.choice(subjects),
                rng.randrange(5),
                f"c{number}",
            )
        )
    return mails


@pytest.mark.parametrize("seed", range(12))
async def test_made_up_mails_in_any_order(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(6):
        mails = made_up(rng)
        expected = None
        for turn in range(4):
            async with store.write() as conn:
                rng.shuffle(mails)
                if turn:
                    for mail in mails:
                        await arrive(conn, mail)
                else:
                    await import_planned(conn, mails[:4])
                    await import_chunk(conn, mails[4:])
                found = await shape(conn)
                expected = expected or found
                assert found == expected, mails
                await _empty(conn)
