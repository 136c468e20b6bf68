"""A mail to the bridge about its writer's own data: seen, erased, a post taken out (PEOPLE 6, 7).

Anyone can write under another's address. So what shows or erases begins only when the answer « oui » comes to a mail
that went to the address as it is stored; what hides a post, and can be undone, is done at once, and told to that
address. An unknown address gets the answer that everyone gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.core.privacy_words import PrivacyWish, parse_privacy_wish
from passerelle.flows.asked_back import find_asked
from passerelle.flows.context import FlowContext
from passerelle.flows.hide_post import hide_post
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.mail.trim import visible_text
from passerelle.store.batches import list_lines_of_mail
from passerelle.store.incidents import insert_incident
from passerelle.store.people import find_person
from passerelle.store.posts import find_post
from passerelle.store.privacy import (
    KnownPerson,
    NewPrivacyRequest,
    RequestKind,
    confirm_request,
    find_known_person,
    find_persons,
    find_request,
    find_unconfirmed,
    insert_request,
)
from passerelle.store.threads import find_message_ids

CONFIRM_KEY = "privacy_confirm:"
#: How long a « oui » is waited for.
_WAIT = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A human's mail to the bridge."""

    email: Email
    author: Mailbox


async def take_privacy_mail(
    ctx: FlowContext, conn: AsyncConnection, letter: Letter, links: Sequence[Link]
) -> str | None:
    """Do what a mail asks for; the reason by which it is finished, or None where it asks for nothing of the kind."""
    wish = parse_privacy_wish(letter.email.subject, visible_text(letter.email.text or ""))
    if wish is None:
        return None
    if wish == "yes":
        return await _confirm(ctx, conn, letter)
    if wish == "hide":
        return await _hide(ctx, conn, letter)
    for name in dict.fromkeys(link.association_name for link in links):
        link = next(link for link in links if link.association_name == name)
        person = await _person_of(conn, link, letter)
        if person is not None:
            return await _ask_back(ctx, conn, link, person, wish, letter)
    return None


async def _person_of(conn: AsyncConnection, link: Link, letter: Letter) -> KnownPerson | None:
    """Who wrote it: by the address, and by the name where several share it. None where that is not clear."""
    found = [
        one
        for one in await find_persons(conn, link.association_name, letter.author.address)
        if _is_stored(one, letter.author.address)
    ]
    if len(found) <= 1:
        return found[0] if found else None
    address = next(a for a in found[0].addresses if a.lower() == letter.author.address.lower())
    id = await find_person(conn, link.association_name, name=letter.author.name, address=address)
    person = await find_known_person(conn, id) if id is not None else None
    return person if person and person.name.casefold() == letter.author.name.casefold() else None


def _is_stored(person: KnownPerson, address: MailAddress) -> bool:
    return any(one.lower() == address.lower() for one in person.addresses)


async def _ask_back(
    ctx: FlowContext, conn: AsyncConnection, link: Link, person: KnownPerson, wish: PrivacyWish, letter: Letter
) -> str:
    """Ask the stored address whether it is meant; one question a day and kind."""
    kind: RequestKind = "access" if wish == "access" else "erase"
    now = ctx.now()
    if await find_unconfirmed(conn, person.id, kind, since=now - timedelta(days=1)) is not None:
        return f"privacy_{kind}"
    request_id = await insert_request(
        conn,
        NewPrivacyRequest(
            association=link.association_name,
            kind=kind,
            person_id=person.id,
            subject={"person": person.id},
            by="author",
            asked_at=now,
        ),
    )
    stored = next(a for a in person.addresses if a.lower() == letter.author.address.lower())
    await insert_personal_email(
        ctx,
        conn,
        link,
        Personal(
            to=Mailbox(name=person.name, address=stored),
            template=f"privacy_confirm_{kind}",
            unique_key=f"{CONFIRM_KEY}{request_id}",
            answers=letter.email,
            variables={"name": person.name, "until": now + _WAIT},
        ),
    )
    return f"privacy_{kind}"


async def _confirm(ctx: FlowContext, conn: AsyncConnection, letter: Letter) -> str | None:
    """« oui », in answer to the very mail that asked, from the address that it went to."""
    ours = await find_asked(conn, answers=letter.email.in_reply_to, by=letter.author.address, key=CONFIRM_KEY)
    if ours is None:
        return None
    request = await find_request(conn, int(ours.unique_key.removeprefix(CONFIRM_KEY)))
    link = ctx.links.find(f"{ours.association}/{ours.link}")
    if request is None or link is None:
        return None
    if ctx.now() > request.asked_at + _WAIT or not await confirm_request(conn, request.id, ctx.now()):
        return "privacy_over"
    await insert_incident(
        conn,
        association=link.association_name,
        kind=f"privacy_{request.kind}",
        key=f"privacy:{request.id}",
        detail=str(request.id),
        at=ctx.now(),
    )
    return "privacy_confirmed"


async def _hide(ctx: FlowContext, conn: AsyncConnection, letter: Letter) -> str | None:
    """`retirer`, in answer to a post: by its author, or by a coordinator."""
    for message_id in letter.email.in_reply_to[:1]:
        for link in ctx.links:
            posts = await _posts_of(conn, link, message_id)
            person = await _person_of(conn, link, letter)
            coordinator = next(
                (
                    c
                    for c in link.association.coordinators
                    if (c.address or "").lower() == letter.author.address.lower()
                ),
                None,
            )
            mine = [post for post in posts if person is not None and post.person_id == person.id]
            chosen = mine or (posts if coordinator is not None and len(posts) == 1 else [])
            if not chosen:
                continue
            by = coordinator.name if coordinator is not None and not mine else letter.author.name
            for post in chosen:
                await hide_post(ctx, conn, post.id, by=by, is_author=bool(mine))
            await _tell_hidden(ctx, conn, link, letter, {"count": len(chosen), "subject": chosen[0].subject})
            return "hidden"
    return None


async def _posts_of(conn: AsyncConnection, link: Link, message_id: Any) -> list[Post]:
    """The post that a Message-ID is, or the lines of the mail that it is."""
    known = (await find_message_ids(conn, link.association_name, [message_id])).get(message_id)
    if known is None:
        return []
    if known.batch_id is not None:
        lines = await list_lines_of_mail(conn, link.association_name, message_id)
        return [post for line, post in lines if line.kind == "line" and post.link == link.name]
    post = await find_post(conn, known.post_id) if known.post_id is not None else None
    return [post] if post is not None and post.link == link.name else []


async def _tell_hidden(
    ctx: FlowContext, conn: AsyncConnection, link: Link, letter: Letter, variables: Mapping[str, Any]
) -> None:
    key = ctx.hashed("hidden", letter.email.message_id or "", letter.author.address.lower())
    await insert_personal_email(
        ctx,
        conn,
        link,
        Personal(
            to=letter.author,
            template="hidden_post",
            unique_key=f"hidden_post:{key}",
            answers=letter.email,
            variables=variables,
        ),
    )
