"""From `!fin` to approved minutes: a draft for both sides, corrections, approval by word and by the clock."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from passerelle.core.meeting_model import Meeting, MinutesVersion
from passerelle.core.minutes_model import Minutes
from passerelle.errors import DocumentFailure
from passerelle.flows import meeting_minutes, meeting_minutes_sent
from passerelle.flows.meeting_chair import next_chair_at, tell_chairs
from passerelle.flows.meeting_shown import starts_at
from passerelle.flows.meeting_steps import do_meeting_steps, next_meeting_step_at
from passerelle.store.incidents import list_open
from passerelle.store.meeting_minutes import list_corrections, newest_minutes
from passerelle.store.meetings import list_meetings
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import configured
from tests.flows.test_register_commands import COORDINATORS, answers, letter, told_in_room
from tests.flows.test_register_notes import all_leave, entries, signs


async def meetings(bridge: Bridge) -> list[Meeting]:
    async with bridge.ctx.store.read() as conn:
        return await list_meetings(conn, bridge.link.association_name)


async def minutes(bridge: Bridge, meeting: Meeting | None = None) -> MinutesVersion:
    meeting = meeting or (await meetings(bridge))[0]
    async with bridge.ctx.store.read() as conn:
        found = await newest_minutes(conn, meeting.id)
    assert found is not None
    return found


async def value(bridge: Bridge) -> Minutes:
    return Minutes.from_json((await minutes(bridge)).document)


async def notices(bridge: Bridge, step: str) -> tuple[list[EmailMessage], list[str]]:
    """What both sides were told of a meeting at a step: mails, and lines of the room."""
    mails, lines = [], []
    for row in await bridge.outbox():
        if not row.unique_key.startswith("about/meeting/") or f"/{step}/" not in row.unique_key:
            continue
        if row.kind == "email":
            mails.append(message_from_bytes(await bridge.raw_of(row), policy=policy.default))
        else:
            lines.append(str((row.content or {})["body"]))
    return mails, lines  # type: ignore[return-value]


async def rings(bridge: Bridge) -> None:
    """The next step of a meeting is done when it is due."""
    due_at = await next_meeting_step_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = max(bridge.now(), due_at)
    await do_meeting_steps(bridge.ctx)
    await all_leave(bridge)


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.say("bonjour")
    await bridge.say("bonjour", sender="@karim:lab.test")
    bridge.pass_time(minutes=1)
    return bridge


async def held(bridge: Bridge) -> None:
    """A meeting in the room, with a decision and an action."""
    await bridge.say("!début")
    for line in (
        "présents : Léa, Karim et Mme Haddad",
        "décision : louer la salle des fêtes pour 150 €",
        "action : @Léa relancer la mairie pour le 12/12",
        "On est d’accord pour le goûter aussi.",
    ):
        bridge.pass_time(minutes=2)
        await bridge.say(line)
    bridge.pass_time(minutes=5)
    await bridge.say("!fin")
    await all_leave(bridge)


async def test_the_draft_leaves_for_both_sides_once(group: Bridge) -> None:
    await held(group)
    await rings(group)
    (made,), (line,) = await notices(group, "draft")
    assert "louer la salle des fêtes pour 150 €" in body_of(made)
    assert "relancer la mairie" in body_of(made)
    assert "Mme Haddad" in body_of(made)
    assert "goûter" in body_of(made)
    assert made["Reply-To"] == "passerelle@membres.lab.test"
    assert made["Auto-Submitted"] is None
    (file,) = [part for part in made.iter_attachments()]
    assert str(file.get_filename()).endswith(".odt")
    assert made.get_body(("html",)) is not None
    assert "Répondez ici" in line
    await do_meeting_steps(group.ctx)
    assert len((await notices(group, "draft"))[0]) == 1


async def draft_row(bridge: Bridge) -> str:
    (row,) = [r for r in await bridge.outbox("email") if "/draft/" in r.unique_key]
    return str(row.message_id)


async def test_a_correction_by_mail_makes_a_new_version_once_its_author_confirms(group: Bridge) -> None:
    await held(group)
    await rings(group)
    answered = (await draft_row(group),)
    await group.receive(letter("Re: Compte rendu", "s/150 €/180 €/", message_id="corr@x", answering=answered))
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    await group.receive(letter("Re:", "oui", message_id="oui@x", answering=(str(question.message_id),)))
    assert (await minutes(group)).version == 2
    assert "180 €" in (await value(group)).decisions[0].text
    assert "version 2" in body_of((await answers(group))[-1])


async def test_a_correction_in_the_room_is_acknowledged_by_a_sign(group: Bridge) -> None:
    await held(group)
    await rings(group)
    said = await group.say("!corriger s/150 €/180 €/")
    assert (await minutes(group)).version == 2
    assert (said, "✅") in await signs(group)


async def draft_event(bridge: Bridge) -> str:
    (row,) = [r for r in await bridge.outbox("event") if "/draft/" in r.unique_key]
    return str(row.event_id)


async def test_plain_words_in_answer_to_the_draft_are_kept_for_who_presides(group: Bridge) -> None:
    await held(group)
    await rings(group)
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": await draft_event(group)}}}
    said = await group.say("Il manque ce que Paul a dit du budget.", **reply)
    await group.say("Merci beaucoup !", **reply)
    assert (said, "✅") in await signs(group)
    assert (await minutes(group)).version == 1
    await group.say("!approuver", sender="@karim:lab.test")
    assert [one.text for one in (await value(group)).corrections_left] == ["Il manque ce que Paul a dit du budget."]


async def test_plain_words_by_mail_are_kept_once_their_author_says_so(group: Bridge) -> None:
    await held(group)
    await rings(group)
    answered = (await draft_row(group),)
    words = "Bonjour, il manque ce que Paul a dit du budget."
    await group.receive(letter("Re: Compte rendu", words, message_id="r@x", answering=answered))
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    await group.receive(letter("Re:", "oui", message_id="oui@x", answering=(str(question.message_id),)))
    assert "transmise" in body_of((await answers(group))[-1])


async def test_who_presides_is_told_of_remarks_once_a_day(group: Bridge) -> None:
    await group.say("!début")
    await group.say("présidence : Karim\nprésents : Karim et Léa")
    group.pass_time(minutes=5)
    await group.say("!fin")
    await all_leave(group)
    await rings(group)
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": await draft_event(group)}}}
    await group.say("Il manque ce que Paul a dit du budget.", **reply)
    await tell_chairs(group.ctx)
    group.pass_time(hours=1)
    await group.say("Le goûter est oublié aussi, dommage.", **reply)
    await group.say("La date du loto est fausse.", **reply)
    await tell_chairs(group.ctx)
    told = [r for r in await group.outbox("direct") if "/remarks/" in r.unique_key]
    assert [row.recipient for row in told] == ["@karim:lab.test"]
    due_at = await next_chair_at(group.ctx)
    assert due_at is not None
    assert due_at > group.now() + timedelta(hours=20)
    group.clock[0] = due_at
    await tell_chairs(group.ctx)
    told = [r for r in await group.outbox("direct") if "/remarks/" in r.unique_key]
    assert len(told) == 2
    assert "goûter" in str(told[1].content)
    assert "loto" in str(told[1].content)
    assert await next_chair_at(group.ctx) is None


async def test_the_clock_approves_and_adopts_nothing(group: Bridge) -> None:
    await held(group)
    await rings(group)
    group.pass_time(days=8)
    await rings(group)
    found = await minutes(group)
    assert (found.state, found.version, found.by_name) == ("approved", 2, "")
    assert (await value(group)).decisions[0].state == "proposed"
    (made,), (line,) = await notices(group, "approval")
    assert "approuvé" in body_of(made)
    assert sorted(str(part.get_filename())[-4:] for part in made.iter_attachments()) == [".odt", ".pdf"]
    assert made["In-Reply-To"] == f"<{await draft_row(group)}>"
    assert "Décisions" in line
    assert (await meetings(group))[0].state == "approved"


async def test_a_coordinators_word_approves_and_adopts_what_nothing_holds_up(group: Bridge) -> None:
    from tests.flows.test_register_notes import tell

    await held(group)
    await tell(group)
    await rings(group)
    group.pass_time(days=7, minutes=-5)
    await group.say("!approuver", sender="@karim:lab.test")
    assert (await value(group)).decisions[0].state == "adopted"
    assert (await minutes(group)).by_name == "Karim"
    await rings(group)
    (made,), _ = await notices(group, "approval")
    assert "Adoptée" in body_of(made)


async def test_a_coordinator_approves_by_a_reply_in_the_room(group: Bridge) -> None:
    await held(group)
    await rings(group)
    reply = {"m.relates_to": {"m.in_reply_to": {"event_id": await draft_event(group)}}}
    said = await group.say("Approuvé", sender="@karim:lab.test", **reply)
    assert (await minutes(group)).state == "approved"
    assert (said, "✅") in await signs(group)


async def test_a_mail_that_nothing_proves_approves_nothing_before_its_author_says_so(group: Bridge) -> None:
    await held(group)
    await rings(group)
    answered = (await draft_row(group),)
    await group.receive(letter("Re: Compte rendu", "Approuvé", message_id="ok@x", answering=answered))
    assert (await minutes(group)).state == "draft"
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    await group.receive(letter("Re:", "oui", message_id="oui@x", answering=(str(question.message_id),)))
    assert (await minutes(group)).state == "approved"


async def test_a_stranger_neither_corrects_nor_approves(group: Bridge) -> None:
    await held(group)
    await rings(group)
    answered, who = (await draft_row(group),), "Mallory <mallory@ailleurs.test>"
    for number, words in enumerate(("s/150 €/15 000 €/", "Approuvé", "Il faut tout changer ici.")):
        await group.receive(letter("Re: CR", words, author=who, message_id=f"m{number}@x", answering=answered))
    found = await minutes(group)
    assert (found.version, found.state) == (1, "draft")
    assert [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")] == []
    assert await next_chair_at(group.ctx) is None


async def test_what_cannot_be_corrected_is_passed_on(group: Bridge) -> None:
    await held(group)
    await rings(group)
    await group.say("!corriger s/trombone/trompette/")
    assert (await minutes(group)).version == 1
    assert await next_chair_at(group.ctx) is not None


async def test_approved_minutes_change_no_more(group: Bridge) -> None:
    await held(group)
    await rings(group)
    await group.say("!approuver", sender="@karim:lab.test")
    await group.say("!corriger 1 s/150 €/180 €/")
    await group.say("!approuver 1", sender="@karim:lab.test")
    found = await minutes(group)
    assert (found.version, found.state) == (2, "approved")
    assert "150 €" in (await value(group)).decisions[0].text


async def test_a_draft_that_has_not_left_is_not_approved_by_the_clock(group: Bridge) -> None:
    await held(group)
    due_at = await next_meeting_step_at(group.ctx)
    assert due_at is not None
    group.clock[0] = due_at
    await do_meeting_steps(group.ctx)  # nothing leaves: the mail server is away
    group.pass_time(days=8)
    await do_meeting_steps(group.ctx)
    assert (await minutes(group)).state == "draft"
    await all_leave(group)
    group.pass_time(days=6, hours=20)
    await do_meeting_steps(group.ctx)
    assert (await minutes(group)).state == "draft"
    group.pass_time(days=1)
    await rings(group)
    assert (await minutes(group)).state == "approved"


async def test_a_crash_between_making_and_sending_loses_and_doubles_nothing(
    group: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held(group)

    async def crash(*_: object) -> tuple[()]:
        raise RuntimeError("here it stops")

    with monkeypatch.context() as patch:
        patch.setattr(meeting_minutes, "files_of", crash)
        with pytest.raises(RuntimeError):
            await rings(group)
    assert (await notices(group, "draft"))[0] == []
    await rings(group)
    assert (await minutes(group)).version == 1
    assert len((await notices(group, "draft"))[0]) == 1


async def test_a_file_that_cannot_be_made_holds_no_minutes_up(group: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> bytes:
        raise DocumentFailure("no font")

    await held(group)
    monkeypatch.setattr(meeting_minutes_sent, "build_odt", fails)
    await rings(group)
    ((made,), _) = await notices(group, "draft")
    assert list(made.iter_attachments()) == []
    async with group.ctx.store.read() as conn:
        assert [one.kind for one in await list_open(conn)] == ["document_failed"]


async def test_who_asks_for_minutes_gets_them_where_they_are(group: Bridge) -> None:
    await held(group)
    await group.say("!compte-rendu")
    await do_meeting_steps(group.ctx)
    assert len((await notices(group, "draft"))[0]) == 1
    await group.say("!compte-rendu 1")
    assert "louer la salle" in (await told_in_room(group))[-1]
    await group.receive(letter("compte-rendu 1", message_id="cr@x"))
    assert "QUI FAIT QUOI" in body_of((await answers(group))[-1])


async def test_in_the_time_of_a_demo_everything_comes_within_seconds(group: Bridge) -> None:
    configured(group, meetings={"draft_hours": 0.001, "corrections_days": 0.0001})
    await held(group)
    began = group.now()
    await rings(group)
    await rings(group)
    assert (await minutes(group)).state == "approved"
    assert group.now() - began < timedelta(seconds=30)


async def test_who_only_tried_the_commands_sends_nobody_empty_minutes(group: Bridge) -> None:
    await group.say("!début")
    group.pass_time(minutes=1)
    await group.say("!fin")
    await rings(group)
    assert await notices(group, "draft") == ([], [])
    assert await next_meeting_step_at(group.ctx) is None


async def test_who_talks_beneath_the_draft_corrects_nothing(group: Bridge) -> None:
    await held(group)
    await rings(group)
    draft = await draft_event(group)
    said = await group.say("Il manque le budget, non ?", **{"m.relates_to": {"m.in_reply_to": {"event_id": draft}}})
    thread = {"rel_type": "m.thread", "event_id": draft, "m.in_reply_to": {"event_id": said}}
    await group.say("Je regarde cela ce soir.", **{"m.relates_to": thread}, sender="@karim:lab.test")
    async with group.ctx.store.read() as conn:
        kept = await list_corrections(conn, (await meetings(group))[0].id)
    assert [one.text for one in kept] == ["Il manque le budget, non ?"]


async def test_a_whole_meeting_from_its_call_to_the_next_agenda(group: Bridge) -> None:
    await group.say("!réunion tous les mercredis 18h30 au local : bureau")
    first, *_ = await meetings(group)
    await group.receive(mail("ordre du jour : le frigo", subject="Frigo", message_id="frigo@x"))
    while (await meetings(group))[0].state != "convened":
        await rings(group)
    (convocation, *_) = [r for r in await group.outbox("email") if "/convocation/" in r.unique_key]
    answered = (str(convocation.message_id),)
    await group.receive(letter("Re: Réunion", "Je viens", message_id="v@x", answering=answered))
    group.clock[0] = max(group.now(), starts_at(first))
    await group.say("!début")
    for line in (
        "présents : Léa et Karim\nprésente : Mme Haddad, par téléphone",
        "ordre du jour : le loto",
        "point 1",
        "Le frigo de la salle est en panne depuis lundi.",
        "décision : acheter un frigo d’occasion",
        "action : @Léa chercher un frigo pour samedi",
    ):
        group.pass_time(minutes=3)
        await group.say(line)
    group.pass_time(minutes=3)
    await group.say("!fin")
    await all_leave(group)
    while not (await notices(group, "draft"))[0]:
        await rings(group)
    text = body_of((await notices(group, "draft"))[0][0])
    assert "acheter un frigo d’occasion" in text
    assert "Mme Haddad (par téléphone" in text
    assert "le frigo (traité)" in text
    assert "le loto (reporté)" in text
    await group.say("!approuver", sender="@karim:lab.test")
    while not (await notices(group, "approval"))[0]:
        await rings(group)
    following = (await meetings(group))[1]
    agenda = {item.text: (item.state, item.meeting_id) for item in await entries(group, "agenda")}
    assert agenda == {"le frigo": ("treated", first.id), "le loto": ("carried", following.id)}
    mails = [r for r in await group.outbox("email") if r.unique_key.startswith("about/meeting/1/")]
    assert len({row.unique_key for row in mails}) == len(mails)
