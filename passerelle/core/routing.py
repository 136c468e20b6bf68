"""To which link an email belongs: by List-Id, then by recipient address. What belongs to none is left alone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from passerelle.core.email import Email
from passerelle.core.ids import MailAddress
from passerelle.core.links import BRIDGE_LANE, Link

#: Fields in which a receiving server notes for whom it took an email (none is standard; RFC 5321 §7.2 allows them).
_RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to")
#: RFC 5322 addr-spec, loosely, in a header field.
_ADDRESS = re.compile(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where an email goes: to a link, or to the bridge itself (`link` None)."""

    link: Link | None
    #: A copy that reached the bridge beside the list: the list's own copy is the one that counts.
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
    for link in links:
        if taken_for & link.list_addresses or _tag_names(link, taken_for, bridge):
            return Route(link=link)
    named = {m.address for m in (*email.to, *email.cc)}
    silent = [link for link in links if named & link.list_addresses]
    if silent and bridge not in named:
        # A list that adds no header of its own: it can only be known by whom the email is addressed to.
        return Route(link=silent[0])
    if bridge in {_without_tag(a) for a in named} or email.return_path == "":
        return Route(link=None, beside_the_list=bool(silent))
    return None


def _addresses_in(email: Email, *fields: str) -> set[MailAddress]:
    found: set[MailAddress] = set()
    for field in fields:
        for value in email.headers.get(field, ()):
            for text in _ADDRESS.findall(value.replace("mailto:", " ")):
                local, _, domain = text.split("?")[0].rpartition("@")
                found.add(MailAddress(f"{local}@{domain.lower()}"))
    return found


def _without_tag(address: MailAddress) -> MailAddress:
    """`bridge+tag@host` is a subaddress of `bridge@host` (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return MailAddress(f"{local.split('+', 1)[0]}@{domain}")


def _tag_names(link: Link, taken_for: Iterable[MailAddress], bridge: MailAddress) -> bool:
    """Whether a subaddress of the bridge names this link: `bridge+linkname@host` is subscribed to the list."""
    local, _, domain = bridge.rpartition("@")
    return f"{local}+{link.settings.name}@{domain}" in {str(a) for a in taken_for}
