"""Whether mails can be known to be their authors': the receiving server's name, as the newest mails show it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from passerelle.check import Finding, Step, ok, warning
from passerelle.config import resolve_secret
from passerelle.core.email import Email
from passerelle.core.settings import ImapSettings, MailboxSettings
from passerelle.errors import AccessRefused, MalformedEmail, TemporaryFailure
from passerelle.i18n import _
from passerelle.mail.authentication import is_server, judge_authentication, topmost_authserv_id
from passerelle.mail.imap_session import ImapSession
from passerelle.mail.parse import parse_headers

#: UIDs that are looked at, from the newest backwards.
NEWEST = 50
_SHOWN = 3


def authentication_step(mailbox: MailboxSettings) -> Step:
    """Reads the headers of the newest mails, and marks none as read."""

    async def look() -> Iterable[Finding]:
        emails = None
        if mailbox.imap is not None:
            try:
                emails = await fetch_newest_headers(mailbox.imap, resolve_secret(mailbox.imap))
            except (AccessRefused, TemporaryFailure):
                # One cause is one problem: the step before has said which, and what to do.
                return [warning(_("Not looked at: the mailbox does not open."), _("Mend that first (see above)."))]
        return judge_authserv_id(mailbox.authserv_id, emails)

    return Step(name=_("Mailbox {name}: who mails are from").format(name=mailbox.name), look=look)


async def fetch_newest_headers(imap: ImapSettings, password: str | None) -> list[Email]:
    """Headers of the newest mails of the folder, as far as they can be read.

    Raises TemporaryFailure or AccessRefused with a plain English reason.
    """
    session = await ImapSession.open(imap, password)
    try:
        folder = await session.select(imap.folder)
        if not folder.message_count or folder.uidnext is None:
            return []
        fetched = await session.fetch_headers(f"{max(1, folder.uidnext - NEWEST)}:*")
    finally:
        await session.close()
    emails = []
    for one in fetched:
        try:
            emails.append(parse_headers(one.body or b""))
        except MalformedEmail:
            continue
    return emails


def judge_authserv_id(configured: str | None, emails: Sequence[Email] | None) -> list[Finding]:
    """What the newest mails show of the receiving server's name. Pure.

    Args:
        emails: None where there is no mailbox to look into (LMTP).
    """
    seen = Counter(topmost_authserv_id(email) for email in emails or ())
    named = Counter({name: count for name, count in seen.items() if name})
    if not configured:
        return [
            warning(_("Nothing proves that a mail is its author's: authserv_id is not set."), _advice(seen, emails))
        ]
    if not emails:
        return [ok(_("What {name} says of a mail is believed.").format(name=configured))]
    bearing = [email for email in emails if _bears(email, configured)]
    if not bearing:
        sentence = _("None of the newest {count} mails bears the name {name}.").format(
            count=len(emails), name=configured
        )
        return [warning(sentence, _advice(seen, emails))]
    proved = sum(judge_authentication(e, authserv_id=configured).proof == "author" for e in bearing)
    sentence = _("Of the newest {count} mails {bearing} bear the name {name}; of {proved} the author is proved.")
    found = [ok(sentence.format(bearing=len(bearing), count=len(emails), name=configured, proved=proved))]
    others = [name for name in named if not is_server(name, configured.lower())]
    if others:
        found.append(
            warning(
                _("Others bear another name on top: {names}.").format(names=_list_of(named, others)),
                _("Those prove nothing. Where all are your server's hosts, give the part that their names share."),
            )
        )
    return found


def suggested(names: Iterable[str]) -> str:
    """What to configure for these names: the name itself, or the longest domain that all of them share; "" for none."""
    labels = [name.split(".") for name in names]
    if not labels:
        return ""
    shared: list[str] = []
    for column in zip(*(reversed(one) for one in labels), strict=False):
        if len(set(column)) > 1:
            break
        shared.insert(0, column[0])
    whole = len(labels) == 1
    return ".".join(shared) if whole or len(shared) > 1 else ""


def _advice(seen: Counter[str | None], emails: Sequence[Email] | None) -> str:
    named = Counter({name: count for name, count in seen.items() if name})
    confirmed = _("Until then members confirm by a reply what needs a proof.")
    if name := suggested(named):
        sentence = _("The newest mails bear {names}. If that is your mail server, set authserv_id to {name}.")
        return f"{sentence.format(names=_list_of(named, named), name=name)} {confirmed}"
    if named:
        return _("The newest mails bear {names}: set authserv_id to the name of your mail server.").format(
            names=_list_of(named, named)
        )
    if seen.get(""):
        return _("Your mail server gives no name with its results (as Microsoft 365 does): nothing has to be done.")
    if emails is None:
        return _("Set it to the name that your own mail server writes into Authentication-Results.")
    return _("The newest mails bear no such name. Does your mail server write Authentication-Results?")


def _list_of(counted: Counter[str], names: Iterable[str]) -> str:
    wanted = set(names)
    return ", ".join([name for name, _count in counted.most_common() if name in wanted][:_SHOWN])


def _bears(email: Email, configured: str) -> bool:
    name = topmost_authserv_id(email)
    return name is not None and is_server(name, configured.lower())
