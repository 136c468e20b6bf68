"""Who really wrote a mail, behind what list servers write into From for DMARC's sake (RFC 7960). Pure.

| server | From | the author stands in |
|---|---|---|
| Mailman 2 and 3, munging | `Jean Dupont via Bureau <list>` | Reply-To, or Cc where replies go to the list |
| Sympa | `"Jean Dupont" (via bureau Mailing List) <list>` | X-Original-From, Reply-To |
| Google Groups | `'Jean Dupont' via Groupe <list>` | X-Original-From, X-Original-Sender, Reply-To |
"""

import re
from collections.abc import Iterable, Iterator

from passerelle.core.display_name import clean_display_name
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress
from passerelle.mail.addresses import parse_mailboxes

#: Between the author's name and the list's. `via` in any language stays `via` but in a few translations.
_VIA = re.compile(
    r"\s+\(?\s*(?:via|par|por|tramite|durch|über|przez|door|genom|через|au nom de|de la part de|on behalf of"
    r"|im auftrag von|en nombre de|a nome di)\s+\S",
    re.IGNORECASE,
)
#: Mailman 3 hides the domain of a nameless author: `jean.dupont--- via Bureau`.
_HIDDEN_DOMAIN = re.compile(r"---$")
_EVIDENCE = ("x-original-from", "x-original-sender")


def recover_author(email: Email, *, list_addresses: frozenset[MailAddress]) -> Mailbox | None:
    """The author of `email`, with a name fit to be shown (`core.display_name`), or None where nobody is named.

    `list_addresses`: every address of the list, domains in lower case. Only a From that is one of them, or that
    is on the domain of the mail's own List-Id and says `via`, is taken for the server's rewriting: an
    X-Original-From in a mail that a person sent could name anybody.

    The name may be empty. Where the author's address is nowhere, the list's own is returned with the name that is
    known: an address in `list_addresses` means "address unknown".
    """
    if not email.from_:
        return _cleaned(email.sender) if email.sender and email.sender.address not in list_addresses else None
    writer = email.from_[0]
    if not _is_rewritten(email, writer, list_addresses):
        return _cleaned(writer)
    name = _name_before_via(writer.name)
    known = "" if _HIDDEN_DOMAIN.search(name) else name
    found = next(_candidates(email, list_addresses | {writer.address}, name), None)
    if found is None:
        return _cleaned(Mailbox(name=known, address=writer.address))
    return _cleaned(Mailbox(name=_name_before_via(found.name) or known, address=found.address))


def _cleaned(mailbox: Mailbox) -> Mailbox:
    return Mailbox(name=clean_display_name(mailbox.name, address=mailbox.address), address=mailbox.address)


def _is_rewritten(email: Email, writer: Mailbox, list_addresses: frozenset[MailAddress]) -> bool:
    if writer.address in list_addresses:
        return True
    domain = writer.address.rpartition("@")[2]
    of_list = email.list_id is not None and (email.list_id == domain or email.list_id.endswith(f".{domain}"))
    return of_list and _VIA.search(writer.name) is not None


def _name_before_via(name: str) -> str:
    match = _VIA.search(name)
    return (name[: match.start()] if match else name).strip().strip("'\"")


def _candidates(email: Email, lists: frozenset[MailAddress], name: str) -> Iterator[Mailbox]:
    """Mailboxes that may be the author, the surest first."""
    for header in _EVIDENCE:
        yield from _outside(parse_mailboxes(email.headers.get(header, ())), lists)
    yield from _matching(email.reply_to, lists, name)
    yield from _matching(email.cc, lists, name)
    replies = list(_outside(email.reply_to, lists))
    if len(replies) == 1:
        yield replies[0]


def _outside(mailboxes: Iterable[Mailbox], lists: frozenset[MailAddress]) -> Iterator[Mailbox]:
    return (mailbox for mailbox in mailboxes if mailbox.address not in lists)


def _matching(mailboxes: Iterable[Mailbox], lists: frozenset[MailAddress], name: str) -> Iterator[Mailbox]:
    """Those that bear the name in From, or its local part where the author has no name.

    Cc holds others, too: a mailbox there is the author only if it says so.
    """
    wanted = _HIDDEN_DOMAIN.sub("", name).casefold()
    for mailbox in _outside(mailboxes, lists):
        local_part = mailbox.address.rpartition("@")[0].casefold()
        if wanted and wanted in {mailbox.name.casefold(), local_part, mailbox.address.casefold()}:
            yield mailbox
