"""`passerelle inbox` and `passerelle outbox` on a real store."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.model import InboxRow, OutboxRow
from passerelle.flows.obey import OBEYED
from passerelle.queue_words import _REASONS
from passerelle.store.inbox import finish_inbox, insert_inbox, list_inbox, set_aside_inbox
from passerelle.store.incidents import insert_incident, list_open
from passerelle.store.outbox import insert_outbox, list_outbox, mark_failed, mark_sent, mark_unknown
from passerelle.store.threads import get_thread, insert_thread, stop_thread
from tests.unit.cli.conftest import AT, LINK, RAW, SECRET_WORDS, A, Desk, arrival, departure


async def _arrivals(conn: AsyncConnection) -> list[InboxRow]:
    return await list_inbox(conn, limit=100)


async def _departures(conn: AsyncConnection) -> list[OutboxRow]:
    return await list_outbox(conn, limit=100)


def fill_inbox(desk: Desk, reason: str = "thread_stopped") -> None:
    """One that waits, one that was set aside, one that is done."""

    async def fill(conn: AsyncConnection) -> None:
        await insert_inbox(conn, [arrival("1:1"), arrival("1:2"), arrival("1:3")], AT)
        await set_aside_inbox(conn, (await _arrivals(conn))[1].id, AT, reason)
        await finish_inbox(conn, (await _arrivals(conn))[2].id, AT, reason="own", forget_raw=True)

    desk.write(fill)


def fill_outbox(desk: Desk) -> None:
    """One that waits, one that failed, one of unknown fate, one that was sent, a private message that failed."""

    async def fill(conn: AsyncConnection) -> None:
        ids = [await insert_outbox(conn, departure(f"mail:{n}"), raw=RAW) for n in range(4)]
        await mark_failed(conn, ids[1], AT, "550 5.1.1 <jeanne.dupont@example.org> User unknown")  # type: ignore[arg-type]
        await mark_unknown(conn, ids[2], AT, "the connection broke")  # type: ignore[arg-type]
        await mark_sent(conn, ids[3], AT)  # type: ignore[arg-type]
        direct: dict[str, Any] = {"kind": "direct", "lane": "out:person:x", "recipient": "@lea:example.org"}
        last = await insert_outbox(conn, departure("direct", content={"body": SECRET_WORDS}, **direct))
        await mark_failed(conn, last, AT, "no such user")  # type: ignore[arg-type]
        for n in (2, 5):
            await insert_incident(conn, A, LINK, kind="email_failed", key=f"outbox:{n}:failed", at=AT)

    desk.write(fill)


def test_inbox_lists_what_needs_care(desk: Desk) -> None:
    fill_inbox(desk)
    result = desk.run("inbox", "list")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert len(lines) == 3
    assert "12 November at 18:30" in lines[1]
    assert "waits" in lines[1]
    assert "Its conversation was stopped because it ran too fast." in lines[2]
    assert "proof that it arrived" in desk.run("inbox", "list", "--state", "done").output
    assert len(desk.run("inbox", "list", "--state", "all", "--limit", "2").output.splitlines()) == 3


def test_no_list_and_no_story_tells_what_was_written_or_a_whole_address(desk: Desk) -> None:
    fill_inbox(desk, reason="no From field in a mail of jeanne.dupont@example.org")
    fill_outbox(desk)
    said = [desk.run(box, "list", "--state", "all").output for box in ("inbox", "outbox")]
    said += [desk.run("inbox", "show", str(n)).output for n in (1, 2, 3)]
    said += [desk.run("outbox", "show", str(n)).output for n in (1, 2, 3, 4, 5)]
    for one in said:
        assert one
        assert SECRET_WORDS not in one
        assert "dupont" not in one
        assert "bureau@" not in one
    assert "j…@example.org" in said[0]
    assert "b…@listes.example.org" in said[1]


def test_a_story_says_what_happened_what_will_and_what_to_do(desk: Desk) -> None:
    fill_inbox(desk)
    fill_outbox(desk)
    failed = desk.run("outbox", "show", "2").output
    assert failed.startswith("Mail to the list, for epeule/bureau, b…@listes.example.org, made 12 November at 18:30.")
    assert "550 5.1.1 <j…@example.org> User unknown" in failed
    assert "passerelle outbox retry 2" in failed
    assert "--even-if-unknown" in desk.run("outbox", "show", "3").output
    assert "It was sent 12 November at 18:30." in desk.run("outbox", "show", "4").output
    waits = desk.run("outbox", "show", "1").output
    assert "It was not tried yet." in waits
    assert "given up 14 November at 18:30" in waits
    assert "passerelle inbox retry 2" in desk.run("inbox", "show", "2").output
    assert "Of its content nothing is kept." in desk.run("inbox", "show", "3").output


def test_a_stopped_links_mail_names_the_command_that_lets_it_go_on(desk: Desk) -> None:
    fill_inbox(desk, reason="link_stopped")
    assert "passerelle confirm epeule/bureau" in desk.run("inbox", "show", "2").output


def test_french(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_outbox(desk)
    monkeypatch.setenv("LANGUAGE", "fr")
    said = desk.run("outbox", "show", "2").output
    assert "préparé le 12 novembre à 18\u00a0h\u00a030" in said
    assert "Pour l’essayer" not in said
    assert "passerelle outbox retry 2" in said


def test_an_id_that_is_not_there_is_said(desk: Desk) -> None:
    for words in (("inbox", "show", "7"), ("outbox", "show", "7"), ("inbox", "retry", "7"), ("outbox", "retry", "7")):
        result = desk.run(*words)
        assert result.exit_code == 1
        assert "7" in result.output


def test_without_a_store_it_is_said(bare_desk: Desk) -> None:
    result = bare_desk.run("inbox", "list")
    assert result.exit_code == 1
    assert "passerelle run" in result.output


def test_nothing_there(desk: Desk) -> None:
    assert "There is nothing here." in desk.run("outbox", "list").output
    assert "nothing to try again" in desk.run("outbox", "retry", "--all-failed").output


# ---------------------------------------------------------------- retry


def test_retry_of_a_failed_one_makes_it_due_and_ends_its_incident(desk: Desk) -> None:
    fill_outbox(desk)
    result = desk.run("outbox", "retry", "2")
    assert result.exit_code == 0, result.output
    row = desk.write(_departures)[1]
    assert row.state == "waiting"
    # It is given a day from now, not the time that had run out.
    assert row.give_up_at - row.due_at == timedelta(hours=24)
    assert [i.key for i in desk.write(list_open)] == ["outbox:5:failed"]


def test_retry_all_failed_leaves_what_may_have_arrived(desk: Desk) -> None:
    fill_outbox(desk)
    result = desk.run("outbox", "retry", "--all-failed")
    assert result.exit_code == 0
    assert "from now on: 2" in result.output
    assert [row.state for row in desk.write(_departures)] == ["waiting", "waiting", "unknown", "sent", "waiting"]


def test_what_may_have_arrived_is_sent_again_only_on_purpose(desk: Desk) -> None:
    fill_outbox(desk)
    result = desk.run("outbox", "retry", "3")
    assert result.exit_code == 1
    assert "--even-if-unknown" in result.output
    assert desk.write(_departures)[2].state == "unknown"
    assert desk.run("outbox", "retry", "3", "--even-if-unknown").exit_code == 0
    assert desk.write(_departures)[2].state == "waiting"


def test_what_was_sent_is_not_sent_again(desk: Desk) -> None:
    fill_outbox(desk)
    assert desk.run("outbox", "retry", "4", "--even-if-unknown").exit_code == 1
    assert desk.write(_departures)[3].state == "sent"


def test_either_an_id_or_all(desk: Desk) -> None:
    for words in (("outbox", "retry"), ("outbox", "retry", "1", "--all-failed"), ("inbox", "retry")):
        assert desk.run(*words).exit_code == 2


def test_retry_of_an_arrival(desk: Desk) -> None:
    fill_inbox(desk, reason="it broke its flow too often; see the log")
    assert desk.run("inbox", "retry", "--all-failed").exit_code == 0
    assert [row.state for row in desk.write(_arrivals)] == ["waiting", "waiting", "done"]
    done = desk.run("inbox", "retry", "3")
    assert done.exit_code == 1
    assert "it is over" in done.output


def test_retry_of_a_mail_of_a_stopped_conversation_lets_it_go_on(desk: Desk) -> None:
    fill_inbox(desk, reason="thread_stopped")

    async def stop(conn: AsyncConnection) -> Any:
        thread = await insert_thread(conn, A, "Loto", AT)
        await stop_thread(conn, thread, AT, "fuse")
        await insert_incident(conn, A, LINK, kind="fuse", key=f"fuse:{thread}", at=AT)
        return thread

    thread = desk.write(stop)
    assert desk.run("inbox", "retry", "2").exit_code == 0
    assert desk.write(lambda conn: get_thread(conn, thread)).stopped_at is None


def test_what_is_not_kept_cannot_be_tried_again(desk: Desk) -> None:
    fill_inbox(desk)
    desk.write(lambda conn: conn.execute(text("UPDATE inbox SET raw_hash = NULL WHERE id = 2")))
    result = desk.run("inbox", "retry", "2")
    assert result.exit_code == 1
    assert "nothing of it was kept" in result.output


def test_every_reason_that_flows_give_has_a_sentence() -> None:
    """Reasons are short codes in the flows: each that stands there as a whole string is known to the words.

    Those of an `Outcome` name what is told to an author; no row of the inbox ends with them.
    """
    import ast
    import re
    from pathlib import Path

    package = Path(__file__).parents[3] / "passerelle"
    found = {OBEYED}
    for path in (*(package / "flows").glob("*.py"), package / "core" / "rules.py"):
        source = path.read_text(encoding="utf-8")
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        for call in calls:
            if getattr(call.func, "id", "") not in ("Outcome", "NotConfirmed"):
                values = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
                found |= {str(value.value) for value in values if isinstance(value, ast.Constant)}
        if path.name in ("relay_event.py", "receive_private.py", "room_line.py", "room_changes.py"):
            found |= set(re.findall(r'return "([a-z_]+)"', source))
        if path.name == "secretary_private.py":
            found |= set(re.findall(r'reason = (?:[^"\n]+ else )?"([a-z_]+)"', source))
    assert {"direct", "direct_not_understood", "erased"} <= found
    assert len(found) > 20
    assert found - set(_REASONS) == set()
