"""To which link an email belongs: by List-Id, then by recipient address. What belongs to none is left alone.

| the email bears                                                        | it belongs to              |
|------------------------------------------------------------------------|----------------------------|
| List-Id or List-Post of a link's list                                  | that link                  |
| List-Id or List-Post of another list                                   | nobody here                |
| neither; the server took it for the list's address, or `bridge+link@`  | that link                  |
| neither; To or Cc name a list that is said to add no header            | that link                  |
| neither; To or Cc name any other list                                  | the bridge: a copy beside  |
| neither; To or Cc name the bridge, or it has a null return path        | the bridge: private        |
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from passerelle.core.email import Email
from passerelle.core.ids import MailAddress
from passerelle.core.links import BRIDGE_LANE, Link

#: Fields in which a receiving server notes for whom it took an email (none is standard; RFC 5321 §7.2 allows them).
_RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to")
#: What stands around an addr-spec in a header field. Split at, never searched for: a long word costs its length once.
_SEPARATOR = re.compile(r"[\s<>,;:\"()]")
#: RFC 5321 §4.5.3.1: a path has at most 256 octets; longer words are nobody's address.
_MAX_ADDRESS = 320
#: What is looked at of one field: servers that note a recipient write one or a few.
_MAX_FIELD = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where an email goes: to a link, or to the bridge itself (`link` None)."""

    link: Link | None
    #: It names a list and bears no sign of having passed through it: the list's own copy is the one that counts.
    beside_the_list: bool = False

    @property
    def lane(self) -> str:
        return self.link.inbox_lane if self.link else BRIDGE_LANE


def route(email: Email, links: Iterable[Link], *, bridge: MailAddress, recipient: MailAddress | None) -> Route | None:
    """Decide on the header of an email that is in the mailbox of address `bridge`.

    Args:
        links: those that use this mailbox.
        recipient: RCPT TO where the mail server handed it over by LMTP.

    Returns:
        None for an email that is neither a list's nor addressed to the bridge: a stranger's, to be left untouched.
    """
    links = list(links)
    for link in links:
        if email.list_id == link.list_id:
            return Route(link=link)
    posted = _addresses_in(email, "list-post")
    for link in links:
        if posted & link.list_addresses:
            return Route(link=link)
    if email.list_id or posted:
        return None
    taken_for = _addresses_in(email, *_RECIPIENT_FIELDS) | ({recipient} if recipient else set())
    named = {m.address for m in (*email.to, *email.cc)}
    of_list = [link for link in links if named & link.list_addresses]
    meant = [link for link in links if taken_for & link.list_addresses or _tag_names(link, taken_for, bridge)]
    if len(meant) > 1:
        # `bridge+bureau@` where two associations have a `bureau`: only To and Cc can tell.
        meant = [link for link in meant if link in of_list]
        return Route(link=meant[0] if len(meant) == 1 else None)
    if meant:
        return Route(link=meant[0])
    silent = [link for link in of_list if link.settings.mailing_list.without_headers]
    if silent and bridge not in named:
        return Route(link=silent[0])
    if of_list:
        # Anyone can write To: the list and hand it to the bridge alone. What the list sent bears the list's sign.
        return Route(link=None, beside_the_list=True)
    if bridge in {_without_tag(a) for a in named} or email.return_path == "":
        return Route(link=None)
    return None


def _addresses_in(email: Email, *fields: str) -> set[MailAddress]:
    found: set[MailAddress] = set()
    for field in fields:
        for value in email.headers.get(field, ()):
            for word in _SEPARATOR.split(value[:_MAX_FIELD]):
                local, _, domain = word.partition("?")[0].rpartition("@")
                if local and domain and len(word) <= _MAX_ADDRESS:
                    found.add(MailAddress(f"{local}@{domain.lower()}"))
    return found


def _without_tag(address: MailAddress) -> MailAddress:
    """`bridge+tag@host` is a subaddress of `bridge@host` (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return MailAddress(f"{local.split('+', 1)[0]}@{domain}")


def _tag_names(link: Link, taken_for: Iterable[MailAddress], bridge: MailAddress) -> bool:
    """Whether a subaddress of the bridge names this link: `bridge+linkname@host` is subscribed to the list."""
    local, _, domain = bridge.rpartition("@")
    return f"{local}+{link.settings.name}@{domain}".lower() in {a.lower() for a in taken_for}
