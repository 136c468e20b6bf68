"""`passerelle meetings` and `passerelle reminders`, as an administrator types them; the secretary in `status`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress
from passerelle.core.meeting_model import Attendance, MeetingStep, NewMinutes, Rsvp
from passerelle.store.asks import insert_ask
from passerelle.store.meeting_minutes import insert_minutes
from passerelle.store.meeting_people import put_attendance, put_rsvp
from passerelle.store.meeting_steps import mark_step_done, put_steps
from passerelle.store.meetings import insert_meeting, move_meeting_state
from passerelle.store.people import find_or_insert_person
from passerelle.store.reminders import insert_reminder
from tests.store.made_secretary import made_entry, new_ask, new_meeting, new_reminder
from tests.unit.cli.conftest import AT, LINK, A, Desk

OURS = {"association": A, "link": LINK}
#: Long after any clock by which these tests run, and long before.
FAR, LONG_AGO = datetime(2199, 3, 12, 18, 30), datetime(2020, 3, 12, 18, 30)  # noqa: DTZ001


async def fill(conn: AsyncConnection) -> None:
    """Two meetings to come, the first of them with all that belongs to it; one that was; two reminders."""
    first = await insert_meeting(conn, new_meeting("Budget", starts_local=FAR, place="au local", **OURS))
    await insert_meeting(conn, new_meeting("Fête", starts_local=FAR + timedelta(days=7), **OURS))
    was = await insert_meeting(conn, new_meeting("Clés", starts_local=LONG_AGO, **OURS))
    await move_meeting_state(conn, was.id, before="planned", after="approved", now=AT)
    steps = {"call": (AT, ""), "convocation": (AT + timedelta(days=3), ""), "reminder": (AT, "too_late")}
    await put_steps(conn, [
        MeetingStep(meeting_id=first.id, step=step, due_at=due, skipped=why)  # type: ignore[arg-type]
        for step, (due, why) in steps.items()
    ])  # fmt: skip
    await mark_step_done(conn, first.id, "call", AT)
    for name, answer in (("Léa", "yes"), ("Karim", "yes"), ("Annie", "no")):
        address = MailAddress(f"{name.lower()}@example.org")
        person = await find_or_insert_person(conn, A, name=name, address=address, now=AT)
        await put_rsvp(
            conn,
            Rsvp(meeting_id=first.id, person_id=person, name=name, answer=answer, medium="mail", at=AT),  # type: ignore[arg-type]
        )
    await put_attendance(conn, Attendance(meeting_id=was.id, name="Mme Haddad", presence="present", at=AT))
    await insert_minutes(
        conn,
        NewMinutes(meeting_id=was.id, version=1, state="approved", document={}, permalink="mnopqrst2345", made_at=AT),
    )
    at = datetime(2199, 1, 1, 8, tzinfo=UTC)
    await insert_reminder(conn, new_reminder("apporter les clés", next_at=at, rrule="FREQ=WEEKLY", **OURS))
    later = at + timedelta(days=1)
    await insert_reminder(conn, new_reminder("le médecin", target="person", next_at=later, **OURS))


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.write(fill)
    return desk


def test_meetings_to_come_and_past(filled: Desk) -> None:
    said = filled.run("meetings", "list")
    assert said.exit_code == 0, said.output
    lines = said.output.splitlines()
    assert lines.index("To come") < lines.index("Past")
    rows = [line for line in lines if line[:1].isdecimal()]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    for cell in ("12 March 2199 at 18:30", "Budget", "au local", "planned"):
        assert cell in rows[0]
    assert "minutes approved" in rows[2]
    told = json.loads(filled.run("meetings", "list", "--json").output)
    assert [one["title"] for one in told["to_come"]] == ["Budget", "Fête"]
    assert told["to_come"][0]["starts_at"] == "2199-03-12T17:30:00+00:00"
    assert [one["number"] for one in told["past"]] == [3]


def test_without_a_meeting_nothing_is_listed(desk: Desk) -> None:
    assert "There is no meeting yet." in desk.run("meetings", "list").output
    assert "There is no reminder to come." in desk.run("reminders", "list").output


def test_one_meeting_with_its_answers_and_steps(filled: Desk) -> None:
    said = filled.run("meetings", "show", "1")
    assert said.exit_code == 0, said.output
    for line in (
        "1. Budget",
        "  • come: 2",
        "  • do not come: 1",
        "  • Ask for the agenda: done 12 November 2026 at 18:30",
        "  • Send the convocation: 15 November 2026 at 18:30",
        "  • Remind: left out: too late",
    ):
        assert line in said.output.splitlines(), said.output
    assert "Léa" not in said.output
    named = filled.run("meetings", "show", "1", "--names").output
    assert "  • come: Léa, Karim" in named.splitlines()


def test_one_meeting_that_was(filled: Desk) -> None:
    filled.file.write_text('[web]\nurl = "https://archives.example.org"\n' + filled.file.read_text("utf-8"), "utf-8")
    said = filled.run("meetings", "show", "3").output
    assert "approved, https://archives.example.org/epeule/p/mnopqrst2345" in said
    assert "  • present: 1" in said
    assert "Mme Haddad" not in said


def test_one_meeting_for_another_program(filled: Desk) -> None:
    told = json.loads(filled.run("meetings", "show", "1", "--json").output)
    assert told["counts"] == {"yes": 2, "no": 1, "maybe": 0, "present": 0, "represented": 0, "excused": 0, "absent": 0}
    assert [step["step"] for step in told["steps"]] == ["call", "convocation", "reminder"]
    assert told["minutes"] is None
    assert "answers" not in told
    named = json.loads(filled.run("meetings", "show", "1", "--json", "--names").output)
    assert {one["name"]: one["answer"] for one in named["answers"]} == {"Léa": "yes", "Karim": "yes", "Annie": "no"}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("meetings", "show", "9"), 1, "There is no meeting 9. `passerelle meetings list` shows them."),
        (("meetings", "list", "--link", "jardin"), 2, "there is no link of this name"),
        (("reminders", "list", "--association", "roubaix"), 2, "there is no association of this name"),
    ],
)
def test_what_goes_wrong_is_said(desk: Desk, words: tuple[str, ...], code: int, sentence: str) -> None:
    said = desk.run(*words)
    assert said.exit_code == code, said.output
    assert sentence in " ".join(said.output.replace("│", " ").split())


def test_reminders_tell_nothing_of_what_is_for_one_person(filled: Desk) -> None:
    said = filled.run("reminders", "list").output
    first, second = [line for line in said.splitlines() if line[:1].isdecimal()]
    for cell in ("1 January 2199 at 09:00", "list and room", "apporter les clés", "yes", "Karim"):
        assert cell in first
    assert "one person" in second
    assert "médecin" not in said
    told = json.loads(filled.run("reminders", "list", "--json").output)
    assert [(one["to"], one["text"]) for one in told] == [("both", "apporter les clés"), ("person", None)]


# ------------------------------------------------------------ status


def test_status_says_what_the_secretary_has_before_it(filled: Desk) -> None:
    async def wait(conn: AsyncConnection) -> None:
        await made_entry(conn, announce_state="wanted", said_at=AT, created_at=AT, **OURS)
        await insert_ask(conn, new_ask(**OURS))

    filled.write(wait)
    said = filled.run("status").output.splitlines()
    begin = said.index("The secretary")
    assert said[begin + 1 : begin + 5] == [
        "  • Entries that both sides are still to be told of: 1.",
        "  • Questions that wait for an answer: 1.",
        "  • Next meeting: no. 1, 12 March 2199 at 18:30.",
        "  • Next reminder: no. 1, 1 January 2199 at 09:00.",
    ]
    # Who reads over one's shoulder learns nothing of what it is about.
    assert "Budget" not in "\n".join(said)
    told = json.loads(filled.run("status", "--json").output)
    assert told["secretary"] == [
        {
            "association": "epeule",
            "entries_to_tell": 1,
            "asks_waiting": 1,
            "next_meeting_at": "2199-03-12T17:30:00+00:00",
            "next_reminder_at": "2199-01-01T08:00:00+00:00",
        }
    ]


def test_status_says_nothing_where_there_is_nothing(desk: Desk) -> None:
    assert "The secretary" not in desk.run("status").output
    (told,) = json.loads(desk.run("status", "--json").output)["secretary"]
    assert (told["entries_to_tell"], told["next_meeting_at"]) == (0, None)
