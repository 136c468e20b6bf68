"""All that is held of one person, in a folder that they can read: a page, the same as JSON, their originals and files.

Only what is theirs: of a mail that quotes somebody, the mail; of a couple's address, what bears the asker's name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.core.permalinks import short_path
from passerelle.flows.context import FlowContext
from passerelle.flows.erase_traces import begin, targets
from passerelle.mail.filenames import clean_filename
from passerelle.store.attachments import list_attachments
from passerelle.store.blobs import get_blob
from passerelle.store.held import deliveries_to, participations_of, sessions_of
from passerelle.store.held_digests import digests_of
from passerelle.store.held_secretary import secretary_of
from passerelle.store.post_versions import list_versions
from passerelle.store.posts import get_post
from passerelle.store.privacy import KnownPerson, PrivacyRequest, list_requests_of


class WriteFile(Protocol):
    """Writes one file of the export; `name` is a path below its folder, of safe characters."""

    def __call__(self, name: str, data: bytes) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    posts: int
    originals: int
    files: int


async def export_person(ctx: FlowContext, person: KnownPerson, write: WriteFile) -> Exported:
    """Write all that is held of a person. Raises StoreError, ConfigError; what `write` raises."""
    held = await _held(ctx, person)
    counts = {"posts": 0, "originals": 0, "files": 0}
    async with ctx.store.read() as conn:
        ids = await targets(await begin(ctx, conn, _as_request(ctx, person)), conn)
    for post_id in ids:
        async with ctx.store.read() as conn:
            post = await get_post(conn, post_id)
            described = await _post(ctx, conn, post, write, counts)
        held["posts"].append(described)
        counts["posts"] += 1
    write("donnees.json", json.dumps(held, ensure_ascii=False, indent=2).encode())
    link = next(link for link in ctx.links if link.association_name == person.association)
    renderer = ctx.renderer(link.association)

    def moment(iso: str) -> str:
        return renderer.words.moment(datetime.fromisoformat(iso), year=True)

    def wall(iso: str) -> str:
        """A time on the wall clock, wherever that hangs."""
        return renderer.words.moment(datetime.fromisoformat(iso).replace(tzinfo=link.zone), year=True)

    page = renderer.render(
        "privacy_export.html",
        association=link.association,
        held=held,
        moment=moment,
        wall=wall,
        exported_at=ctx.now(),
    )
    write("index.html", page.encode())
    return Exported(**counts)


def _as_request(ctx: FlowContext, person: KnownPerson) -> PrivacyRequest:
    return PrivacyRequest(
        id=0,
        association=person.association,
        kind="access",
        person_id=person.id,
        subject={"person": person.id},
        by="author",
        asked_at=ctx.now(),
        done_at=None,
        receipt=None,
        progress=None,
    )


async def _held(ctx: FlowContext, person: KnownPerson) -> dict[str, Any]:
    async with ctx.store.read() as conn:
        return {
            "name": person.name,
            "association": person.association,
            "addresses": list(person.addresses),
            "user_ids": list(person.user_ids),
            "participations": await participations_of(conn, person.id),
            "deliveries": await deliveries_to(conn, person.association, [*person.addresses, *person.user_ids]),
            "sessions": await sessions_of(conn, person.id),
            "requests": [
                {"kind": r.kind, "asked_at": r.asked_at.isoformat(), "done_at": r.done_at and r.done_at.isoformat()}
                for r in await list_requests_of(conn, person.id)
            ],
            **await secretary_of(conn, person.id),
            **await digests_of(conn, person.id),
            "posts": [],
        }


async def _post(
    ctx: FlowContext, conn: AsyncConnection, post: Post, write: WriteFile, counts: dict[str, int]
) -> Mapping[str, Any]:
    link: Link | None = ctx.links.find(f"{post.association}/{post.link}")
    described: dict[str, Any] = {
        "link": post.link,
        "side": post.side,
        "said_at": post.said_at.isoformat(),
        "subject": post.subject,
        "author_name": post.author_name,
        "text": post.text,
        "state": post.state,
        "message_id": post.message_id,
        "address": short_path(post.association, post.permalink) if post.permalink and ctx.settings.web else "",
        "versions": [version.text for version in await list_versions(conn, post.id)],
        "original": "",
        "files": [],
        "list": link.list_address if link else "",
    }
    if post.raw_hash is not None:
        described["original"] = f"originaux/{post.id}.{'eml' if post.side == 'list' else 'json'}"
        write(described["original"], await get_blob(conn, post.raw_hash))
        counts["originals"] += 1
    for file in await list_attachments(conn, post.id):
        if file.blob_hash is not None:
            name = f"fichiers/{post.id}-{file.position}-{_safe(file.filename, post.id)}"
            write(name, await get_blob(conn, file.blob_hash))
            described["files"].append({"name": file.filename, "path": name})
            counts["files"] += 1
    return described


def _safe(filename: str, post_id: PostId) -> str:
    """A file's name that no file system, and no address of a page, takes for anything else."""
    clean = clean_filename(filename)[-80:]
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in clean).lstrip(".") or str(post_id)
