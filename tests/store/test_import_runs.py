"""Runs of an import, on both databases."""

from datetime import UTC, datetime

from passerelle.core.ids import AssociationName, LinkName
from passerelle.store.engine import Store
from passerelle.store.imports import (
    ImportRefusal,
    NewImportRun,
    Progress,
    RefusalGroup,
    advance_import_run,
    end_import_run,
    find_interrupted_run,
    get_import_run,
    group_import_refusals,
    insert_import_refusals,
    insert_import_run,
    page_import_refusals,
)

NOW = datetime(2026, 11, 12, 10, tzinfo=UTC)
NEW = NewImportRun(
    association=AssociationName("epeule"),
    link=LinkName("bureau"),
    side="list",
    source="/srv/bureau.mbox",
    format="mbox",
    started_at=NOW,
)


async def test_a_run_goes_on_until_it_ended(store: Store) -> None:
    async with store.write() as conn:
        run_id = await insert_import_run(conn, NEW)
    async with store.write() as conn:
        await advance_import_run(
            conn, run_id, Progress(position=["bureau.mbox", [120, 2]], read=2, imported=1, known=1)
        )
        await advance_import_run(conn, run_id, Progress(position=None, read=1, refused=1))
    async with store.read() as conn:
        found = await find_interrupted_run(conn, NEW)
        assert found is not None
        assert found.id == run_id
        assert found.position == ["bureau.mbox", [120, 2]]
        assert (found.read, found.imported, found.known, found.refused) == (3, 1, 1, 1)
    async with store.write() as conn:
        await end_import_run(conn, run_id, NOW)
    async with store.read() as conn:
        assert await find_interrupted_run(conn, NEW) is None
        assert (await get_import_run(conn, run_id)).ended_at == NOW


async def test_another_side_or_source_is_another_run(store: Store) -> None:
    async with store.write() as conn:
        await insert_import_run(conn, NEW)
    async with store.read() as conn:
        for change in ({"source": "/srv/other.mbox"}, {"side": "room"}, {"link": "tous"}, {"format": "mboxrd"}):
            values = {name: getattr(NEW, name) for name in NEW.__dataclass_fields__} | change
            assert await find_interrupted_run(conn, NewImportRun(**values)) is None


async def test_refusals_by_reason_and_whole(store: Store) -> None:
    async with store.write() as conn:
        run_id = await insert_import_run(conn, NEW)
        await insert_import_refusals(conn, run_id, [ImportRefusal(place=f"message {n}", reason="A.") for n in range(5)])
        await insert_import_refusals(conn, run_id, [ImportRefusal(place="message 9", reason="B.")])
        await insert_import_refusals(conn, run_id, [])
    async with store.read() as conn:
        assert await group_import_refusals(conn, run_id, examples=2) == [
            RefusalGroup(reason="A.", count=5, examples=("message 0", "message 1")),
            RefusalGroup(reason="B.", count=1, examples=("message 9",)),
        ]
        first, after = await page_import_refusals(conn, run_id, limit=4)
        rest, last = await page_import_refusals(conn, run_id, after=after, limit=4)
        assert [one.place for one in first + rest] == [*(f"message {n}" for n in range(5)), "message 9"]
        assert (await page_import_refusals(conn, run_id, after=last))[0] == []
