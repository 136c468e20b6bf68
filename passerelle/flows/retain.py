"""Once a night: what was kept for long enough goes, a few rows in each transaction. What stands in rooms is theirs.

A post that goes leaves its tombstone, so threads keep their shape; quotes of it in later posts go in their own time.
The homeserver and the list have rules of their own for what they keep.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from passerelle.core.digest_forgetting import Gone
from passerelle.core.ids import AssociationName, PostId
from passerelle.core.links import Link
from passerelle.core.quoted_words import MarkWords, traces_of
from passerelle.core.retention import digests_before, limits_of, next_night, night_of
from passerelle.errors import DeliveryFailure
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_forgetting import forget_in_digests
from passerelle.flows.erase import EraseEmails
from passerelle.flows.erase_digests import erase_posts_in_digests
from passerelle.flows.erase_quotes import copy_of_email
from passerelle.flows.erase_rows import erase_post
from passerelle.flows.erase_traces import Erasing
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.privacy_answers import forget_answers
from passerelle.mail.redacted_copy import Wanted
from passerelle.store.attachments import forget_attachments, list_attachments
from passerelle.store.blobs import get_blob
from passerelle.store.fiches import forget_old_drafts
from passerelle.store.not_kept import list_mails_not_kept
from passerelle.store.outbox import list_outbox_of_post
from passerelle.store.pages import are_pages_left, renew_pages
from passerelle.store.posts import get_post
from passerelle.store.privacy import PrivacyRequest
from passerelle.store.retention import (
    find_night,
    forget_old_arrivals,
    forget_old_departures,
    forget_old_notes,
    list_old_posts,
    list_posts_with_old_files,
    set_night,
)
from passerelle.store.retention_secretary import (
    delete_meetings,
    forget_old_answers,
    list_old_entries,
    list_old_meetings,
)
from passerelle.store.scrub import forget_file_texts, replace_bytes, set_state_and_reindex
from passerelle.store.scrub_digests import forget_old_digests
from passerelle.store.scrub_secretary import delete_asks_about, delete_entries
from passerelle.store.scrub_traffic import forget_content

log = logging.getLogger(__name__)

#: Mails that were not to be archived are looked for in the mailbox so long after they came.
_LOOK_BACK = timedelta(days=8)
_STEP = 20
_LOG_STEP = 200


async def next_retention_at(ctx: FlowContext) -> datetime | None:
    """When the next night's work is due."""
    due: list[datetime] = []
    async with ctx.store.read() as conn:
        for name, zone in {k.association_name: k.zone for k in ctx.links}.items():
            due.append(next_night(await find_night(conn, name), ctx.now(), zone))
    return min(due, default=None)


async def retain(ctx: FlowContext, *, emails: EraseEmails | None = None) -> Mapping[str, int]:
    """Do the night's work where it is due and not done; how much went. Safe to be ended and begun anew."""
    async with ctx.store.hold("retention") as alone:
        return await _retain(ctx, emails) if alone else {}


async def _retain(ctx: FlowContext, emails: EraseEmails | None) -> dict[str, int]:
    gone: dict[str, int] = {}
    is_night = False
    if answers := await forget_answers(ctx):
        gone["answers"] = answers
    for name in dict.fromkeys(link.association_name for link in ctx.links):
        links = [link for link in ctx.links if link.association_name == name]
        night = night_of(ctx.now(), links[0].zone)
        async with ctx.store.read() as conn:
            done = await find_night(conn, name)
        if done is not None and done >= night:
            continue
        is_night = True
        for link in links:
            for what, number in (await _retain_link(ctx, link, emails)).items():
                gone[what] = gone.get(what, 0) + number
        gone["logs"] = gone.get("logs", 0) + await _forget_digests(ctx, name, links)
        async with ctx.store.write() as conn:
            await set_night(conn, name, night)
    if is_night and (any(gone.values()) or await are_pages_left(ctx.store)):
        while await index_waiting(ctx):
            pass
        await renew_pages(ctx.store, at_night=True)
    return gone


async def _retain_link(ctx: FlowContext, link: Link, emails: EraseEmails | None) -> dict[str, int]:
    before = {kept.what: kept.before for kept in limits_of(link.settings.archive.retention, ctx.now())}
    gone = {"posts": 0, "attachments": 0, "minutes": 0, "logs": 0}
    await _forget_mails_not_kept(ctx, link, emails)
    if before["posts"] is not None:
        gone["posts"] = await _forget_posts(ctx, link, before["posts"], emails)
    if before["attachments"] is not None:
        gone["attachments"] = await _forget_files(ctx, link, before["attachments"])
    if before["minutes"] is not None:
        gone["minutes"] = await _forget_minutes(ctx, link, before["minutes"])
    if before["logs"] is not None:
        gone["logs"] = await _forget_logs(ctx, link, before["logs"])
    return gone


async def _forget_posts(ctx: FlowContext, link: Link, before: datetime, emails: EraseEmails | None) -> int:
    work = _by_the_clock(ctx, link)
    count = 0
    while True:
        async with ctx.store.write() as conn:
            ids = await list_old_posts(conn, link.association_name, link.name, before, _STEP)
            await erase_posts_in_digests(work, conn, ids, keeps_published=True)
            for post_id in ids:
                await erase_post(work, conn, await get_post(conn, post_id))
        if not ids:
            break
        count += len(ids)
    await _forget_emails(link, work.far.get("emails", {}).get(link.mailbox.name, []), emails)
    return count


async def _forget_emails(link: Link, message_ids: Sequence[str], emails: EraseEmails | None) -> None:
    """Their copies in the bridge's own mailbox."""
    if not message_ids or emails is None or link.mailbox.imap is None:
        return
    try:
        await emails(link.mailbox, message_ids)
    except DeliveryFailure:
        log.warning("Copies could not be deleted in the mailbox", extra={"link": link.path})


async def _forget_mails_not_kept(ctx: FlowContext, link: Link, emails: EraseEmails | None) -> None:
    """Mails that were not to be archived: for some nights, in case the mailbox could not be reached in one."""
    async with ctx.store.read() as conn:
        since = ctx.now() - _LOOK_BACK
        message_ids = await list_mails_not_kept(conn, link.association_name, link.name, since)
    await _forget_emails(link, message_ids, emails)


def _by_the_clock(ctx: FlowContext, link: Link) -> Erasing:
    """An erasure that nobody asked for."""
    request = PrivacyRequest(
        id=0,
        association=link.association_name,
        kind="erase",
        subject={},
        by="administrator",
        asked_at=ctx.now(),
        done_at=None,
        receipt=None,
        progress=None,
    )
    return Erasing(ctx=ctx, request=request, person=None)


async def _forget_files(ctx: FlowContext, link: Link, before: datetime) -> int:
    count = 0
    while True:
        async with ctx.store.read() as conn:
            ids = await list_posts_with_old_files(conn, link.association_name, link.name, before, _STEP)
        for post_id in ids:
            count += await _forget_files_of(ctx, link, post_id)
        if not ids:
            return count


async def _forget_files_of(ctx: FlowContext, link: Link, post_id: PostId) -> int:
    """The files of one post, in its original too: that becomes a marked copy without them."""
    words = ctx.renderer(link.association).words
    async with ctx.store.write() as conn:
        post = await get_post(conn, post_id)
        hashes = {file.blob_hash for file in await list_attachments(conn, post_id) if file.blob_hash is not None}
        marks = MarkWords(words=words("expired_file"), name="")
        if post.raw_hash is not None and post.side == "list":
            raw = await get_blob(conn, post.raw_hash)
            copy = copy_of_email(raw, Wanted(traces=traces_of([]), marks=marks, files=frozenset(hashes)))
            if copy != "same":
                await replace_bytes(conn, post.raw_hash, copy if isinstance(copy, bytes) else None)
        await forget_file_texts(conn, post_id)
        for row in await list_outbox_of_post(conn, post_id):
            if row.upload_hash in hashes and row.state in ("sent", "cancelled"):
                await forget_content(conn, row.id, row.upload_hash)
        await forget_attachments(conn, post_id)
        await set_state_and_reindex(conn, [post_id], post.state)
    return len(hashes)


async def _forget_minutes(ctx: FlowContext, link: Link, before: datetime) -> int:
    """Entries of the register of which nothing has become since, and meetings with their minutes."""
    place = (link.association_name, link.name)
    today = ctx.now().astimezone(link.zone).date()
    before_local = before.astimezone(link.zone).replace(tzinfo=None)
    count = 0
    while True:
        async with ctx.store.write() as conn:
            entries = await list_old_entries(conn, *place, before, today=today, limit=_STEP)
            meetings = await list_old_meetings(conn, *place, before_local, limit=_STEP)
            what = Gone(entries=frozenset(entries), meetings=frozenset(meetings))
            await forget_in_digests(conn, link.association_name, what, now=ctx.now(), keeps_published=True)
            await delete_asks_about(conn, link.association_name, entries)
            gone = await delete_entries(conn, entries) + await delete_meetings(conn, meetings)
        if not gone:
            return count
        count += gone


async def _forget_logs(ctx: FlowContext, link: Link, before: datetime) -> int:
    count = 0
    while True:
        async with ctx.store.write() as conn:
            arrived = await forget_old_arrivals(conn, [link.inbox_lane], before, _LOG_STEP)
            left = await forget_old_departures(conn, link.association_name, link.name, before, _LOG_STEP)
        count += arrived + left
        if not arrived + left:
            break
    async with ctx.store.write() as conn:
        await forget_old_notes(conn, link.association_name, link.name, before)
        count += await forget_old_answers(conn, link.association_name, link.name, before)
        count += await forget_old_digests(conn, link.association_name, link.name, before)
    return count


async def _forget_digests(ctx: FlowContext, association: AssociationName, links: Sequence[Link]) -> int:
    """Digests tell of all links: they are kept no longer than what arrived and left on the link that keeps it least."""
    before = digests_before([link.settings.archive.retention for link in links], ctx.now())
    if before is None:
        return 0
    async with ctx.store.write() as conn:
        drafts = await forget_old_drafts(conn, association, before)
        return drafts + await forget_old_digests(conn, association, None, before)
