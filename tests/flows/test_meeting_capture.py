"""A meeting in the room: what is said between `!début` and `!fin` belongs to it, over pauses, midnight and restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from passerelle.core.meeting_model import Attendance
from passerelle.core.minutes_model import Minutes
from passerelle.flows.meeting_capture import current_meeting_id
from passerelle.store.meeting_people import list_attendance
from passerelle.store.meetings import list_spans
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.test_meeting_minutes import held, meetings, minutes, notices, rings, value
from tests.flows.test_register_commands import COORDINATORS, answers, letter, told_directly
from tests.flows.test_register_notes import entries, signs
from tests.unit.files.sample_files import docx_of, odt_of, pdf_of


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.say("bonjour")
    await bridge.say("bonjour", sender="@karim:lab.test")
    bridge.pass_time(minutes=1)
    return bridge


async def attendance(bridge: Bridge) -> dict[str, Attendance]:
    (meeting, *_) = await meetings(bridge)
    async with bridge.ctx.store.read() as conn:
        return {one.name: one for one in await list_attendance(conn, meeting.id)}


async def test_a_meeting_that_nobody_called_is_opened_and_said_so(group: Bridge) -> None:
    said = await group.say("!début")
    (meeting,) = await meetings(group)
    assert (meeting.state, meeting.number) == ("open", 1)
    assert (said, "✅") in await signs(group)
    _, (line,) = await notices(group, "open")
    assert "« !fin »" in line.replace("\u00a0", " ")


async def test_what_is_said_meanwhile_belongs_to_it_and_not_what_is_said_in_a_pause(group: Bridge) -> None:
    await group.say("décision : avant")
    await group.say("!début")
    await group.say("décision : pendant")
    await group.say("!pause")
    group.pass_time(minutes=5)
    await group.say("décision : dans la pause")
    group.pass_time(minutes=5)
    await group.say("!reprise")
    await group.say("décision : après la pause")
    await group.say("!décision par commande")
    await group.say("!fin")
    await group.say("décision : plus tard")
    (meeting,) = await meetings(group)
    inside = [one.text for one in await entries(group, "decision") if one.meeting_id == meeting.id]
    assert inside == ["pendant", "après la pause", "par commande"]
    async with group.ctx.store.read() as conn:
        assert len(await list_spans(conn, meeting.id)) == 2


async def test_it_goes_on_past_midnight_and_a_restart(make_bridge: MakeBridge) -> None:
    group: Bridge = await make_bridge(
        coordinators=COORDINATORS,
        at=datetime(2026, 11, 17, 22, 30, tzinfo=UTC),
        quiet_from="03:00",
        quiet_until="03:00",
    )
    await group.say("!début")
    group.pass_time(minutes=50)
    await group.say("décision : après minuit")
    async with group.ctx.store.read() as conn:
        found = await current_meeting_id(group.ctx, conn, group.link, group.now())
    (meeting,) = await meetings(group)
    assert found == meeting.id
    # Another daemon has nothing but the store.
    other = Bridge(group.ctx, group.clock, group.uids, group.events)
    other.token = group.token
    await other.say("!fin")
    await rings(group)
    (made,), _ = await notices(group, "draft")
    assert "minuit" in str(made.get_body(("plain",)))


async def test_a_meeting_that_nobody_ends_ends_when_the_room_falls_silent(group: Bridge) -> None:
    await group.say("!début")
    group.pass_time(minutes=40)
    last = group.now()
    await group.say("décision : louer la salle")
    group.pass_time(hours=3)
    await group.say("action : @Léa acheter du pain")
    group.pass_time(hours=9)
    await rings(group)
    (meeting,) = await meetings(group)
    assert meeting.state == "closed"
    assert meeting.closed_at is not None
    assert 0 < (meeting.closed_at - last).total_seconds() < 5
    await rings(group)
    assert [one.text for one in (await value(group)).decisions] == ["louer la salle"]


async def test_whoever_is_no_part_of_it_opens_nothing(make_bridge: MakeBridge) -> None:
    group: Bridge = await make_bridge(coordinators=COORDINATORS)
    await group.say("!début", sender="@inconnu:ailleurs.test")
    assert await meetings(group) == []


async def test_only_one_meeting_is_open_at_a_time(group: Bridge) -> None:
    await group.say("!début")
    await group.say("!début")
    assert len(await meetings(group)) == 1
    assert "déjà en cours" in (await told_directly(group))[-1]
    await group.say("!fin")
    await group.say("!fin")
    assert "terminée" in (await told_directly(group))[-1]


async def test_presence_roles_and_proxies_are_kept(group: Bridge) -> None:
    await group.say("!début")
    await group.say(
        "présents : Léa, Karim\nprésente : Mme Haddad, par téléphone\nexcusé : Paul\npouvoir : Annie à Karim"
    )
    await group.say("excusée : Annie")
    await group.say("présidence : Karim\nsecrétaire : Léa")
    found = await attendance(group)
    assert {name: one.presence for name, one in found.items()} == {
        "Léa": "present", "Karim": "present", "Mme Haddad": "present", "Paul": "excused", "Annie": "represented",
    }  # fmt: skip
    assert found["Mme Haddad"].how == "par téléphone"
    assert found["Annie"].represented_by == "Karim"
    (meeting,) = await meetings(group)
    assert (meeting.chair_name, meeting.secretary_name) == ("Karim", "Léa")


async def test_who_corrects_their_line_corrects_who_was_there(group: Bridge) -> None:
    await group.say("!début")
    said = await group.say("présents : Léa")
    group.pass_time(minutes=1)
    await group.say("!fin")
    group.pass_time(minutes=2)
    edit = {"rel_type": "m.replace", "event_id": said}
    new = {"msgtype": "m.text", "body": "présents : Léa et Karim"}
    await group.say("* présents : Léa et Karim", **{"m.relates_to": edit, "m.new_content": new})
    assert set(await attendance(group)) == {"Léa", "Karim"}


async def test_who_types_the_list_after_the_end_speaks_of_that_meeting(group: Bridge) -> None:
    await group.say("!début")
    await group.say("!fin")
    await group.say("!présents Léa et Karim")
    assert set(await attendance(group)) == {"Léa", "Karim"}


async def test_an_item_that_is_called_up_is_not_noted_again(group: Bridge) -> None:
    await group.say("!début")
    for line in (
        "ordre du jour : budget ; clés",
        "#topic Budget",
        "Il reste 300 €, on peut louer la salle.",
        "#topic 2",
        "Les clés sont chez Paul depuis mardi.",
    ):
        group.pass_time(minutes=1)
        await group.say(line)
    group.pass_time(minutes=1)
    await group.say("!fin")
    assert [one.text for one in await entries(group, "agenda")] == ["budget", "clés"]
    await rings(group)
    made = await value(group)
    assert [(item.text, item.state) for item in made.agenda] == [("budget", "treated"), ("clés", "treated")]
    assert [topic.title for topic in made.topics] == ["budget", "clés"]


async def test_an_answer_to_the_end_is_kept_for_the_minutes(group: Bridge) -> None:
    await group.say("!début")
    await group.say("!fin")
    await group.deliver_events()
    (row,) = [r for r in await group.outbox("event") if "/closed/" in r.unique_key]
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": str(row.event_id)}}}
    group.pass_time(minutes=3)
    await group.say("décision : on avait oublié celle-ci", **reply)
    await rings(group)
    assert [one.text for one in (await value(group)).decisions] == ["on avait oublié celle-ci"]


# ------------------------------------------------------------ minutes that are brought afterwards

LATER = "Thu, 19 Nov 2026 09:00:00 +0100"
CR = """Bonjour,

Voici ce que nous avons décidé jeudi.

Présents : Monique, Paul et Mme Haddad
Décision : louer la salle des fêtes pour 150 €
Action : @Léa relancer la mairie pour le 12/12

Monique
"""


async def called(bridge: Bridge) -> None:
    """A meeting that was called and not held in the room; its time is over."""
    await bridge.say("!réunion demain 18h30 au local : budget de la fête")
    bridge.pass_time(days=2)


async def test_a_mail_of_minutes_is_read_and_named_as_their_source(group: Bridge) -> None:
    await called(group)
    await group.receive(mail(CR, subject="CR de jeudi", message_id="cr@x", Date=LATER))
    (meeting,) = await meetings(group)
    assert meeting.state == "closed"
    await rings(group)
    made = await value(group)
    assert [one.text for one in made.decisions] == ["louer la salle des fêtes pour 150 €"]
    assert {one.name for one in made.presence.present} == {"Monique", "Paul", "Mme Haddad"}
    assert made.source is not None
    assert made.source.author == "Monique Delattre"


async def test_a_mail_whose_subject_names_the_meeting_brings_its_minutes(group: Bridge) -> None:
    await called(group)
    await group.receive(mail(CR, subject="Réunion 1 : ce qui s’est dit", message_id="cr@x", Date=LATER))
    await rings(group)
    assert len((await value(group)).decisions) == 1


async def test_who_asks_for_minutes_brings_none(group: Bridge) -> None:
    await called(group)
    await group.receive(mail("Quelqu’un a pris des notes ?", subject="Compte rendu ?", message_id="q@x", Date=LATER))
    (meeting,) = await meetings(group)
    assert meeting.state in ("planned", "convened")


async def test_minutes_typed_in_the_room_afterwards(group: Bridge) -> None:
    await called(group)
    await group.say("Compte rendu de la réunion 1\nprésents : Léa, Karim\ndécision : acheter un frigo")
    await rings(group)
    assert [one.text for one in (await value(group)).decisions] == ["acheter un frigo"]
    assert (await attendance(group)).keys() == {"Léa", "Karim"}


async def test_a_decision_noted_after_the_draft_stands_in_the_next_version(group: Bridge) -> None:
    await held(group)
    await rings(group)
    await group.say("!corriger s/150 €/180 €/")
    (row,) = [r for r in await group.outbox("event") if "/draft/" in r.unique_key]
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": str(row.event_id)}}}
    await group.say("décision : on garde le goûter", **reply)
    found = await minutes(group)
    made = Minutes.from_json(found.document)
    assert found.version == 3
    assert [one.text for one in made.decisions] == [
        "louer la salle des fêtes pour 180 €",
        "on garde le goûter",
    ]


async def test_a_letter_to_the_bridge_alone_brings_minutes_once_its_author_says_so(group: Bridge) -> None:
    await called(group)
    short = "Présents : Monique et Paul\nDécision : louer la salle"
    await group.receive(letter("CR", short, message_id="cr@x"))
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    await group.receive(letter("Re:", "oui", message_id="oui@x", answering=(str(question.message_id),)))
    (meeting,) = await meetings(group)
    assert meeting.state == "closed"
    assert set(await attendance(group)) == {"Monique", "Paul"}
    assert "2 lignes" in body_of((await answers(group))[-1])


async def test_long_minutes_that_nothing_proves_are_asked_for_on_the_list(group: Bridge) -> None:
    await called(group)
    await group.receive(letter("CR", CR + "\nEt encore ceci." * 30, message_id="cr@x"))
    assert "bureau@listes.lab.test" in body_of((await answers(group))[-1])
    assert [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")] == []


def with_file(raw: bytes, data: bytes, media_type: str, filename: str) -> bytes:
    """The mail with a file."""
    made = message_from_bytes(raw, policy=policy.SMTP)
    main, sub = media_type.split("/")
    made.add_attachment(data, maintype=main, subtype=sub, filename=filename)  # type: ignore[attr-defined]
    return made.as_bytes()


@pytest.mark.parametrize(
    ("data", "media_type", "filename"),
    [
        (odt_of("Présents : Monique et Paul", "Décision : louer la salle"), "application/octet-stream", "CR.odt"),
        (docx_of("Présents : Monique et Paul", "Décision : louer la salle"), "application/octet-stream", "CR.docx"),
        (pdf_of("Décision : louer la salle"), "application/pdf", "CR.pdf"),
        ("Présents : Monique et Paul\r\nDécision : louer la salle".encode(), "text/plain", "CR.txt"),
    ],
    ids=["odt", "docx", "pdf", "txt"],
)
async def test_minutes_in_a_file_are_read(group: Bridge, data: bytes, media_type: str, filename: str) -> None:
    await called(group)
    raw = mail("Bonjour, voici le compte rendu.", subject="Compte rendu", message_id="cr@x", Date=LATER)
    await group.receive(with_file(raw, data, media_type, filename))
    await rings(group)
    made = await value(group)
    assert [one.text for one in made.decisions] == ["louer la salle"]
    assert made.source is not None


async def test_what_stands_in_the_mail_and_in_its_file_is_noted_once(group: Bridge) -> None:
    await called(group)
    raw = mail(CR, subject="Compte rendu", message_id="cr@x", Date=LATER)
    await group.receive(
        with_file(raw, docx_of(*CR.splitlines(), "Idée : un composteur"), "application/octet-stream", "CR.docx")
    )
    await rings(group)
    made = await value(group)
    assert len(made.decisions) == len(made.actions) == 1


async def test_a_file_in_answer_to_the_convocation_is_minutes(group: Bridge) -> None:
    await called_and_told(group)
    (row,) = [r for r in await group.outbox("email") if "/convocation/" in r.unique_key][:1]
    raw = mail("Ci-joint.", subject="Re: Réunion", message_id="cr@x", answering=(str(row.message_id),), Date=LATER)
    await group.receive(with_file(raw, odt_of("Décision : louer la salle"), "application/octet-stream", "notes.odt"))
    await rings(group)
    assert [one.text for one in (await value(group)).decisions] == ["louer la salle"]


async def test_a_photo_of_paper_is_kept_with_the_mail_that_the_minutes_name(group: Bridge) -> None:
    await called(group)
    raw = mail("Les notes sont sur la photo.", subject="CR", message_id="cr@x", Date=LATER)
    await group.receive(with_file(raw, b"\xff\xd8\xff\xe0 photo", "image/jpeg", "notes.jpg"))
    await rings(group)
    made = await value(group)
    assert made.source is not None
    assert made.source.path.startswith("/epeule/p/")


async def called_and_told(bridge: Bridge) -> None:
    await bridge.say("!réunion demain 18h30 au local : budget de la fête")
    await rings(bridge)
    bridge.clock[0] = datetime(2026, 11, 19, 10, 0, tzinfo=UTC)


async def test_a_file_that_answers_the_bridge_alone_is_read_and_its_author_asked(group: Bridge) -> None:
    await called_and_told(group)
    (row,) = [r for r in await group.outbox("email") if "/convocation/" in r.unique_key][:1]
    raw = letter("Re: Réunion", "Voici mes notes.", message_id="cr@x", answering=(str(row.message_id),))
    file = docx_of("Décision : louer la salle")
    await group.receive(with_file(raw, file, "application/octet-stream", "CR.docx"))
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    asked = body_of(message_from_bytes(await group.raw_of(question), policy=policy.default))  # type: ignore[arg-type]
    assert "louer la salle" in asked
    await group.receive(letter("Re:", "oui", message_id="oui@x", answering=(str(question.message_id),)))
    assert [one.text for one in await entries(group, "decision")] == ["louer la salle"]
