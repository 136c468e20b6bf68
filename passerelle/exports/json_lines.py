"""Posts as JSON Lines (https://jsonlines.org): the export that keeps everything, for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from passerelle.core.model import AttachmentRow, Post
from passerelle.exports.exported import Exported
from passerelle.exports.folder import ExportFolder, GzipLines
from passerelle.store.export import ExportedEdit, Neighbourhood

#: What these lines mean; a reader refuses a higher one.
FORMAT = 1


def line(value: Mapping[str, Any]) -> bytes:
    """One value as one line of UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair is no UTF-8; JSON can say it in ASCII.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def post_value(post: Post, around: Neighbourhood, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All that is kept of a post that may be shown; its original stands apart, by its hash."""
    parent = around.parents.get(post.parent_post_id) if post.parent_post_id is not None else None
    return {
        **_place(post, around),
        "parent": parent.permalink if parent else None,
        "refs": post.refs.split(),
        "message_id": post.message_id or None,
        "author": {"name": post.author_name, "address": post.author_address, "user_id": post.author_user_id},
        "subject": post.subject,
        "text": post.text,
        "html": post.html,
        "msgtype": post.msgtype,
        "said_at": _instant(post.said_at),
        "accepted_at": _instant(post.accepted_at),
        "flagged": post.flagged or None,
        "original": post.raw_hash,
        "files": list(files),
    }


def tombstone_value(post: Post, around: Neighbourhood) -> dict[str, Any]:
    """What is said of a post that may not be shown: that it was there, and where."""
    # What its conversation is called may be its own words.
    return {**_place(post, around), "thread": {"id": post.thread_id}, "said_at": _instant(post.said_at)}


def _place(post: Post, around: Neighbourhood) -> dict[str, Any]:
    return {
        "permalink": post.permalink,
        "link": post.link,
        "cross_links": sorted(around.cross_links.get(post.id, [])),
        "side": post.side,
        "origin": post.origin,
        "state": post.state,
        "thread": {"id": post.thread_id, "subject": around.subjects.get(post.thread_id, "")},
        "event_id": around.events.get(post.id),
    }


def file_value(file: AttachmentRow, path: str | None) -> dict[str, Any]:
    """A file of a post. `path`: where its bytes stand in the export; None where they are not here."""
    return {
        "filename": file.filename,
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "sha256": file.blob_hash,
        "inline": file.inline,
        "content_id": file.content_id,
        "path": path,
    }


def edit_value(edit: ExportedEdit) -> dict[str, Any]:
    """What a human changed in the tree of a conversation."""
    return {
        "kind": edit.kind,
        "post": edit.post,
        "parent": edit.parent,
        "by": edit.by,
        "at": _instant(edit.at),
        "undone_at": _instant(edit.undone_at) if edit.undone_at else None,
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


class JsonLinesWriter:
    """`json/posts.jsonl.gz` and `json/events.jsonl.gz`: everything, for programs."""

    each_link = False

    def __init__(self, target: ExportFolder) -> None:
        self._posts = GzipLines(target, "json/posts.jsonl.gz")
        self._events = GzipLines(target, "json/events.jsonl.gz")

    def __enter__(self) -> "JsonLinesWriter":
        return self

    def __exit__(self, *details: Any) -> None:
        self._posts.__exit__(None, None, None)
        self._events.__exit__(None, None, None)

    def take(self, exported: Exported) -> None:
        post, around = exported.post, exported.around
        if not exported.is_shown:
            self._posts.write(line(tombstone_value(post, around)))
            return
        files = [file_value(file, path) for file, path in exported.files]
        self._posts.write(line(post_value(post, around, files)))
        if post.side == "room" and exported.original:
            original = exported.original.decode("utf-8", "replace")
            value = {"event_id": around.events.get(post.id), "sha256": post.raw_hash, "json": original}
            self._events.write(line(value))
