"""A whole meeting: called in the room, answered in three ways, held, recorded, corrected and approved on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parseaddr

from lab.demo import script
from lab.demo.conversation import Scene
from lab.demo.mail_programs import addressed, request_of, signed_by, thunderbird_accepts, thunderbird_reply
from lab.demo.script import Notice, Text
from lab.demo.sides import Email, RoomItem, read_email, says
from lab.imap import text_of


async def play_meeting(scene: Scene) -> None:
    """Play all steps in order.

    :raises NotReadyError: when something does not arrive on the other side.
    """
    steps: tuple[Callable[[Scene], Awaitable[None]], ...] = (
        karim_calls,
        both_add_to_the_agenda,
        all_are_convened,
        each_answers_in_their_way,
        the_room_meets,
        both_are_told_what_to_do,
        the_draft_is_read,
        the_minutes_are_approved,
    )
    for step in steps:
        await step(scene)


async def karim_calls(scene: Scene) -> None:
    """A command in the room; the call for items of the agenda, on both sides."""
    async with scene.stage.step(
        "Karim appelle à une réunion, d'une ligne",
        f"Le temps est accéléré : l'appel part {script.CALL_SECONDS} secondes avant (10 jours d'ordinaire). "
        "Chaque côté dit de quoi parler.",
    ):
        call = script.call_for_meeting(datetime.now(UTC))
        await scene.chatting[script.KARIM].say(scene.room_id, call.text)
        await _room_tells(scene, script.MADE)
        await _both_are_told(scene, script.CALL)


async def both_add_to_the_agenda(scene: Scene) -> None:
    """An item by mail to the address that the mail gives, and one in the room."""
    async with scene.stage.step(
        "Monique ajoute un point par courriel, Léa dans le salon",
        "La réponse de Monique n'arrive qu'à la passerelle, qui la note. La ligne de Léa est aussi un message.",
    ):
        await _answer(scene, script.MONIQUE, await _mail(scene, script.CALL.in_list), script.MONIQUE_ITEM)
        await scene.chatting[script.LEA].say(scene.room_id, script.LEA_ITEM.text)
        await _mail(scene, script.ITEM_NOTED)
        await _sign(scene, script.LEA_ITEM)
        await scene.list_shows(script.LEA_ITEM)


async def all_are_convened(scene: Scene) -> None:
    """The convocation, on both sides, with the agenda; an invitation for each calendar."""
    async with scene.stage.step(
        "La convocation part des deux côtés, avec l'ordre du jour",
        "Une invitation pour l'agenda va à chaque adresse connue, jamais à celle de la liste.",
    ):
        await _both_are_told(scene, script.CONVOCATION)
        await _mail(scene, script.INVITATION)


async def each_answers_in_their_way(scene: Scene) -> None:
    """A word by mail, a button of a calendar, a word and signs in the room; one tally, told with the reminder."""
    async with scene.stage.step(
        "Chacun répond à sa façon, et un petit rappel part",
        "Monique d'un mot par courriel ; Léa, Inès et Karim dans le salon ; Paul d'un bouton de son agenda. "
        "Lui seul, ou Annie aussi ? La passerelle demande, elle répond « nous venons ». On compte tout ensemble.",
    ):
        convocation = await _room_tells(scene, script.CONVOCATION.in_room)
        karim, lea, ines = (scene.chatting[name] for name in (script.KARIM, script.LEA, script.INES))
        await _answer(scene, script.MONIQUE, await _mail(scene, script.CONVOCATION.in_list), script.MONIQUE_COMES)
        couple = scene.association.mail_members[script.PAUL_AND_ANNIE].mailbox
        invitation = await asyncio.to_thread(couple.wait_for, lambda mail: bool(request_of(mail)))
        accepted = thunderbird_accepts(scene.association, script.PAUL_AND_ANNIE, invitation)
        await scene.send(script.PAUL_AND_ANNIE, signed_by(accepted, script.PAUL))
        asked = await _letter_to_couple(scene, script.ASKED_WHO)
        await _answer(scene, script.PAUL_AND_ANNIE, asked, script.ANNIE_COUNTS_BOTH, name=script.ANNIE)
        await lea.react(scene.room_id, convocation.event_id, script.YES)
        await ines.react(scene.room_id, convocation.event_id, script.NO)
        await karim.reply(scene.room_id, convocation.event_id, script.KARIM_COMES.text)
        await _sign(scene, script.KARIM_COMES)
        await _room_tells(scene, script.TALLY)
        await _mail(scene, script.REMINDER)


async def the_room_meets(scene: Scene) -> None:
    """From « !début » to « !fin »: who is there, what is decided, who does what."""
    async with scene.stage.step(
        "La réunion se tient, et le salon la note",
        "Ce qui commence par « décision : » ou « action : » sera au compte rendu. "
        "La liste lit tout en un seul courriel.",
    ):
        karim, lea = scene.chatting[script.KARIM], scene.chatting[script.LEA]
        await karim.say(scene.room_id, script.KARIM_BEGINS.text)
        await _room_tells(scene, script.OPENED)
        for said in (script.LEA_PRESENT, script.LEA_EXCUSED, script.LEA_BY_PHONE):
            await lea.say(scene.room_id, said.text)
        for said in (script.KARIM_DECIDES, script.KARIM_ACTS):
            await karim.say(scene.room_id, said.text)
        # Whoever sees the signs knows that all is noted.
        for said in (script.LEA_BY_PHONE, script.KARIM_DECIDES, script.KARIM_ACTS):
            await _sign(scene, said)
        await karim.say(scene.room_id, script.KARIM_ENDS.text)
        await _room_tells(scene, script.CLOSED)
        await scene.list_shows(script.KARIM_ACTS)


async def both_are_told_what_to_do(scene: Scene) -> None:
    """The decision and the action leave for both sides, grouped; the delay to object begins."""
    async with scene.stage.step(
        "Chaque côté apprend ce qui est proposé, et qui fait quoi",
        f"On peut s'opposer pendant {script.OBJECTION_SECONDS} secondes (7 jours d'ordinaire), d'un mot, "
        "des deux côtés. Le silence ne vaut pas accord.",
    ):
        await _both_are_told(scene, script.PROPOSED)


async def the_draft_is_read(scene: Scene) -> None:
    """The draft on both sides; a correction by reply."""
    async with scene.stage.step(
        "Le compte rendu est à relire ; Paul corrige un nom par courriel",
        "Il s'écrit tout seul : décisions, actions, présences, et le lien vers ce qui s'est dit.",
    ):
        await _both_are_told(scene, script.DRAFT)
        draft = await _mail(scene, script.DRAFT.in_list)
        await _answer(scene, script.PAUL_AND_ANNIE, draft, script.PAUL_CORRECTS, name=script.PAUL)
        await _letter_to_couple(scene, script.CORRECTED)


async def the_minutes_are_approved(scene: Scene) -> None:
    """A coordinator's word approves the minutes and adopts what nobody objected to."""
    async with scene.stage.step(
        "Monique approuve : la décision est adoptée, le compte rendu part pour tous",
        "En PDF pour le classeur et en ODT pour y travailler ; le salon a le lien. "
        "Personne ne s'est opposé : c'est son mot qui décide, pas le silence.",
    ):
        await _mail(scene, script.TO_ADOPT)
        await _answer(scene, script.MONIQUE, await _mail(scene, script.DRAFT.in_list), script.MONIQUE_APPROVES)
        await _mail(scene, script.APPROVED_NOW)
        await _both_are_told(scene, script.APPROVED)
        await _both_are_told(scene, script.ADOPTED)


async def _answer(scene: Scene, member: str, answered: Email, said: Text, *, name: str = "") -> None:
    """Answer a mail with Thunderbird, at the address that it gives."""
    to = answered.reply_to or parseaddr(answered.author_line)[1]
    mail = addressed(thunderbird_reply(scene.association, member, answered, said.text), to)
    await scene.send(member, signed_by(mail, name) if name else mail)


async def _letter_to_couple(scene: Scene, words: str) -> Email:
    """Wait until a mail in Paul and Annie's mailbox says it."""
    mailbox = scene.association.mail_members[script.PAUL_AND_ANNIE].mailbox
    mail = await asyncio.to_thread(mailbox.wait_for, lambda mail: says(text_of(mail), words))
    return read_email(mail.as_bytes())


async def _mail(scene: Scene, words: str) -> Email:
    """Wait until a mail in Monique's mailbox says it."""

    def found() -> Email | None:
        return next((email for email in scene.watch.emails if says(email.unquoted, words)), None)

    await scene.watch.until(lambda _: found() is not None, what=f"« {words} » par courriel")
    email = found()
    assert email is not None
    return email


async def _room_tells(scene: Scene, words: str) -> RoomItem:
    """Wait until the bridge says it in the room."""

    def found() -> RoomItem | None:
        return next((item for item in scene.watch.room if item.is_notice and says(item.text, words)), None)

    await scene.watch.until(lambda _: found() is not None, what=f"« {words} » dans le salon")
    item = found()
    assert item is not None
    return item


async def _both_are_told(scene: Scene, notice: Notice) -> None:
    await _mail(scene, notice.in_list)
    await _room_tells(scene, notice.in_room)


async def _sign(scene: Scene, said: Text) -> None:
    """Wait until the bridge has put its sign on a line."""
    line = await scene.room_shows(said)
    ours = scene.association.bot.user_id
    await scene.watch.until(
        lambda seen: any(
            item.reaction and item.sender == ours and item.replies_to == line.event_id for item in seen.room
        ),
        what=f"un signe sous « {said.words} »",
    )
