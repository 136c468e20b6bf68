"""`passerelle status`: the words, and the command on a real store."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Links
from passerelle.core.model import Incident, LinkState
from passerelle.flows.consent import stop_link
from passerelle.status import (
    _INCIDENTS,
    LinkOverview,
    Overview,
    advice,
    as_json,
    daemon_line,
    incident_lines,
    is_well,
    link_row,
    link_state,
)
from passerelle.store.engine import Store
from passerelle.store.inbox import insert_inbox, list_inbox, set_aside_inbox
from passerelle.store.incidents import insert_incident
from passerelle.store.links import note_last_email, note_last_line, set_asked, set_confirmed
from passerelle.store.outbox import claim_outbox, insert_outbox, mark_failed, mark_waiting
from passerelle.wiring import build_context
from tests.unit.cli.conftest import AT, LINK, RAW, A, Desk, arrival, departure

PATH = "epeule/bureau"


def moment(at: datetime) -> str:
    return f"{at:%d/%m %H:%M}"


def state(**fields: Any) -> LinkState:
    return LinkState(association=A, link=LINK, **fields)


@pytest.fixture
def confirmed(bare_desk: Desk) -> LinkOverview:
    link = next(iter(Links(bare_desk.settings)))
    return LinkOverview(link=link, state=state(asked_at=AT, confirmed_at=AT), departures={})


def overview(*links: LinkOverview, **fields: Any) -> Overview:
    return Overview(at=AT, daemon=fields.pop("daemon", "runs"), links=links, **fields)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "not started"),
        ({"asked_at": AT}, "not confirmed"),
        ({"asked_at": AT, "confirmed_at": AT}, "runs"),
        ({"confirmed_at": AT, "stopped_at": AT, "stopped_reason": "by_hand"}, "stopped 12/11 17:30: by hand"),
        ({"stopped_at": AT, "stopped_reason": "by_hand: vacances: août"}, "stopped 12/11 17:30: vacances: août"),
        ({"stopped_at": AT, "stopped_reason": "public_room"}, "stopped 12/11 17:30: anyone can join its room"),
    ],
)
def test_the_state_of_a_link(fields: dict[str, Any], said: str) -> None:
    assert link_state(state(**fields), moment) == said


def test_a_link_that_runs_has_a_row_and_no_advice(confirmed: LinkOverview) -> None:
    seen = replace(confirmed, state=replace(confirmed.state, last_email_at=AT))
    assert link_row(seen, moment) == [PATH, "runs", "12/11 17:30", "–", "–", "–"]
    assert advice(overview(seen), moment) == []
    assert is_well(overview(seen))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": state()}, "were not told yet"),
        ({"state": state(asked_at=AT)}, f"passerelle confirm {PATH}"),
        ({"state": state(stopped_at=AT, stopped_reason="public_room")}, "strangers can read"),
        ({"state": state(stopped_at=AT, stopped_reason="by_hand")}, "what arrives is kept"),
        ({"departures": {"failed": 2}}, "2. See why: passerelle outbox list --state failed"),
        ({"departures": {"unknown": 1}}, "outbox list --state unknown"),
        ({"arrivals_set_aside": 3}, "3. See why: passerelle inbox list --state set_aside"),
        ({"stuck_since": AT, "stuck_why": "554 <a.b@c.example>"}, "since 12/11 17:30; what was said last: 554 <a…@c"),
    ],
)
def test_what_is_not_well_says_what_to_do(confirmed: LinkOverview, change: dict[str, Any], said: str) -> None:
    one = overview(replace(confirmed, **change))
    (sentence,) = advice(one, moment)
    assert said in sentence
    assert sentence.startswith(f"{PATH}: ")
    assert not is_well(one)
    assert as_json(one)["ok"] is False


def test_what_a_stopped_link_holds_is_no_further_trouble(confirmed: LinkOverview) -> None:
    stopped = replace(confirmed, state=state(stopped_at=AT, stopped_reason="by_hand"), arrivals_set_aside=5)
    assert len(advice(overview(stopped), moment)) == 1


def test_a_daemon_that_does_not_run_comes_first(confirmed: LinkOverview) -> None:
    one = overview(replace(confirmed, departures={"failed": 1}), daemon="stopped")
    assert "systemctl start" in advice(one, moment)[0]
    assert "does not run" in daemon_line(one)
    assert daemon_line(overview(pid="12")) == "The daemon runs (process 12)."
    assert is_well(overview(confirmed, daemon="unknown"))


def incident(kind: str, **fields: Any) -> Incident:
    values: dict[str, Any] = {"detail": "", "told_at": None, "resolved_at": None}
    return Incident(id=1, association=A, link=LINK, kind=kind, key="k", at=AT, **(values | fields))


def test_incidents_are_sentences_and_tell_no_address() -> None:
    lines = incident_lines([incident("bounce", detail="5.1.1 a.b@c.example"), incident("something_new")], moment)
    assert lines[0].startswith("12/11 17:30, epeule/bureau: A mail of the bridge came back")
    assert lines[0].endswith("(5.1.1 a…@c.example)")
    assert lines[1].endswith(": something_new")


def test_every_kind_of_incident_has_a_sentence() -> None:
    import re
    from pathlib import Path

    package = Path(__file__).parents[3] / "passerelle"
    found: set[str] = set()
    for path in (*package.glob("flows/*.py"), package / "dispatch.py"):
        for call in path.read_text(encoding="utf-8").split("insert_incident(")[1:]:
            found |= set(re.findall(r'\bkind="([a-z_]+)"', call[:300]))
    assert len(found) > 6
    assert found - set(_INCIDENTS) == set()


def test_json_is_the_same_in_every_language(confirmed: LinkOverview, monkeypatch: pytest.MonkeyPatch) -> None:
    one = overview(
        replace(confirmed, state=state(stopped_at=AT, stopped_reason="by_hand: Monique est malade")),
        incidents=(incident("fuse"),),
    )
    english = as_json(one)
    monkeypatch.setenv("LANGUAGE", "fr")
    assert as_json(one) == english
    assert english["links"][0]["stopped_reason"] == "by_hand"
    assert english["links"][0]["stopped_at"] == "2026-11-12T17:30:00+00:00"
    assert english["incidents"][0]["kind"] == "fuse"
    assert "Monique" not in json.dumps(english)


# ---------------------------------------------------------------- the command


def test_a_desk_where_something_is_to_be_done(desk: Desk) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=3)

    async def fill(conn: AsyncConnection) -> None:
        await set_asked(conn, A, LINK, AT)
        await set_confirmed(conn, A, LINK, AT, "Monique")
        await note_last_email(conn, A, LINK, AT)
        await note_last_line(conn, A, LINK, AT + timedelta(minutes=5))
        await insert_inbox(conn, [arrival("1:1"), arrival("1:2"), arrival("1:3", lane="in:bridge")], AT)
        for row in (await list_inbox(conn, limit=9))[1:]:
            await set_aside_inbox(conn, row.id, AT, "no From field")
        failed = await insert_outbox(conn, departure("mail:1"), raw=RAW)
        await mark_failed(conn, failed, AT, "550 no")  # type: ignore[arg-type]
        await insert_outbox(conn, departure("mail:2", created_at=long_ago, due_at=long_ago), raw=RAW)
        await insert_incident(conn, A, LINK, kind="moderation", key="m:1", at=AT)

    async def try_in_vain(store: Store) -> None:
        (row,) = await claim_outbox(store, owner="x", now=long_ago, lease_seconds=1, limit=1)
        async with store.write() as conn:
            await mark_waiting(conn, row.id, datetime.now(UTC) + timedelta(hours=1), "451 not now")

    desk.write(fill)
    desk.do(try_in_vain)
    result = desk.run("status")
    assert result.exit_code == 1, result.output
    for said in (
        "The daemon does not run",
        "12 November at 18:30",
        "12 November at 18:35",
        "set aside, but kept: 1.",
        "could not leave, but is kept: 1.",
        "what was said last: 451 not now",
        "Mails to the bridge itself that could not be read: 1.",
        "The list holds a mail of the bridge for its moderator.",
    ):
        assert said in result.output
    (row,) = [line for line in result.output.splitlines() if line.startswith(PATH)]
    assert row.split()[-2:] == ["2", "2"]
    told = json.loads(desk.run("status", "--json").output)
    assert told["ok"] is False
    assert told["links"][0]["outbox"] == {"waiting": 1, "sending": 0, "failed": 1, "unknown": 0}
    assert told["bridge"] == {"inbox_waiting": 0, "inbox_set_aside": 1}


def test_what_was_seen_is_not_shown_again(desk: Desk) -> None:
    desk.write(lambda conn: insert_incident(conn, A, LINK, kind="moderation", key="m:1", at=AT))
    assert "for its moderator" in desk.run("status").output
    assert "for its moderator" in desk.run("status", "--seen").output
    desk.write(lambda conn: insert_incident(conn, A, LINK, kind="bounce", key="b:1", at=AT))
    said = desk.run("status").output
    assert "for its moderator" not in said
    assert "came back" in said


def test_french(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "fr")
    desk.write(lambda conn: set_asked(conn, A, LINK, AT))
    said = desk.run("status").output
    assert "La passerelle ne tourne pas" in said
    assert "les deux côtés sont prévenus depuis le 12 novembre à 18\u00a0h\u00a030" in said


def test_a_daemon_that_runs_is_seen_and_not_disturbed(desk: Desk) -> None:
    program = f"""
import fcntl, os, sys
from passerelle.store.sqlite import FileLock
from pathlib import Path
lock = FileLock(Path({str(desk.folder / "passerelle.db")!r}))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        assert f"The daemon runs (process {holder.pid})." in desk.run("status").output
        # Another look: the first has taken nothing away.
        assert json.loads(desk.run("status", "--json").output)["daemon"] == "runs"
        assert desk.run("restore", str(desk.file), "--force").exit_code == 1
    finally:
        holder.communicate("")
    assert json.loads(desk.run("status", "--json").output)["daemon"] == "stopped"
    assert os.path.exists(desk.folder / "passerelle.db.lock")


# ---------------------------------------------------------------- stop


def test_stop_and_confirm(desk: Desk) -> None:
    async def ready(conn: AsyncConnection) -> None:
        await set_asked(conn, A, LINK, AT)
        await set_confirmed(conn, A, LINK, AT, "Monique")
        await insert_inbox(conn, [arrival("1:1"), arrival("1:2")], AT)
        first, second = await list_inbox(conn, limit=9)
        await set_aside_inbox(conn, first.id, AT, "link_stopped")
        await set_aside_inbox(conn, second.id, AT, "no From field")

    desk.write(ready)
    said = desk.run("stop", PATH, "--reason", "assemblée\ngénérale")
    assert said.exit_code == 0
    assert f"passerelle confirm {PATH}" in said.output
    assert "assemblée générale" in desk.run("status").output
    assert "was stopped before" in desk.run("stop", "--all").output
    assert "goes on" in desk.run("confirm", PATH).output
    # What the stop held back goes on; what could not be read still cannot.
    assert [row.state for row in desk.write(lambda conn: list_inbox(conn, limit=9))] == ["waiting", "set_aside"]


def test_stop_wants_a_link_that_is_there(desk: Desk) -> None:
    assert desk.run("stop", "epeule/jardin").exit_code == 1
    assert desk.run("stop").exit_code == 2
    assert desk.run("stop", PATH, "--all").exit_code == 2


async def test_the_reason_of_a_stop_stays(bare_desk: Desk) -> None:
    store = await Store.open(bare_desk.url, exclusive=True)
    ctx = build_context(bare_desk.settings, store, upload_limit_bytes=lambda: 0)
    link = ctx.links.get(PATH)
    assert await stop_link(ctx, link, by="Karim", reason="en travaux")
    assert not await stop_link(ctx, link, by="Karim", reason="autre chose")
    async with store.read() as conn:
        from passerelle.store.links import find_link_state

        assert (await find_link_state(conn, A, LINK)).stopped_reason == "by_hand: en travaux"
    await store.close()
