"""Deleting emails in the bridge's own mailboxes, as flows ask for it: with the login of the configuration."""

from collections.abc import Sequence

from passerelle import config
from passerelle.core.settings import MailboxSettings
from passerelle.flows.erase import MailboxErased
from passerelle.mail.imap_erase import erase_emails


async def erase_in_mailbox(box: MailboxSettings, message_ids: Sequence[str]) -> MailboxErased:
    """Delete them in one mailbox; nothing where mail is handed over by LMTP, since there is none.

    Raises DeliveryFailure where the mailbox cannot be reached, ConfigError where its password cannot be read.
    """
    if box.imap is None:
        return MailboxErased(count=0, folders=())
    erased = await erase_emails(box.imap, config.resolve_secret(box.imap), message_ids)
    return MailboxErased(count=erased.count, folders=erased.folders, left=erased.left)
