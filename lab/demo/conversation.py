"""The conversation itself: each member acts through real SMTP or a real Matrix client, and waits for the other side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

from lab.association import Association, Attachment
from lab.daemon import Daemon
from lab.demo import script
from lab.demo.display import Stage
from lab.demo.drawings import draw_poster, draw_tables
from lab.demo.mail_programs import orange_reply, signed_by, thunderbird_reply
from lab.demo.script import Text
from lab.demo.sides import Email, RoomItem, says
from lab.demo.watch import Watch
from lab.matrix_client import ChatMember

#: Between two lines of a burst, so that eyes can follow.
BREATH_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Everyone and everything that the conversation needs."""

    association: Association
    daemon: Daemon
    chatting: dict[str, ChatMember]
    watch: Watch
    stage: Stage

    @property
    def room_id(self) -> str:
        """The room."""
        return self.association.room_id

    def in_room(self, said: Text) -> RoomItem | None:
        """Return the room's line that says it, if there is one."""
        return next((item for item in self.watch.room if says(item.text, said.words)), None)

    def in_list(self, said: Text) -> Email | None:
        """Return the mail that says it, and not only quotes it, if there is one."""
        return next((email for email in self.watch.emails if says(email.unquoted, said.words)), None)

    async def room_shows(self, said: Text) -> RoomItem:
        """Wait until the room shows it.

        :raises NotReadyError: when it does not come.
        """
        await self.watch.until(lambda _: self.in_room(said) is not None, what=f"« {said.words} » dans le salon")
        item = self.in_room(said)
        assert item is not None
        return item

    async def list_shows(self, said: Text) -> Email:
        """Wait until Monique's mailbox shows it.

        :raises NotReadyError: when it does not come.
        """
        await self.watch.until(lambda _: self.in_list(said) is not None, what=f"« {said.words} » sur la liste")
        email = self.in_list(said)
        assert email is not None
        return email

    async def send(self, member: str, mail: EmailMessage) -> None:
        """Hand a member's mail in by SMTP, for whom it is addressed to."""
        sender = self.association.mail_members[member].address
        recipients = [address.addr_spec for address in mail["To"].addresses]
        raw = mail.as_bytes(policy=SMTP_POLICY)
        await asyncio.to_thread(self.association.town.mail.send, sender, recipients, raw)


async def play(scene: Scene) -> None:
    """Play all steps in order.

    :raises NotReadyError: when something does not arrive on the other side.
    """
    steps: tuple[Callable[[Scene], Awaitable[None]], ...] = (
        both_are_told,
        monique_asks,
        the_room_answers,
        paul_replies,
        annie_replies,
        picture_and_new_subject,
        monique_answers_the_room,
    )
    for step in steps:
        await step(scene)


async def both_are_told(scene: Scene) -> None:
    """The notices; a line said before the coordinator's word; then her word."""
    async with scene.stage.step(
        "Chacun est prévenu ; Monique donne son accord",
        "Avant son accord (passerelle confirm), rien ne passe : la ligne de Karim reste dans le salon.",
    ):
        await scene.watch.until(
            lambda seen: bool(seen.emails) and any(item.is_notice for item in seen.room), what="les deux avis"
        )
        await scene.chatting[script.KARIM].say(scene.room_id, script.EARLY.text)
        await scene.room_shows(script.EARLY)
        await asyncio.to_thread(scene.daemon.confirm)


async def monique_asks(scene: Scene) -> None:
    """A question by mail, with an attachment."""
    async with scene.stage.step(
        "Monique écrit à la liste, comme toujours, avec une affiche",
        "Le salon reçoit ses mots et son image. Le pied de page de la liste n'y est pas.",
    ):
        poster = Attachment(name=script.POSTER_NAME, media_type="image/png", data=draw_poster())
        await scene.association.post(
            script.MONIQUE, script.QUESTION_SUBJECT, script.QUESTION.text, attachments=[poster]
        )
        await scene.list_shows(script.QUESTION)
        await scene.room_shows(script.QUESTION)
        await scene.watch.until(
            lambda seen: any(item.file and item.file.name == script.POSTER_NAME for item in seen.room), what="l’affiche"
        )


async def the_room_answers(scene: Scene) -> None:
    """A burst of two persons, a correction, a line that stays, a line that is taken back: one mail."""
    async with scene.stage.step(
        "Le salon répond vite, se corrige, se reprend : un seul courriel part",
        f"Il part après {script.QUIET_SECONDS} secondes de silence (10 minutes d'ordinaire). "
        "Ni la ligne //, ni le message repris, ni la première version n'y sont.",
    ):
        root = (await scene.room_shows(script.QUESTION)).event_id
        lea, karim, ines = (scene.chatting[name] for name in (script.LEA, script.KARIM, script.INES))
        await lea.say_in_thread(scene.room_id, root, script.LEA_OFFERS.text)
        await asyncio.sleep(BREATH_SECONDS)
        regretted = await karim.say_in_thread(scene.room_id, root, script.KARIM_REGRETS.text)
        await scene.room_shows(script.KARIM_REGRETS)
        await karim.redact(scene.room_id, regretted)
        counted = await lea.say_in_thread(scene.room_id, root, script.LEA_COUNTS.text)
        await karim.say_in_thread(scene.room_id, root, script.KARIM_OFFERS.text)
        await scene.room_shows(script.LEA_COUNTS)
        await lea.edit(scene.room_id, counted, script.LEA_CORRECTS.text)
        await ines.say_in_thread(scene.room_id, root, script.INES_ASIDE.text)
        for said in (script.LEA_OFFERS, script.KARIM_OFFERS, script.LEA_CORRECTS):
            await scene.list_shows(said)


async def paul_replies(scene: Scene) -> None:
    """A reply in Thunderbird's style, and a reaction to it."""
    async with scene.stage.step(
        "Paul répond par courriel, avec tout le fil cité et sa signature",
        "Le salon ne montre que ses mots. Le courriel entier reste à un clic : original.txt.",
    ):
        answered = await scene.list_shows(script.KARIM_OFFERS)
        mail = thunderbird_reply(
            scene.association,
            script.PAUL_AND_ANNIE,
            answered,
            script.PAUL_ANSWERS.text,
            signature=script.PAUL_SIGNATURE.text,
        )
        await scene.send(script.PAUL_AND_ANNIE, signed_by(mail, script.PAUL))
        await scene.list_shows(script.PAUL_ANSWERS)
        shown = await scene.room_shows(script.PAUL_ANSWERS)
        await _originals(scene, 1)
        await scene.chatting[script.INES].react(scene.room_id, shown.event_id, script.REACTION)
        await scene.watch.until(lambda seen: any(item.reaction for item in seen.room), what="la réaction")


async def annie_replies(scene: Scene) -> None:
    """A reply in Orange's style, from the address that two persons share."""
    async with scene.stage.step(
        "Annie répond, de la même adresse que Paul, avec la messagerie d'Orange",
        "Tout ce qui suit « Message du… » est laissé de côté, jamais perdu.",
    ):
        answered = await scene.list_shows(script.PAUL_ANSWERS)
        mail = orange_reply(scene.association, script.PAUL_AND_ANNIE, answered, script.ANNIE_ANSWERS.text)
        await scene.send(script.PAUL_AND_ANNIE, signed_by(mail, script.ANNIE))
        await scene.list_shows(script.ANNIE_ANSWERS)
        await scene.room_shows(script.ANNIE_ANSWERS)
        await _originals(scene, 2)


async def picture_and_new_subject(scene: Scene) -> None:
    """A picture in the thread, and a question that answers nothing: two conversations, two mails."""
    async with scene.stage.step(
        "Une image du salon vers la liste ; Inès parle d'autre chose",
        "Deux conversations, deux courriels. La réaction d'Inès est dite en une ligne.",
    ):
        root = (await scene.room_shows(script.QUESTION)).event_id
        karim, ines = scene.chatting[script.KARIM], scene.chatting[script.INES]
        await karim.say_in_thread(scene.room_id, root, script.KARIM_PLANS.text)
        await _send_picture_in_thread(karim, scene.room_id, root)
        await asyncio.sleep(BREATH_SECONDS)
        await ines.say(scene.room_id, script.INES_ASKS.text)
        for said in (script.KARIM_PLANS, script.INES_ASKS):
            await scene.list_shows(said)


async def monique_answers_the_room(scene: Scene) -> None:
    """A mail that answers a chat mail goes into the thread of the line that began it."""
    async with scene.stage.step(
        "Monique répond à Inès par courriel",
        "Sa réponse va sous la question d'Inès, pas au bas du salon.",
    ):
        answered = await scene.list_shows(script.INES_ASKS)
        mail = thunderbird_reply(scene.association, script.MONIQUE, answered, script.MONIQUE_KEY.text)
        await scene.send(script.MONIQUE, mail)
        await scene.list_shows(script.MONIQUE_KEY)
        await scene.room_shows(script.MONIQUE_KEY)
        await _originals(scene, 3)


async def nothing_comes_twice(scene: Scene) -> None:
    """Wait a whole quiet period more: a double or a leak would come now."""
    with scene.stage.console.status("Encore un temps de silence : rien ne doit arriver de plus…"):
        await asyncio.sleep(script.QUIET_SECONDS + 1)


async def _originals(scene: Scene, number: int) -> None:
    """Wait until the untouched texts of that many mails are attached in the room."""
    await scene.watch.until(
        lambda seen: sum(bool(item.file and item.file.text) for item in seen.room) >= number,
        what="le courriel entier, joint",
    )


async def _send_picture_in_thread(person: ChatMember, room_id: str, root: str) -> None:
    data = draw_tables()
    content = {
        "msgtype": "m.image",
        "body": script.TABLES_NAME,
        "filename": script.TABLES_NAME,
        "url": await person.upload(data, script.TABLES_NAME, "image/png"),
        "info": {"mimetype": "image/png", "size": len(data), "w": 560, "h": 360},
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": root},
        },
    }
    await person.send_event(room_id, "m.room.message", content)
