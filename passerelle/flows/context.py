"""What every flow is given: the store, the links, the words, the time. Nothing here is global."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from passerelle.core.identity import keyed_hash
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link, Links
from passerelle.core.ports import EventJson
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.render import Renderer
from passerelle.store.engine import Store


def _no_keys(_event: EventJson) -> EventJson | None:
    return None


#: How long after a restore everything is looked for before it is sent.
CAREFUL_FOR = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """The store is a copy of an earlier time."""

    at: datetime
    #: What happened later than this, the store does not know.
    knows_until: datetime

    def is_careful(self, now: datetime) -> bool:
        """Whether everything is still looked for before it is sent."""
        return now < self.at + CAREFUL_FOR


@dataclass(frozen=True, kw_only=True)
class FlowContext:
    store: Store
    settings: Settings
    links: Links
    #: The templates of an association, its own folder searched first.
    renderer: Callable[[AssociationSettings], Renderer]
    #: What the homeserver takes as one file, at the most.
    upload_limit_bytes: Callable[[], int]
    #: Aware, UTC.
    now: Callable[[], datetime]
    #: A later try at an event whose key was not here when it came; None where it still is not.
    decrypt: Callable[[EventJson], EventJson | None] = _no_keys
    #: Set where the store is a copy of an earlier time.
    restored: Restored | None = None

    @property
    def hash_key(self) -> bytes:
        return self.store.hash_key

    @property
    def has_ghosts(self) -> bool:
        return self.settings.matrix.appservice is not None

    def hashed(self, *parts: str) -> str:
        """A keyed hash that says nothing to who has no key."""
        return keyed_hash(self.hash_key, *parts)

    def give_up_at(self, link: Link) -> datetime:
        return self.now() + timedelta(hours=link.settings.give_up_hours)

    def is_bridge(self, address: MailAddress) -> bool:
        """Whether an address is one of the bridge's own."""
        return any(address.lower() == m.address.lower() for m in self.settings.mailboxes)
