"""Meetings are called, moved and called off; each step of the cycle leaves once, for both sides."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader

from passerelle.core.ids import MailAddress
from passerelle.flows.ask_back import escalate_asks
from passerelle.flows.import_roster import import_roster
from passerelle.flows.meeting_letters import invite_each
from passerelle.flows.meeting_notices import Called, convocation_of
from passerelle.flows.meeting_people import find_invitees
from passerelle.flows.meeting_steps import do_meeting_steps, next_meeting_step_at
from passerelle.rosters.roster import Roster, RosterMember
from passerelle.store.links import set_stopped
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import (
    COORDINATORS,
    answered,
    calendar_of,
    configured,
    directly,
    event_of,
    in_room,
    letter,
    meetings,
    next_step,
    react,
    read,
    reply_to,
    to_list,
    to_persons,
)
from tests.flows.test_register_commands import answers, told_directly, told_in_room
from tests.flows.test_register_notes import signs

CALL = "!réunion jeudi 3 décembre 18h30 au local : budget de la fête"


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """Monique writes mails and coordinates; Karim and Léa chat."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.say("bonjour")
    return bridge


async def test_a_command_makes_a_meeting_and_the_room_reads_of_it(group: Bridge) -> None:
    said = await group.say(CALL)
    (meeting,) = await meetings(group)
    assert (meeting.number, meeting.title, meeting.place) == (1, "Budget de la fête", "au local")
    assert meeting.starts_local == datetime(2026, 12, 3, 18, 30)  # noqa: DTZ001
    assert (meeting.zone, meeting.organizer_name, meeting.state) == ("Europe/Paris", "Léa", "planned")
    assert (said, "✅") in await signs(group)
    (told,) = await in_room(group, "made")
    assert "Réunion 1 : Budget de la fête, jeudi 3 décembre à 18 h 30, au local." in told.replace("\u00a0", " ")


async def test_the_whole_cycle_before_a_meeting(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    assert len(await to_list(group, "call")) == len(await in_room(group, "call")) == 1
    await group.say("ordre du jour : remplacer le frigo")
    await next_step(group)
    (convocation,) = await to_list(group, "convocation")
    assert "remplacer le frigo" in body_of(convocation)
    assert convocation["Reply-To"] == "passerelle@membres.lab.test"
    (line,) = await in_room(group, "convocation")
    assert "remplacer le frigo" in line
    assert "Répondez ici" in line
    (invitation,) = await to_persons(group, "convocation")
    assert "monique@membres.lab.test" in invitation["To"]
    assert calendar_of(invitation)["METHOD"] == "REQUEST"
    await next_step(group)
    assert set(await directly(group, "reminder")) == {"@lea:lab.test"}
    (reminder,) = await to_persons(group, "reminder")
    assert "monique@membres.lab.test" in reminder["To"]
    assert (await meetings(group))[0].state == "convened"


async def test_a_step_is_done_once_however_often_it_is_looked_at(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    for _ in range(3):
        await do_meeting_steps(group.ctx)
    assert len(await to_list(group, "call")) == 1
    await next_step(group)
    before = len(await group.outbox())
    for _ in range(3):
        await do_meeting_steps(group.ctx)
    assert len(await group.outbox()) == before


async def test_steps_of_seconds_run_in_seconds(group: Bridge) -> None:
    """As the demo has it: a whole cycle in two minutes."""
    second = 1 / 86_400
    configured(
        group,
        meetings={"call_days": 90 * second, "convocation_days": 60 * second, "reminder_days": 20 * second},
    )
    group.clock[0] = datetime(2026, 12, 3, 17, 28, 20, tzinfo=UTC)
    await group.say("!réunion aujourd'hui 18h30 au local : budget")
    starts = datetime(2026, 12, 3, 17, 30, tzinfo=UTC)
    assert [round((starts - await next_step(group)).total_seconds()) for _ in range(3)] == [90, 60, 20]
    assert len(await to_persons(group, "reminder")) == 1


async def on_roster(bridge: Bridge, *addresses: str) -> None:
    """These are on the list, as its server says."""
    members = tuple(RosterMember(address=MailAddress(address)) for address in addresses)
    await import_roster(bridge.ctx, bridge.link, Roster(source="csv", members=members), by="Monique")


# ------------------------------------------------------------ how a meeting is called


async def test_by_mail_its_author_confirms_and_is_told_the_number(group: Bridge) -> None:
    await group.receive(letter("réunion jeudi 3 décembre 18h30 au local : budget de la fête"))
    assert await meetings(group) == []
    (question,) = [row for row in await group.outbox("email") if row.unique_key.startswith("ask:confirm:")]
    await group.receive(letter("Re: ?", "oui", message_id="oui@x", answering=(question.message_id,)))
    (meeting,) = await meetings(group)
    assert (meeting.title, meeting.organizer_name) == ("Budget de la fête", "Monique Delattre")
    (answer,) = await answers(group)
    assert "réunion 1" in body_of(answer)
    assert len(await in_room(group, "made")) == 1


async def test_a_date_that_may_be_two_is_asked_back(group: Bridge) -> None:
    await group.say("!réunion jeudi prochain 18h30 : budget")
    assert await meetings(group) == []
    (question,) = [row for row in await group.outbox("event") if row.unique_key.startswith("about/ask/")]
    assert "19 novembre" in str(question.content)
    await group.deliver_events()
    await group.say("26", **reply_to(f"$sent{question.id}"))
    (meeting,) = await meetings(group)
    assert (meeting.starts_local, meeting.title) == (datetime(2026, 11, 26, 18, 30), "Budget")  # noqa: DTZ001
    # Once.
    await group.say("19", **reply_to(f"$sent{question.id}"))
    assert len(await meetings(group)) == 1


async def test_a_date_that_nobody_settles_goes_to_a_coordinator(group: Bridge) -> None:
    await group.say("!réunion jeudi prochain 18h30 : budget")
    group.pass_time(days=3, hours=1)
    await escalate_asks(group.ctx)
    (asked,) = [row for row in await group.outbox("email") if "/escalated/" in row.unique_key]
    assert asked.recipient == "monique@membres.lab.test"
    body = body_of(await read(group, asked))
    assert "Léa voudrait fixer : la date d’une réunion" in body.replace("\u00a0", " ")
    assert "jeudi prochain" in body


async def test_without_a_clock_time_or_in_the_past_nothing_is_made(group: Bridge) -> None:
    await group.say("!réunion le 12 décembre : budget")
    await group.say("!réunion hier à 18h")
    assert await meetings(group) == []
    assert len(await told_directly(group)) == 2


async def test_who_may_not_call_a_meeting_is_told_privately(group: Bridge) -> None:
    configured(group, permissions={"meet": "coordinator"})
    await group.say(CALL)
    assert await meetings(group) == []
    assert "la coordination" in (await told_directly(group))[-1]
    await group.say(CALL, sender="@karim:lab.test")
    assert len(await meetings(group)) == 1


async def test_the_meetings_to_come_are_listed(group: Bridge) -> None:
    await group.say("!dates")
    assert "Aucune réunion n’est prévue" in (await told_in_room(group))[-1]
    await group.say(CALL)
    await group.say("!dates")
    assert "Réunion 1 : Budget de la fête, jeudi 3 décembre" in (await told_in_room(group))[-1].replace("\u00a0", " ")


# ------------------------------------------------------------ the agenda


async def test_items_wait_for_the_next_meeting_and_come_by_every_way(group: Bridge) -> None:
    await group.say("ordre du jour : acheter un vidéoprojecteur")
    await group.say(CALL)
    await next_step(group)
    (call,) = await to_list(group, "call")
    assert "acheter un vidéoprojecteur" in body_of(call)
    await group.say("!ordre remplacer le frigo")
    asked = str(call["Message-ID"]).strip("<>")
    # To the bridge alone a few plain words are items; they are no private letter to anyone.
    await group.receive(letter("Re: Réunion 1", "Bonjour,\nles clés du local\nla fête", answering=(asked,)))
    (question,) = [row for row in await group.outbox("email") if row.unique_key.startswith("ask:confirm:")] or [None]
    assert question is None
    await next_step(group)
    (convocation,) = await to_list(group, "convocation")
    for item in ("acheter un vidéoprojecteur", "remplacer le frigo", "les clés du local", "la fête"):
        assert item in body_of(convocation)


async def test_a_letter_in_answer_to_the_call_is_a_letter(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    asked = str((await to_list(group, "call"))[0]["Message-ID"]).strip("<>")
    await group.receive(letter("Re: Réunion 1", "Est-ce que Paul vient ?", answering=(asked,), message_id="q@x"))
    assert (await group.reasons())[-1] == "private_answer"


# ------------------------------------------------------------ whom the convocation reaches


async def test_a_roster_gives_each_member_one_mail_and_the_list_none(group: Bridge) -> None:
    await on_roster(group, "monique@membres.lab.test", "paul@membres.lab.test")
    await group.say(CALL)
    await next_step(group)
    await next_step(group)
    assert await to_list(group, "convocation") == []
    mails = await to_persons(group, "convocation")
    assert sorted(str(one["To"]).rpartition("<")[2].strip("<>") for one in mails) == [
        "monique@membres.lab.test",
        "paul@membres.lab.test",
    ]
    for one in mails:
        assert "ORDRE DU JOUR" in body_of(one)
        assert one.get_body(("html",)) is not None
        assert calendar_of(one)["METHOD"] == "REQUEST"


async def test_an_old_roster_leaves_nobody_out(group: Bridge) -> None:
    await on_roster(group, "monique@membres.lab.test")
    group.pass_time(days=50)
    await group.say("!réunion le 20 février 2027 à 18h : budget")
    await next_step(group)
    await next_step(group)
    assert len(await to_list(group, "convocation")) == 1


async def test_the_invitation_repeats_nothing_of_the_lists_convocation(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    await group.say("!ordre remplacer le frigo")
    await next_step(group)
    (convocation,) = await to_list(group, "convocation")
    (invitation,) = await to_persons(group, "convocation")
    assert invitation["In-Reply-To"] == convocation["Message-ID"]
    assert "remplacer le frigo" not in body_of(invitation)
    assert "remplacer le frigo" in str(calendar_of(invitation).walk("VEVENT")[0]["DESCRIPTION"])
    # The list's mail asks for answers at a private address, and holds no invitation that answers everyone.
    assert "mailto:passerelle@membres.lab.test" in body_of(convocation)
    (dates,) = [one for one in convocation.iter_attachments() if one.get_filename() == "reunion-1.ics"]
    assert b"ATTENDEE" not in dates.get_payload(decode=True)
    assert "Auto-Submitted" not in convocation
    assert invitation["Auto-Submitted"] == "auto-generated"


async def test_an_assembly_goes_to_the_list_with_its_sheet(group: Bridge) -> None:
    await on_roster(group, "monique@membres.lab.test")
    configured(group, meetings={"quorum": 12})
    await group.say("!assemblée samedi 12 décembre 14h à la salle des fêtes")
    await next_step(group)
    await next_step(group)
    (convocation,) = await to_list(group, "convocation")
    text = body_of(convocation).replace("\u00a0", " ")
    assert "pouvoir : votre nom à son nom" in text
    assert "12 personnes" in text
    (sheet,) = [one for one in convocation.iter_attachments() if one.get_content_type() == "application/pdf"]
    text = PdfReader(io.BytesIO(sheet.get_payload(decode=True))).pages[0].extract_text()
    assert "pouvoir" in text.lower()


async def test_who_is_known_by_name_only_stands_on_the_sheet(group: Bridge) -> None:
    await group.say(CALL)
    await group.say("excusée : Mme Haddad")
    await next_step(group)
    await next_step(group)
    (convocation,) = await to_list(group, "convocation")
    (sheet,) = [one for one in convocation.iter_attachments() if one.get_content_type() == "application/pdf"]
    text = PdfReader(io.BytesIO(sheet.get_payload(decode=True))).pages[0].extract_text()
    assert "vive voix" in text
    assert "Mme Haddad" in text


# ------------------------------------------------------------ a daemon that was down, quiet hours


async def test_after_days_of_absence_one_mail_says_it_all(group: Bridge) -> None:
    await group.say(CALL)
    group.clock[0] = datetime(2026, 12, 2, 12, tzinfo=UTC)
    await do_meeting_steps(group.ctx)
    assert [len(await to_list(group, step)) for step in ("call", "convocation")] == [0, 1]
    assert await to_persons(group, "reminder") == []
    assert await directly(group, "reminder") == {}
    assert await next_meeting_step_at(group.ctx) is None


async def test_nothing_leaves_once_the_meeting_has_begun(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    await next_step(group)
    group.clock[0] = datetime(2026, 12, 3, 17, 30, 1, tzinfo=UTC)
    before = len(await group.outbox())
    await do_meeting_steps(group.ctx)
    assert len(await group.outbox()) == before


async def test_what_is_due_at_night_leaves_in_the_morning(group: Bridge) -> None:
    await group.say("!réunion jeudi 3 décembre 22h30 : étoiles")
    call = await next_meeting_step_at(group.ctx)
    assert call == datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
    group.clock[0] = call
    await do_meeting_steps(group.ctx)
    assert await to_list(group, "call") == []
    assert await next_meeting_step_at(group.ctx) == datetime(2026, 11, 24, 7, tzinfo=UTC)
    await next_step(group)
    assert len(await to_list(group, "call")) == 1


async def test_a_meeting_of_tomorrow_morning_is_called_to_at_night(group: Bridge) -> None:
    group.clock[0] = datetime(2026, 12, 3, 21, 30, tzinfo=UTC)
    await group.say("!réunion demain 7h30 : petit déjeuner")
    await do_meeting_steps(group.ctx)
    assert len(await to_list(group, "convocation")) == 1


async def test_a_link_that_is_stopped_sends_nothing(group: Bridge) -> None:
    await group.say(CALL)
    async with group.ctx.store.write() as conn:
        await set_stopped(conn, group.link.association_name, group.link.name, group.now(), "test")
    group.pass_time(days=8)
    assert await do_meeting_steps(group.ctx) == 0
    assert await to_list(group, "convocation") == []
    due = await next_meeting_step_at(group.ctx)
    assert due is None or due > group.now()


# ------------------------------------------------------------ moved, called off


async def test_a_meeting_that_is_moved_moves_everywhere(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    await next_step(group)
    await react(group, await event_of(group, "convocation"), "✅")
    assert await answered(group, 1) == {"Léa": "yes"}
    await group.say("!déplacer réunion 1 au vendredi 11 décembre à 19h")
    (meeting,) = await meetings(group)
    assert (meeting.starts_local, meeting.sequence) == (datetime(2026, 12, 11, 19), 1)  # noqa: DTZ001
    # They said so of another evening.
    assert await answered(group, 1) == {}
    (told,) = await to_list(group, "move")
    assert "vendredi 11 décembre à 19 h" in body_of(told).replace("\u00a0", " ")
    assert told["In-Reply-To"] == (await to_list(group, "convocation"))[0]["Message-ID"]
    (update,) = await to_persons(group, "move")
    (event,) = calendar_of(update).walk("VEVENT")
    (first,) = calendar_of((await to_persons(group, "convocation"))[0]).walk("VEVENT")
    assert (event["UID"], int(event["SEQUENCE"])) == (first["UID"], 1)
    assert event.decoded("DTSTART").hour == 19
    await next_step(group)
    assert "vendredi 11 décembre" in (await directly(group, "reminder"))["@lea:lab.test"]


async def test_another_place_alone_leaves_the_answers(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    await next_step(group)
    await react(group, await event_of(group, "convocation"), "✅")
    await group.say("!déplacer réunion 1 à la mairie")
    (meeting,) = await meetings(group)
    assert meeting.place == "à la mairie"
    assert await answered(group, 1) == {"Léa": "yes"}


async def test_a_meeting_that_nobody_heard_of_moves_in_the_room_only(group: Bridge) -> None:
    await group.say(CALL)
    await group.say("!déplacer réunion 1 au vendredi 11 décembre à 19h")
    assert len(await in_room(group, "move")) == 1
    assert await to_list(group, "move") == []
    await next_step(group)
    assert "vendredi 11 décembre" in body_of((await to_list(group, "call"))[0])


async def test_a_meeting_is_called_off_on_both_sides_and_in_calendars(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    await next_step(group)
    await group.say("!annuler réunion 1 : la salle est prise")
    assert (await meetings(group))[0].state == "cancelled"
    (told,) = await to_list(group, "cancel")
    assert "la salle est prise" in body_of(told)
    (gone,) = await to_persons(group, "cancel")
    calendar = calendar_of(gone)
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"], int(event["SEQUENCE"])) == ("CANCEL", "CANCELLED", 1)
    assert await next_meeting_step_at(group.ctx) is None
    await group.say("!annuler réunion 1")
    assert len(await to_list(group, "cancel")) == 1


async def test_a_forged_mail_moves_nothing(group: Bridge) -> None:
    await group.say(CALL)
    await group.receive(letter("déplacer réunion 1 au vendredi 11 décembre à 19h"))
    await group.receive(mail("!annuler réunion 1", message_id="faux@x", subject="Réunion"))
    (meeting,) = await meetings(group)
    assert (meeting.sequence, meeting.state) == (0, "planned")


# ------------------------------------------------------------ series


async def test_the_next_of_a_series_has_a_cycle_of_its_own(group: Bridge) -> None:
    await group.say("!réunion tous les premiers jeudis du mois 18h30 au local : bureau")
    await next_step(group)
    first, second = await meetings(group)
    assert (second.series_id, second.number, second.state) == (first.id, 2, "planned")
    assert second.starts_local == datetime(2027, 1, 7, 18, 30)  # noqa: DTZ001
    assert second.uid != first.uid
    await next_step(group)
    await next_step(group)
    assert len(await meetings(group)) == 2
    await next_step(group)
    assert [one.starts_local.month for one in await meetings(group)] == [12, 1, 2]
    (_, call) = await to_list(group, "call")
    assert "7 janvier" in body_of(call)


async def test_one_that_is_moved_leaves_the_series_as_it_is(group: Bridge) -> None:
    await group.say("!réunion tous les jeudis 18h30 : bureau")
    (first,) = await meetings(group)
    await group.say(f"!déplacer réunion 1 au {first.starts_local.day - 1} novembre à 18h30")
    await next_step(group)
    found = [one.starts_local for one in await meetings(group)]
    assert len(found) == 2
    assert found[1] - found[0] == timedelta(days=8)


async def test_one_that_is_called_off_does_not_end_the_series(group: Bridge) -> None:
    await group.say("!réunion tous les jeudis 18h30 : bureau")
    await group.say("!annuler réunion 1")
    assert [one.state for one in await meetings(group)] == ["cancelled", "planned"]


async def test_who_was_reminded_of_the_former_evening_is_reminded_of_the_new_one(group: Bridge) -> None:
    await group.say(CALL)
    for _ in range(3):
        await next_step(group)
    assert len(await to_persons(group, "reminder")) == 1
    await group.say("!déplacer réunion 1 au vendredi 11 décembre à 19h")
    await next_step(group)
    assert len(await to_persons(group, "reminder")) == 2
    # The list read it; beside that calendars are told, in a few lines.
    (update,) = await to_persons(group, "move")
    assert "Pour votre agenda" in update["Subject"]


async def test_a_crash_among_the_letters_doubles_none_and_loses_none(group: Bridge) -> None:
    await on_roster(group, *(f"membre{number}@membres.lab.test" for number in range(45)))
    await group.say(CALL)
    await next_step(group)
    (meeting,) = await meetings(group)
    async with group.ctx.store.read() as conn:
        people = await find_invitees(group.ctx, conn, group.link, meeting)
        convocation = await convocation_of(group.ctx, conn, group.link, meeting)
    # As far as it came before it was stopped.
    some = replace(people, known=people.known[:25])
    await invite_each(group.ctx, Called(link=group.link, meeting=meeting, convocation=convocation), some)
    assert len(await to_persons(group, "convocation")) == 25
    await next_step(group)
    addresses = [str(one["To"]) for one in await to_persons(group, "convocation")]
    assert len(addresses) == len(set(addresses)) == 45
