"""A small conversation on both sides of a link, every word of it in a ledger; each act waits until it can be done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email.message import Message

from lab.association import Association, Attachment
from lab.imap import subject_of, text_of
from lab.ledger import Ledger, Line, Mail
from lab.matrix_client import ChatMember, Event

#: What a person waits for while the daemon dies and comes back.
PATIENCE_SECONDS = 90


@dataclass(kw_only=True)
class Conversation:
    """What the members of one association say; they do not know whether the daemon runs."""

    association: Association
    ledger: Ledger = field(default_factory=Ledger)

    async def write(self, member: str, *, answers: Message | None = None, has_file: bool = False) -> str:
        """Write a mail to the list, in answer to one that the member got from it; return its word."""
        word = self.ledger.new_word()
        chain = [*str(answers["References"] or "").split(), str(answers["Message-ID"])] if answers else []
        subject = f"Re: {subject_of(answers)}" if answers else f"Le sujet de {word}"
        files = [Attachment(name=f"plan-{word}.pdf", media_type="application/pdf", data=word.encode() * 300)]
        mail = self.association.compose(
            member, subject, f"Bonjour, {word} !\n", answering=chain, attachments=files if has_file else ()
        )
        # Noted first: once the server has it, it counts, whatever becomes of the answer.
        message_id = str(mail["Message-ID"])
        about = self.ledger.words_of(answers) if answers else ()
        self.ledger.note_mail(Mail(word=word, message_id=message_id, answers=about, has_file=has_file))
        await self.association.post_raw(member, mail.as_bytes())
        return word

    async def say(self, person: ChatMember, *, root: str | None = None, replies_to: str | None = None) -> Line:
        """Say a line: in the thread of the event ``root``, in reply to an event, or by itself."""
        word, room = self.ledger.new_word(), self.association.room_id
        text = f"Une ligne avec {word} dedans"
        if root is not None:
            event_id = await person.say_in_thread(room, root, text)
        elif replies_to is not None:
            event_id = await person.reply(room, replies_to, text)
        else:
            event_id = await person.say(room, text)
        line = Line(word=word, event_id=event_id, thread_root=root, replies_to=replies_to)
        self.ledger.note_line(line)
        return line

    async def show_file(self, person: ChatMember) -> Line:
        """Show a file in the room."""
        word = self.ledger.new_word()
        event_id = await person.send_file(
            self.association.room_id, word.encode() * 200, f"affiche-{word}.pdf", "application/pdf"
        )
        line = Line(word=word, event_id=event_id, is_file=True)
        self.ledger.note_line(line)
        return line

    async def seen_in_room(self, person: ChatMember, word: str) -> Event:
        """Wait until somebody sees a mail in the room; return its event."""

        def shows(event: Event) -> bool:
            content = event["content"]
            return event["type"] == "m.room.message" and content.get("msgtype") == "m.text" and word in content["body"]

        return await person.wait_for(self.association.room_id, shows, deadline_seconds=PATIENCE_SECONDS)

    async def seen_in_mailbox(self, member: str, word: str) -> Message:
        """Wait until somebody sees a mail or a line in the mailbox; return the mail that holds it."""
        mailbox = self.association.mail_members[member].mailbox
        return await asyncio.to_thread(
            mailbox.wait_for, lambda mail: word in text_of(mail), deadline_seconds=PATIENCE_SECONDS
        )
