"""What an export hands from the archive to the writers of each format."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from passerelle.core.links import Link
from passerelle.core.model import AttachmentRow, Post
from passerelle.store.export import Neighbourhood

Format = Literal["mboxrd", "maildir", "jsonl", "offline"]
FORMATS: tuple[Format, ...] = ("mboxrd", "maildir", "jsonl", "offline")


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """A post on its way out. `original` and `files` are empty where it may not be shown."""

    link: Link
    post: Post
    around: Neighbourhood
    original: bytes = field(repr=False)
    #: Each file of the post, and where its bytes stand in the export; None where they are not here.
    files: Sequence[tuple[AttachmentRow, str | None]]

    #: A post that stands in several links comes with each of them: again, after the first.
    again: bool = False

    @property
    def is_shown(self) -> bool:
        return self.post.state == "accepted"


class Writer(Protocol):
    """Writes one format; entered before the first post, left after the last."""

    #: Takes a post with each link in which it stands; else with the first alone.
    each_link: bool

    def __enter__(self) -> "Writer": ...

    def __exit__(self, *details: Any) -> None: ...

    def take(self, exported: Exported) -> None:
        """One more post; a link's posts come together, in order of time."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """What was said from `since` on and before `until`; aware."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is exported, and how."""

    links: Sequence[Link]
    formats: Collection[Format]
    period: Period


@dataclass(kw_only=True, slots=True)
class Counts:
    """What an export holds."""

    posts: int = 0
    emails: int = 0
    lines: int = 0
    tombstones: int = 0
    files: int = 0
    #: Emails that do not end with a line end, to which an mbox had to add one.
    mended_in_mbox: int = 0
