"""Which steps `passerelle check` takes for a configuration, in which order. Taking them is `check.take`'s."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from passerelle.check import Step, configuration_step
from passerelle.check_archive import archive_step
from passerelle.check_authentication import authentication_step
from passerelle.check_mail import incoming_step, outgoing_step
from passerelle.check_matrix import MatrixAccess, account_step, rate_limit_step, room_step
from passerelle.check_send import SendTest, send_step
from passerelle.check_tls import certificate_step, server_endpoint, url_endpoint
from passerelle.config import resolve_secret
from passerelle.core.ids import MessageId
from passerelle.core.settings import AssociationSettings, LinkSettings, MailboxSettings, Settings
from passerelle.i18n import _
from passerelle.mail.smtp import SmtpSender

Chosen = tuple[AssociationSettings, LinkSettings]
#: What base64 makes of attachments (RFC 2045 §6.8), lines ends included.
BASE64_GROWTH = 1.37


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckPlan:
    """What is to be looked at."""

    settings: Settings
    file: Path
    #: `association/link` of each link that is looked at.
    links: frozenset[str]
    send_test: bool = False
    #: Our header field for a test mail to a link (`association/link`), where a store is there to make it.
    mark: Callable[[str, MessageId], tuple[str, str]] | None = None
    now: Callable[[], datetime] = utc_now


@asynccontextmanager
async def planned_steps(plan: CheckPlan) -> AsyncIterator[list[Step]]:
    """The steps; afterwards the login that they share is ended."""
    access = MatrixAccess(plan.settings.matrix)
    try:
        yield plan_steps(plan, access)
    finally:
        await access.close()


def plan_steps(plan: CheckPlan, access: MatrixAccess) -> list[Step]:
    """The steps, cheap and local ones first; the test mail, which people get, at the end."""
    chosen = list(_chosen(plan))
    boxes = {link.mailbox for _association, link in chosen}
    steps = [configuration_step(plan.settings, plan.file)]
    for mailbox in plan.settings.mailboxes:
        if mailbox.name in boxes:
            steps += _mailbox_steps(mailbox, [link for _a, link in chosen if link.mailbox == mailbox.name], plan)
    steps += _matrix_steps(plan, access, chosen)
    for association, link in chosen:
        if link.mailing_list.archive_url:
            name = _("Archive of {link}").format(link=f"{association.name}/{link.name}")
            steps.append(archive_step(name, link.mailing_list.archive_url))
    if plan.send_test:
        steps += [_send_step(plan, association, link) for association, link in chosen]
    return steps


def _chosen(plan: CheckPlan) -> Iterator[Chosen]:
    for association in plan.settings.associations:
        for link in association.links:
            if f"{association.name}/{link.name}" in plan.links:
                yield association, link


def _mailbox_steps(mailbox: MailboxSettings, links: list[LinkSettings], plan: CheckPlan) -> Iterator[Step]:
    now = plan.now()
    if mailbox.imap is not None:
        name = _("Mailbox {name}: certificate of {host}").format(name=mailbox.name, host=mailbox.imap.host)
        yield certificate_step(name, server_endpoint(mailbox.imap, "imap"), host=mailbox.imap.host, now=now)
    yield incoming_step(mailbox)
    yield authentication_step(mailbox)
    name = _("Mailbox {name}: certificate of {host}").format(name=mailbox.name, host=mailbox.smtp.host)
    yield certificate_step(name, server_endpoint(mailbox.smtp, "smtp"), host=mailbox.smtp.host, now=now)
    largest = max(link.attachments_limit_bytes for link in links)
    yield outgoing_step(mailbox, largest_bytes=int(largest * BASE64_GROWTH))


def _matrix_steps(plan: CheckPlan, access: MatrixAccess, chosen: list[Chosen]) -> Iterator[Step]:
    url = plan.settings.matrix.homeserver
    host = urlsplit(url).hostname or url
    name = _("Matrix: certificate of {host}").format(host=host)
    yield certificate_step(name, url_endpoint(url), host=host, now=plan.now())
    yield account_step(access)
    for association, link in chosen:
        yield room_step(access, f"{association.name}/{link.name}", link)
    # Last: after a burst the homeserver may slow everything else.
    yield rate_limit_step(access)


def _send_step(plan: CheckPlan, association: AssociationSettings, link: LinkSettings) -> Step:
    mailbox = next(m for m in plan.settings.mailboxes if m.name == link.mailbox)
    return send_step(
        SendTest(
            association=association,
            link=link,
            mailbox=mailbox,
            make_sender=lambda: SmtpSender(mailbox.smtp, resolve_secret(mailbox.smtp)),
            now=plan.now,
            mark=partial(plan.mark, f"{association.name}/{link.name}") if plan.mark is not None else None,
        )
    )
