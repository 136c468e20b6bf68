"""`passerelle backup` and `passerelle restore`."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.backup import RESTORED_AT
from passerelle.store.inbox import count_inbox_waiting, insert_inbox
from passerelle.store.meta import find_meta
from tests.unit.cli.conftest import AT, Desk, arrival


def waiting(desk: Desk) -> int:
    return desk.write(count_inbox_waiting)


def test_there_and_back(desk: Desk) -> None:
    async def one(conn: AsyncConnection) -> None:
        await insert_inbox(conn, [arrival("1:1")], AT)

    async def another(conn: AsyncConnection) -> None:
        await insert_inbox(conn, [arrival("1:2")], AT)

    desk.write(one)
    copy = desk.folder / "copy.db"
    result = desk.run("backup", str(copy))
    assert result.exit_code == 0, result.output
    assert str(copy) in result.output
    assert copy.stat().st_mode & 0o077 == 0
    desk.write(another)
    assert waiting(desk) == 2
    refused = desk.run("restore", str(copy))
    assert refused.exit_code == 1
    assert "--force" in refused.output
    assert waiting(desk) == 2
    assert desk.run("restore", str(copy), "--force").exit_code == 0
    assert waiting(desk) == 1
    assert desk.write(lambda conn: find_meta(conn, RESTORED_AT))
    assert "is a backup that was put back" in desk.run("status").output


def test_nothing_is_overwritten_by_a_backup(desk: Desk) -> None:
    there = desk.folder / "there.db"
    there.write_text("mine")
    assert desk.run("backup", str(there)).exit_code == 1
    assert there.read_text() == "mine"


def test_what_is_no_backup_is_refused(desk: Desk) -> None:
    result = desk.run("restore", str(desk.file), "--force")
    assert result.exit_code == 1
    assert waiting(desk) == 0


def test_mark_notes_a_restore_by_other_tools(desk: Desk) -> None:
    assert desk.run("restore", "--mark").exit_code == 0
    assert desk.write(lambda conn: find_meta(conn, RESTORED_AT))


@pytest.mark.parametrize("words", [("restore",), ("restore", "x.db", "--mark")])
def test_either_a_file_or_the_mark(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.run(*words).exit_code == 2


def test_postgresql_has_its_own_tools(bare_desk: Desk) -> None:
    text = bare_desk.file.read_text(encoding="utf-8")
    bare_desk.file.write_text(f'[store]\nurl = "postgresql://nobody@127.0.0.1:1/base"\n{text}', encoding="utf-8")
    saved = bare_desk.run("backup", "x.db")
    assert saved.exit_code == 1
    assert "pg_dump" in saved.output
    back = bare_desk.run("restore", "x.db")
    assert back.exit_code == 1
    assert "pg_restore, then `passerelle restore --mark`" in back.output
