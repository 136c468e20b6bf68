"""One notice for one person, in the medium where they are active: by a direct message who chats, by mail who writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, UserId
from passerelle.core.links import Link
from passerelle.core.settings import Coordinator
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.store.people import list_addresses, list_user_ids
from passerelle.store.rooms import find_member


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalNotice:
    """What a person is told: a template of `templates/mail` and of `templates/room`."""

    template: str
    unique_key: str
    #: `name` is added: whose notice it is.
    variables: Mapping[str, Any] = field(default_factory=dict)
    #: Its reader chose the hour: it leaves in quiet hours too.
    at_once: bool = False


async def reach_person(
    ctx: FlowContext, conn: AsyncConnection, link: Link, person_id: int, name: str, notice: PersonalNotice
) -> bool:
    """Tell a person; False where they have neither an address nor a place in the room, or were told already.

    Who is in the room is told there: who chats may never open the mailbox. Everyone else by mail.
    """
    variables = {"name": name, **notice.variables}
    room_id = ctx.links.room_of(link)
    for user_id in await list_user_ids(conn, person_id):
        member = await find_member(conn, room_id, user_id) if room_id is not None else None
        if member is not None and member.membership == "join":
            return await _by_chat(ctx, conn, link, user_id, notice, variables)
    addresses = await list_addresses(conn, person_id)
    if not addresses:
        return False
    return await _by_mail(ctx, conn, link, Mailbox(name=name, address=addresses[0]), notice, variables)


async def reach_coordinator(
    ctx: FlowContext, conn: AsyncConnection, link: Link, coordinator: Coordinator, notice: PersonalNotice
) -> bool:
    """Tell a coordinator of the configuration; False where neither an address nor a user ID is given there."""
    variables = {"name": coordinator.name, **notice.variables}
    if coordinator.address is not None:
        to = Mailbox(name=coordinator.name, address=MailAddress(coordinator.address))
        return await _by_mail(ctx, conn, link, to, notice, variables)
    if coordinator.matrix is not None:
        return await _by_chat(ctx, conn, link, UserId(coordinator.matrix), notice, variables)
    return False


async def _by_chat(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    to: UserId,
    notice: PersonalNotice,
    variables: Mapping[str, Any],
) -> bool:
    message = DirectMessage(
        to=to, template=notice.template, unique_key=notice.unique_key, variables=variables, at_once=notice.at_once
    )
    return await insert_direct_message(ctx, conn, link, message) is not None


async def _by_mail(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    to: Mailbox,
    notice: PersonalNotice,
    variables: Mapping[str, Any],
) -> bool:
    mail = Personal(
        to=to, template=notice.template, unique_key=notice.unique_key, variables=variables, at_once=notice.at_once
    )
    return await insert_personal_email(ctx, conn, link, mail) is not None
