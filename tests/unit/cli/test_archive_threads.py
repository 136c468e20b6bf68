"""`passerelle archive attach`, `split`, `undo`, `edits`: what they do to a real store, and what they say."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MessageId, PostId
from passerelle.core.model import NewPost
from passerelle.core.permalinks import short_name
from passerelle.flows.rethread import rethread_chunk
from passerelle.store.posts import insert_post
from passerelle.store.tables import post
from passerelle.store.threads import insert_thread
from tests.unit.cli.conftest import AT, LINK, A, Desk


async def _fill(conn: AsyncConnection) -> dict[str, PostId]:
    found = {}
    lobby = await insert_thread(conn, A, "", AT)
    for name, refs in (("a@x", ""), ("b@x", "a@x"), ("c@x", "b@x a@x"), ("z@x", "")):
        found[name] = await insert_post(
            conn,
            NewPost(
                association=A,
                link=LINK,
                side="list",
                content_hash=name,
                thread_id=lobby,
                said_at=AT,
                accepted_at=AT,
                message_id=MessageId(name),
                refs=refs,
                subject="loto",
                permalink=short_name(A, name),
            ),
        )
    await rethread_chunk(conn, A, dict.fromkeys(found.values(), "Loto"), AT, lobby=lobby)
    return found


async def _parents(conn: AsyncConnection) -> dict[str, int | None]:
    rows = await conn.execute(select(post.c.message_id, post.c.parent_post_id))
    return {row.message_id: row.parent_post_id for row in rows}


def test_attach_split_undo_and_the_list_of_it(desk: Desk) -> None:
    ids = desk.write(_fill)
    result = desk.run("archive", "attach", short_name(A, "z@x"), "<c@x>", "--by", "Monique")
    assert result.exit_code == 0, result.output
    assert "stands under the other now" in result.output
    assert desk.write(_parents)["z@x"] == ids["c@x"]
    assert desk.run("archive", "split", str(ids["b@x"]), "--by", "Monique").exit_code == 0
    assert desk.write(_parents)["b@x"] is None
    listed = desk.run("archive", "edits").output
    assert "Monique" in listed
    assert f"attached to {ids['c@x']}" in " ".join(listed.split())
    assert desk.run("archive", "undo", "2").exit_code == 0
    assert desk.run("archive", "undo", "1").exit_code == 0
    assert desk.write(_parents) == {"a@x": None, "b@x": ids["a@x"], "c@x": ids["b@x"], "z@x": None}
    assert "undone" in desk.run("archive", "edits").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("attach", "a@x", "c@x"), "cannot be the other way round"),
        (("attach", "a@x", "a@x"), "cannot answer itself"),
        (("attach", "nothing@x", "a@x"), "There is no such post."),
        (("split", "z@x"), "nothing changes"),
        (("undo", "7"), "not in force"),
    ],
)
def test_what_cannot_be_is_said(desk: Desk, words: tuple[str, ...], said: str) -> None:
    before = (desk.write(_fill), desk.write(_parents))[1]
    result = desk.run("archive", *words)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())
    assert desk.write(_parents) == before
    assert "Nobody has changed" in desk.run("archive", "edits").output
