"""What the configuration opens to more readers, against what both sides were told. Pure.

Nothing opens by the configuration alone: both sides are told, and the delay begins when the notices have left. What the
configuration takes back is closed at once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from passerelle.core.archive_settings import ArchiveSettings
from passerelle.core.model import Side
from passerelle.core.readership import PAST_OF, Opening, OpenTo, What


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is to be done about the openings of one link."""

    #: To be told to both sides.
    announce: tuple[tuple[What, OpenTo], ...] = ()
    #: Not wanted any more.
    close: tuple[Opening, ...] = ()
    #: Goes on without a notice: it was open to everyone, and is to be open to participants from now on.
    narrow: tuple[Opening, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.announce or self.close or self.narrow)


def wanted(archive: ArchiveSettings, past_of: Collection[Side]) -> frozenset[tuple[What, OpenTo]]:
    """What the configuration opens; `past_of`: sides of which there is an imported past."""
    found: set[tuple[What, OpenTo]] = set()
    if archive.visibility == "public":
        found.add(("posts", "public"))
    if archive.past != "own_side":
        found |= {(PAST_OF[side], archive.past) for side in past_of}
    return frozenset(found)


def changes(
    archive: ArchiveSettings, openings: Collection[Opening], *, past_of: Collection[Side], now: datetime
) -> Changes:
    """What is to be done about a link's openings, those that were not closed."""
    wants, known = wanted(archive, past_of), {(o.what, o.to): o for o in openings}
    close = tuple(o for o in openings if (o.what, o.to) not in wants and not _goes_on(o, wants))
    narrow = tuple(
        o
        for o in close
        if o.to == "public"
        and (o.what, "participants") in wants.difference(known)
        and o.opens_at is not None
        and o.opens_at <= now
    )
    told = {(o.what, "participants") for o in narrow}
    return Changes(announce=tuple(sorted(wants - known.keys() - told)), close=close, narrow=narrow)


def _goes_on(opening: Opening, wants: Collection[tuple[What, OpenTo]]) -> bool:
    """Participants of both sides read on while everyone else waits."""
    return opening.to == "participants" and (opening.what, "public") in wants
