"""What one of the bridge's own notices is about. Pure.

It stands in the unique key of the notice's outbox row, so that an answer to the notice, by mail or in the room, finds
it: `about/meeting/4/convocation/list:epeule/bureau`. Members never see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

AboutKind = Literal["meeting", "entries", "ask", "reminder", "fiche"]

_START = "about/"
#: Entries that one notice names; more are told by the next one.
MOST_IDS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """`ids` are row ids: of one meeting, ask, reminder or fiche, of one or several entries."""

    kind: AboutKind
    ids: tuple[int, ...]
    #: Of a meeting: the step, `minutes`, `move`, `cancel`; of entries: `notice`, `remind`.
    step: str = ""

    @property
    def id(self) -> int:
        return self.ids[0]


def about_key(about: About, *more: str) -> str:
    """The unique key of a notice; `more` tells it from others about the same (side, link, person's hash, version)."""
    ids = ",".join(str(id) for id in about.ids[:MOST_IDS])
    return f"{_START}{about.kind}/{ids}/{about.step}/{'/'.join(more)}"


def parse_about(unique_key: str) -> About | None:
    """What the notice of that unique key is about; None where it is about none of these."""
    if not unique_key.startswith(_START):
        return None
    kind, _, rest = unique_key.removeprefix(_START).partition("/")
    ids, _, rest = rest.partition("/")
    if kind not in get_args(AboutKind) or not ids:
        return None
    return About(kind=_kind(kind), ids=_numbers(ids.split(",")), step=rest.partition("/")[0])


def _kind(kind: str) -> AboutKind:
    return next(one for one in get_args(AboutKind) if one == kind)


def _numbers(ids: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(id) for id in ids if id.isdecimal())
