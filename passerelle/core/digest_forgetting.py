"""What goes of a digest that was made, and of a fiche, with what it stands on; of documents as they are stored."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from passerelle.core.ids import EntryId, MeetingId, PostId, ThreadId


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """What nobody is to read any more."""

    posts: frozenset[PostId] = frozenset()
    #: Their conversations: how one is told (its name, its first words) may be these posts' words.
    threads: frozenset[ThreadId] = frozenset()
    entries: frozenset[EntryId] = frozenset()
    meetings: frozenset[MeetingId] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.posts or self.entries or self.meetings)

    def holds(self, value: Mapping[str, Any]) -> bool:
        """Whether an item of a digest (`core.digest_items.Item`), or a quotation in a fiche, stands on any of it."""
        return (
            value.get("post_id") in self.posts
            or value.get("entry_id") in self.entries
            or value.get("meeting_id") in self.meetings
            or (value.get("kind") == "thread" and value.get("thread_id") in self.threads)
        )


def without_gone(document: Mapping[str, Any], gone: Gone) -> dict[str, Any]:
    """A digest or a fiche (JSON) without what stands on `gone`, in whichever of its lists. Nothing recurses."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    waiting: list[dict[str, Any] | list[Any]] = [copy]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, list):
            holder[:] = [one for one in holder if not (isinstance(one, dict) and gone.holds(one))]
        values = holder if isinstance(holder, list) else holder.values()
        waiting += [value for value in values if isinstance(value, dict | list)]
    return copy


def with_item_words(
    document: Mapping[str, Any], *, text: Callable[[str], str], name: Callable[[str], str]
) -> dict[str, Any]:
    """A digest (JSON) with `text(…)` in place of titles, extracts and sentences, `name(…)` in place of names."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for item in copy.get("items", ()):
        for key in ("title", "extract", "place"):
            item[key] = text(item.get(key, ""))
        item["author"] = name(item.get("author", ""))
        item["names"] = [name(one) for one in item.get("names", ())]
        for said in item.get("sentences", ()):
            said["text"], said["author"] = text(said["text"]), name(said["author"])
    return copy
