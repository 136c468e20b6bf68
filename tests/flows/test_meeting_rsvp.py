"""Who comes: one tally, whichever way somebody answers."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import update

from passerelle.core.calendar_values import find_reply
from passerelle.core.email import Mailbox
from passerelle.core.ids import MeetingId, RoomId, UserId
from passerelle.core.ports import RoomUpdate, SyncArrivals
from passerelle.flows.meeting_people import invitation_key
from passerelle.flows.meeting_replies import CalendarMail, take_calendar
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.mail.calendar import parse_calendar
from passerelle.mail.parse import parse_email
from passerelle.store.direct_rooms import note_direct_room
from passerelle.store.inbox import list_inbox
from passerelle.store.meeting_people import list_attendance
from passerelle.store.people import find_or_insert_person, list_named_only, list_participants
from passerelle.store.secretary_tables import meeting as meeting_table
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import (
    COORDINATORS,
    answered,
    directly,
    event_of,
    letter,
    meetings,
    next_step,
    react,
    reply_to,
    rsvps,
    to_list,
    to_persons,
)
from tests.flows.test_actors import SERVER, believing
from tests.flows.test_register_commands import answers, told_directly, told_in_room
from tests.flows.test_register_notes import signs

#: Their own server vouches for the mail.
VOUCHED = f"Authentication-Results: {SERVER}; dmarc=pass header.from=membres.lab.test\r\n".encode()
SAMPLES = Path(__file__).parents[1] / "samples" / "calendar"
DIRECT = RoomId("!direct:lab.test")
CALL = "!réunion jeudi 3 décembre 18h30 au local : budget de la fête"


@pytest.fixture
async def convened(make_bridge: MakeBridge) -> Bridge:
    """A meeting whose convocation has left."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS, quiet_from="00:00", quiet_until="00:00")
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.receive(
        mail("Bonjour.", message_id="paul@x", author="Paul Roux <roux@membres.lab.test>", subject="Bonjour")
    )
    await bridge.say("bonjour")
    await bridge.say(CALL)
    await next_step(bridge)
    await next_step(bridge)
    return bridge


async def convocation_id(bridge: Bridge) -> str:
    return str((await to_list(bridge, "convocation"))[0]["Message-ID"]).strip("<>")


async def test_a_reply_by_mail_a_line_and_a_sign_make_one_tally(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await convened.receive(
        letter("Re: Réunion", "Je viens.\n\nMonique", answering=(await convocation_id(convened),), message_id="r1@x")
    )
    said = await convened.say("je ne peux pas", **reply_to(about))
    await react(convened, about, "✅", sender="@karim:lab.test")
    assert await answered(convened, 1) == {"Monique Delattre": "yes", "Léa": "no", "Karim": "yes"}
    assert {one.name: one.medium for one in await rsvps(convened, 1)} == {
        "Monique Delattre": "mail",
        "Léa": "room",
        "Karim": "room",
    }
    assert (said, "✅") in await signs(convened)
    # Nobody's mailbox is filled with « c'est noté ».
    assert await answers(convened) == []
    await convened.say("!présents")
    (told,) = await told_in_room(convened)
    assert "2 personnes viennent" in told
    assert "Karim" in told
    assert "Monique Delattre" in told


async def test_the_reminder_goes_to_who_comes_and_who_has_not_answered(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await convened.say("je ne peux pas", **reply_to(about))
    await react(convened, about, "✅", sender="@karim:lab.test")
    await convened.receive(
        letter("Re: Réunion", "plus de rappels", answering=(await convocation_id(convened),), message_id="r1@x")
    )
    await next_step(convened)
    assert set(await directly(convened, "reminder")) == {"@karim:lab.test"}
    (reminder,) = await to_persons(convened, "reminder")
    assert "roux@membres.lab.test" in reminder["To"]
    assert "1 personne vient" in body_of(reminder)
    assert "Karim" not in body_of(reminder)


async def test_a_calendar_button_counts_in_the_same_tally(convened: Bridge) -> None:
    await convened.receive(await reply_of(convened, "monique@membres.lab.test", "ACCEPTED"))
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}
    assert (await rsvps(convened, 1))[0].medium == "calendar"
    # Nothing is kept of the mail: it may say why.
    async with convened.ctx.store.read() as conn:
        last = (await list_inbox(conn, limit=10_000))[-1]
    assert last.reason == "obeyed"
    assert last.raw_hash is None


async def test_a_button_of_somebody_who_was_not_invited_counts_for_nobody(convened: Bridge) -> None:
    await convened.receive(await reply_of(convened, "mechant@ailleurs.test", "ACCEPTED"))
    assert await answered(convened, 1) == {}
    assert await answers(convened) == []


# ------------------------------------------------------------ by word


async def test_a_bare_answer_that_reaches_the_list_is_obeyed_and_not_relayed(convened: Bridge) -> None:
    shown = len(await convened.shown())
    await convened.receive(
        mail("Je viens", subject="Re: Réunion", message_id="r@x", answering=(await convocation_id(convened),))
    )
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}
    assert len(await convened.shown()) == shown
    assert (await convened.reasons())[-1] == "obeyed"


async def test_why_somebody_does_not_come_is_kept_nowhere(convened: Bridge) -> None:
    await convened.receive(
        letter(
            "Re: Réunion",
            "Bonjour, je ne pourrai pas venir, je suis opérée ce jour-là. Merci",
            answering=(await convocation_id(convened),),
            message_id="r@x",
        )
    )
    assert await answered(convened, 1) == {"Monique Delattre": "no"}
    async with convened.ctx.store.read() as conn:
        rows = await list_inbox(conn, limit=10_000)
    assert rows[-1].reason == "obeyed"
    assert rows[-1].raw_hash is None
    assert "opérée" not in str(await rsvps(convened, 1))


async def test_the_last_answer_counts(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    for words in ("je viens", "finalement je ne peux pas", "peut-être"):
        convened.pass_time(minutes=1)
        await convened.say(words, **reply_to(about))
    assert await answered(convened, 1) == {"Léa": "maybe"}


async def test_yes_counts_in_answer_to_the_invitation_alone(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await convened.say("oui", **reply_to(about), sender="@karim:lab.test")
    question = await convened.say("Tu apportes les clés ?", sender="@karim:lab.test")
    # Beneath the convocation people talk, too: this « oui » answers Karim.
    await convened.say(
        "oui",
        **{
            "m.relates_to": {
                "rel_type": "m.thread",
                "event_id": about,
                "is_falling_back": False,
                "m.in_reply_to": {"event_id": question},
            }
        },
    )
    await convened.receive(mail("oui", subject="Autre chose", message_id="autre@x"))
    assert await answered(convened, 1) == {"Karim": "yes"}


async def test_a_click_on_the_mails_link_finds_its_meeting(convened: Bridge) -> None:
    body = body_of((await to_list(convened, "convocation"))[0])
    assert "mailto:passerelle@membres.lab.test?subject=reunion-1" in body
    await convened.receive(letter("Re: réunion 1", "Je viens", message_id="clic@x"))
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}
    await convened.receive(letter("reunion-1", "Je ne peux pas", message_id="clic2@x"))
    assert await answered(convened, 1) == {"Monique Delattre": "no"}
    # No second meeting is called by a subject that names one.
    assert len(await meetings(convened)) == 1


async def test_je_viens_to_the_bridge_means_the_only_meeting_there_is(convened: Bridge) -> None:
    await convened.receive(letter("Bonjour", "Je viens", message_id="nu@x"))
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}
    await convened.receive(letter("Bonjour", "oui", message_id="oui@x"))
    assert (await convened.reasons())[-1] != "obeyed"


async def test_who_reads_and_never_wrote_counts_and_takes_no_part(convened: Bridge) -> None:
    await convened.receive(
        letter(
            "Re: Réunion",
            "Je viens",
            author="Odile Petit <odile@membres.lab.test>",
            answering=(await convocation_id(convened),),
            message_id="odile@x",
        )
    )
    assert await answered(convened, 1) == {"Odile Petit": "yes"}
    async with convened.ctx.store.read() as conn:
        people = await list_participants(conn, convened.link.association_name, convened.link.name)
    assert "Odile Petit" not in {one.name for one in people}


# ------------------------------------------------------------ for others


async def test_somebodys_word_that_is_passed_on_counts_and_says_so(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await convened.say("Mme Haddad viendra", **reply_to(about))
    (rsvp,) = await rsvps(convened, 1)
    assert (rsvp.name, rsvp.answer, rsvp.said_by, rsvp.medium) == ("Mme Haddad", "yes", "Léa", "word")
    await convened.say("!présents")
    assert "Mme Haddad (dit par Léa)" in (await told_in_room(convened))[-1]
    # Two persons called Paul, or none that is clear: they are named by who knows.
    await convened.say("présente : Mme Haddad, par téléphone")
    assert len(await rsvps(convened, 1)) == 1


async def test_nous_venons_counts_both_of_a_shared_address(convened: Bridge) -> None:
    await couple(convened)
    await convened.receive(
        letter(
            "Re: Réunion",
            "Nous venons",
            author="Paul et Annie <couple@membres.lab.test>",
            answering=(await convocation_id(convened),),
            message_id="nous@x",
        )
    )
    assert await answered(convened, 1) == {"Annie Lefèvre": "yes", "Paul Lefèvre": "yes"}


async def test_of_a_shared_address_who_signs_says_it_and_nobody_is_guessed(convened: Bridge) -> None:
    await couple(convened)
    about = await convocation_id(convened)
    shared = "Famille Lefèvre <couple@membres.lab.test>"
    await convened.receive(letter("Re: Réunion", "Je viens", author=shared, answering=(about,), message_id="qui@x"))
    assert await answered(convened, 1) == {}
    (asked,) = await answers(convened)
    assert "Annie Lefèvre et Paul Lefèvre" in body_of(asked)
    assert "nous venons" in body_of(asked)
    await convened.receive(
        letter("Re: Réunion", "Je viens\n\nAnnie", author=shared, answering=(about,), message_id="annie@x")
    )
    assert await answered(convened, 1) == {"Annie Lefèvre": "yes"}


async def test_nous_venons_of_one_person_asks_who_else(convened: Bridge) -> None:
    await convened.say("nous venons", **reply_to(await event_of(convened, "convocation")))
    assert await answered(convened, 1) == {"Léa": "yes"}
    assert "Qui d’autre vient" in (await told_directly(convened))[-1]


async def couple(bridge: Bridge) -> None:
    """Paul and Annie, who share a mailbox and both wrote."""
    for name in ("Paul", "Annie"):
        await bridge.receive(
            mail(
                f"Bonjour, {name}",
                author=f"{name} Lefèvre <couple@membres.lab.test>",
                message_id=f"{name}@x",
                subject=f"Bonjour de {name}",
            )
        )


async def test_a_proxy_before_an_assembly_is_no_presence(make_bridge: MakeBridge) -> None:
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.say("bonjour")
    await bridge.say("!assemblée samedi 12 décembre 14h à la salle des fêtes")
    await bridge.say("!pouvoir Annie à Paul")
    async with bridge.ctx.store.read() as conn:
        (given,) = await list_attendance(conn, MeetingId(1))
    assert (given.name, given.presence, given.represented_by, given.said_by) == ("Annie", "represented", "Paul", "Léa")
    assert await answered(bridge, 1) == {"Annie": "no"}


# ------------------------------------------------------------ in the room


async def test_signs_say_yes_no_and_perhaps(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await react(convened, about, "✅")
    await react(convened, about, "❓", sender="@karim:lab.test")
    assert await answered(convened, 1) == {"Léa": "yes", "Karim": "maybe"}
    convened.pass_time(minutes=1)
    await react(convened, about, "❌")
    assert (await answered(convened, 1))["Léa"] == "no"
    await react(convened, about, "🎉")
    assert (await answered(convened, 1))["Léa"] == "no"


async def test_a_sign_that_is_taken_back_is_no_answer_any_more(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    sign = await react(convened, about, "✅")
    await convened.happen(convened.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=sign))
    assert await answered(convened, 1) == {}
    sign = await react(convened, about, "✅")
    convened.pass_time(minutes=1)
    await convened.say("je ne peux pas", **reply_to(about))
    await convened.happen(convened.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=sign))
    assert await answered(convened, 1) == {"Léa": "no"}


async def test_plus_de_rappels_in_a_direct_message(convened: Bridge) -> None:
    await convened.say("!silence 1")
    await next_step(convened)
    assert "@lea:lab.test" not in await directly(convened, "reminder")


async def test_names_are_for_the_room_and_numbers_for_the_list(convened: Bridge) -> None:
    await convened.say("je viens", **reply_to(await event_of(convened, "convocation")))
    await convened.receive(letter("présents", author="Paul Roux <roux@membres.lab.test>", message_id="p@x"))
    (by_paul,) = await answers(convened)
    assert "1 personne vient" in body_of(by_paul)
    assert "Léa" not in body_of(by_paul)
    await convened.receive(letter("présents", message_id="m@x"))
    assert "Léa" in body_of((await answers(convened))[-1])


# ------------------------------------------------------------ by calendar


async def test_answers_of_each_kind_and_without_organizer(convened: Bridge) -> None:
    for partstat, answer in (("ACCEPTED", "yes"), ("TENTATIVE", "maybe"), ("DECLINED", "no"), ("DELEGATED", "no")):
        convened.pass_time(minutes=1)
        await convened.receive(await reply_of(convened, "monique@membres.lab.test", partstat))
        assert await answered(convened, 1) == {"Monique Delattre": answer}


async def test_nextcloud_answers_from_an_address_of_its_own(convened: Bridge) -> None:
    sender = "Monique via Nextcloud <invitations-noreply@cloud.test>"
    await convened.receive(await reply_of(convened, "monique@membres.lab.test", "ACCEPTED", sender=sender))
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}


async def test_an_answer_to_a_meeting_that_we_do_not_know_counts_nowhere(convened: Bridge) -> None:
    await convened.receive(await reply_of(convened, "monique@membres.lab.test", "ACCEPTED", uid="autre@x"))
    assert await answered(convened, 1) == {}


async def test_an_answer_to_the_former_time_does_not_count_for_the_new_one(convened: Bridge) -> None:
    await convened.say("!déplacer réunion 1 au vendredi 11 décembre à 19h")
    await convened.receive(await reply_of(convened, "monique@membres.lab.test", "ACCEPTED"))
    assert await answered(convened, 1) == {}
    await convened.receive(
        await reply_of(convened, "monique@membres.lab.test", "ACCEPTED", sequence="1", start="20261211T180000Z")
    )
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}


async def test_another_time_that_is_proposed_is_a_remark_to_who_called_it(convened: Bridge) -> None:
    await convened.receive(
        await reply_of(
            convened,
            "monique@membres.lab.test",
            "TENTATIVE",
            method="COUNTER",
            start="20261204T173000Z",
            comment="Mon train arrive à 19 h",
        )
    )
    assert await answered(convened, 1) == {}
    assert (await meetings(convened))[0].sequence == 0
    told = (await directly(convened, "remark"))["@lea:lab.test"]
    assert "Monique Delattre propose un autre moment" in told
    assert "vendredi 4 décembre" in told
    assert "Mon train arrive" in told


async def test_a_button_pressed_in_a_shared_mailbox_asks_who(make_bridge: MakeBridge) -> None:
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await couple(bridge)
    await bridge.say("bonjour")
    await bridge.say(CALL)
    await next_step(bridge)
    await next_step(bridge)
    (invitation,) = await to_persons(bridge, "convocation")
    assert "Annie Lefèvre et Paul Lefèvre" in invitation["To"]
    await bridge.receive(await reply_of(bridge, "couple@membres.lab.test", "ACCEPTED"))
    assert await answered(bridge, 1) == {}
    (asked,) = await to_persons(bridge, "who")
    about = str(asked["Message-ID"]).strip("<>")
    await bridge.receive(
        letter("Re: ?", "nous venons", author="<couple@membres.lab.test>", answering=(about,), message_id="n@x")
    )
    assert await answered(bridge, 1) == {"Annie Lefèvre": "yes", "Paul Lefèvre": "yes"}


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("reply_*.eml")))
async def test_answers_of_the_large_programs(convened: Bridge, sample: str) -> None:
    """Each as it is written, but for who answers and the UID."""
    (meeting,) = await meetings(convened)
    email = parse_email((SAMPLES / sample).read_bytes())
    theirs = parse_calendar(email)
    assert theirs is not None
    reply = find_reply(theirs, [mailbox.address for mailbox in (*email.from_, *email.reply_to)])
    assert reply is not None
    async with convened.ctx.store.write() as conn:
        person = await find_or_insert_person(
            conn, convened.link.association_name, name="Invitée", address=reply.address, now=convened.now()
        )
        key = invitation_key(convened.ctx, convened.link, meeting, reply.address)
        await insert_personal_email(
            convened.ctx,
            conn,
            convened.link,
            Personal(
                to=Mailbox(name="Invitée", address=reply.address),
                template="answer",
                unique_key=key,
                variables={"name": "", "sentence": "…"},
            ),
        )
        await conn.execute(update(meeting_table).where(meeting_table.c.id == meeting.id).values(uid=theirs.uid))
    async with convened.ctx.store.write() as conn:
        mail_of = CalendarMail(email=email, author=email.from_[0], received_at=convened.now(), key=sample)
        assert await take_calendar(convened.ctx, conn, mail_of, [convened.link]) == "calendar_reply"
    (rsvp,) = await rsvps(convened, 1)
    assert (rsvp.person_id, rsvp.answer, rsvp.medium) == (person, reply.answer, "calendar")


@pytest.mark.parametrize(
    "calendar",
    [
        b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\n" * 5000,
        b"\x00\xff" * 100,
    ],
)
async def test_hostile_calendars_count_for_nobody_and_stop_nothing(convened: Bridge, calendar: bytes) -> None:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "monique@membres.lab.test"
    made["To"] = BRIDGE
    made["Message-ID"] = "<hostile@x>"
    made["Subject"] = "Accepté"
    made.set_content("…")
    made.add_attachment(calendar, maintype="text", subtype="calendar", params={"method": "REPLY"})
    await convened.receive(made.as_bytes())
    assert await answered(convened, 1) == {}
    assert (await convened.states())[-1] == "done"


async def test_one_reply_that_names_everyone_counts_for_its_author_alone(convened: Bridge) -> None:
    raw = await reply_of(convened, "roux@membres.lab.test", "ACCEPTED", sender="monique@membres.lab.test")
    both = raw.replace(
        b"ATTENDEE;PARTSTAT=ACCEPTED:mailto:roux@membres.lab.test",
        b"ATTENDEE;PARTSTAT=ACCEPTED:mailto:roux@membres.lab.test\r\n"
        b"ATTENDEE;PARTSTAT=DECLINED:mailto:monique@membres.lab.test",
    )
    await convened.receive(both)
    assert await answered(convened, 1) == {"Monique Delattre": "no"}


async def reply_of(bridge: Bridge, address: str, partstat: str, **more: str) -> bytes:
    """What a mail program sends when its button is pressed."""
    (meeting,) = await meetings(bridge)
    method = more.get("method", "REPLY")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Test//FR",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{more.get('uid', meeting.uid)}",
        "DTSTAMP:20261124T100000Z",
        f"DTSTART:{more.get('start', '20261203T173000Z')}",
        f"SEQUENCE:{more.get('sequence', '0')}",
        *([f"COMMENT:{more['comment']}"] if "comment" in more else []),
        f"ATTENDEE;PARTSTAT={partstat}:mailto:{address}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = more.get("sender", address)
    made["To"] = BRIDGE
    made["Subject"] = "Accepté : Budget de la fête"
    made["Message-ID"] = f"<{partstat}@agenda.test>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("Je suis opérée ce jour-là.")
    made.add_attachment("\r\n".join(lines), subtype="calendar", params={"method": method})
    return made.as_bytes()


async def test_a_word_in_answer_to_the_direct_reminder_counts(convened: Bridge) -> None:
    await next_step(convened)
    async with convened.ctx.store.write() as conn:
        await note_direct_room(conn, DIRECT, UserId("@lea:lab.test"), convened.now())
    convened.ctx.links.add_direct_room(DIRECT, UserId("@lea:lab.test"))
    convened.token += 1
    event = convened.event("@lea:lab.test", {"msgtype": "m.text", "body": "je viens"}) | {"room_id": DIRECT}
    await convened.intake.take_sync(
        SyncArrivals(
            source="matrix",
            before=f"s{convened.token - 1}",
            after=f"s{convened.token}",
            rooms=(RoomUpdate(room_id=DIRECT, timeline=(event,), state=()),),
            live=True,
        )
    )
    await convened.run_flows()
    assert await answered(convened, 1) == {"Léa": "yes"}


async def test_a_stranger_makes_nobody_known(convened: Bridge) -> None:
    await convened.receive(
        letter(
            "Re: Réunion",
            "M. Grossier viendra",
            author="<inconnu@ailleurs.test>",
            answering=(await convocation_id(convened),),
            message_id="inconnu@x",
        )
    )
    assert await answered(convened, 1) == {}
    async with convened.ctx.store.read() as conn:
        assert await list_named_only(conn, convened.link.association_name) == []


async def test_who_passes_a_word_on_is_not_told_that_they_come(convened: Bridge) -> None:
    believing(convened)
    raw = mail(
        "Mme Haddad viendra, elle me l'a dit au marché. Bonne journée à tous et merci pour le café d'hier.",
        to=BRIDGE,
        list_id=None,
        answering=(await convocation_id(convened),),
        message_id="mot@x",
        Date=convened.now().strftime("%a, %d %b %Y %H:%M:%S +0000"),
    )
    await convened.receive(VOUCHED + raw)
    assert await answered(convened, 1) == {"Mme Haddad": "yes"}
    (told,) = await answers(convened)
    assert "on attend Mme Haddad" in body_of(told)
    assert "vous venez" not in body_of(told)
