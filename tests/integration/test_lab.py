"""The lab's servers: each starts, does its real job once, and is gone afterwards whatever happens."""

from __future__ import annotations

from email import message_from_bytes

from lab.association import Association, Attachment
from lab.imap import subject_of, text_of


async def test_a_post_reaches_every_member_through_the_list(association: Association) -> None:
    attachment = Attachment(name="été.pdf", media_type="application/pdf", data=b"%PDF-1.4 lab")
    message_id = await association.post("monique", "Réunion de mardi", "Qui vient ?\n", attachments=[attachment])
    for mailbox in (association.mail_members["paul"].mailbox, association.bridge_mailbox):
        mail = mailbox.wait_for(lambda mail: mail["Message-ID"] == message_id)
        assert subject_of(mail) == "[bureau] Réunion de mardi"
        assert f"<{association.mlist.list_id}>" in mail["List-Id"]
        assert "Qui vient ?" in text_of(mail)
        assert [part.get_payload(decode=True) for part in mail.walk() if part.get_filename() == "été.pdf"] == [
            b"%PDF-1.4 lab"
        ]
