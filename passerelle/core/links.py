"""The configured links: which list and which room are one conversation, and the lanes of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from passerelle.core.ids import AssociationName, LinkName, MailAddress, RoomId, UserId
from passerelle.core.settings import AssociationSettings, LinkSettings, MailboxSettings, Settings

#: Inbox lane of what is addressed to the bridge itself.
BRIDGE_LANE = "in:bridge"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One link with all that is configured around it."""

    association: AssociationSettings
    settings: LinkSettings
    mailbox: MailboxSettings

    @property
    def path(self) -> str:
        """`association/link`: how logs, lanes and commands name a link."""
        return f"{self.association.name}/{self.settings.name}"

    @property
    def association_name(self) -> AssociationName:
        return AssociationName(self.association.name)

    @property
    def name(self) -> LinkName:
        return LinkName(self.settings.name)

    @property
    def list_address(self) -> MailAddress:
        return MailAddress(self.settings.mailing_list.address)

    @property
    def list_addresses(self) -> frozenset[MailAddress]:
        """The posting address and its aliases."""
        mlist = self.settings.mailing_list
        return frozenset(MailAddress(a) for a in (mlist.address, *mlist.aliases))

    @property
    def list_id(self) -> str:
        """The configured List-Id, or what Mailman and Sympa make of the posting address."""
        mlist = self.settings.mailing_list
        given = mlist.list_id or mlist.address.replace("@", ".")
        # As it stands in the header field, with its description, or bare.
        return given.rpartition("<")[2].rstrip("> ").lower()

    @property
    def zone(self) -> ZoneInfo:
        return self.association.zone()

    @property
    def inbox_lane(self) -> str:
        return f"in:{self.path}"

    @property
    def list_lane(self) -> str:
        return f"out:list:{self.path}"


def room_lane(room_id: RoomId) -> str:
    """Outbox lane of a room: its events leave in order."""
    return f"out:room:{room_id}"


def person_lane(keyed_hash: str) -> str:
    """Outbox lane of one person, known by a keyed hash so that no address stands in a lane's name."""
    return f"out:person:{keyed_hash}"


class Links:
    """All links of the configuration, found by what arrives."""

    def __init__(self, settings: Settings) -> None:
        boxes = {m.name: m for m in settings.mailboxes}
        links = [
            Link(association=association, settings=link, mailbox=boxes[link.mailbox])
            for association in settings.associations
            for link in association.links
        ]
        self._associations = {association.name: association for association in settings.associations}
        self._by_path = {link.path: link for link in links}
        self._of: dict[str, list[Link]] = {}
        for link in self:
            self._of.setdefault(link.association.name, []).append(link)
        self._by_room: dict[RoomId, Link] = {
            RoomId(link.settings.room): link for link in self if link.settings.room.startswith("!")
        }
        self._rooms = {link.path: room for room, link in self._by_room.items()}
        self._lists = frozenset(address.lower() for link in self for address in link.list_addresses)
        #: Rooms of the bridge and one person, by whom they are with.
        self._direct: dict[RoomId, UserId] = {}

    def __iter__(self) -> Iterator[Link]:
        return iter(self._by_path.values())

    def get(self, path: str) -> Link:
        """The link of a path. Raises KeyError."""
        return self._by_path[path]

    def find(self, path: str) -> Link | None:
        return self._by_path.get(path)

    def association(self, name: str) -> AssociationSettings | None:
        """The settings of an association; None where there is none of this name."""
        return self._associations.get(name)

    def of(self, association: str) -> Sequence[Link]:
        """The links of an association, in the order of the configuration; a host may have thousands of others."""
        return self._of.get(association, ())

    def is_list(self, address: MailAddress) -> bool:
        """Whether an address is that of a list, of whatever association."""
        return address.lower() in self._lists

    def find_by_room(self, room_id: RoomId | None) -> Link | None:
        return self._by_room.get(room_id) if room_id else None

    def room_of(self, link: Link) -> RoomId | None:
        """The link's room ID; None while its alias is not resolved."""
        return self._rooms.get(link.path)

    def set_room(self, link: Link, room_id: RoomId) -> None:
        """Remember what an alias resolved to."""
        known = self._rooms.pop(link.path, None)
        if known is not None:
            del self._by_room[known]
        if (other := self._by_room.get(room_id)) is not None:
            del self._rooms[other.path]
        self._by_room[room_id], self._rooms[link.path] = link, room_id

    def add_direct_room(self, room_id: RoomId, user_id: UserId) -> None:
        """Remember a room of the bridge and one person."""
        self._direct[room_id] = user_id

    def direct_user(self, room_id: RoomId | None) -> UserId | None:
        """With whom a direct room is; None for any other room."""
        return self._direct.get(room_id) if room_id else None

    def rooms(self) -> frozenset[RoomId]:
        """What is listened to: the rooms of all links, and those of the bridge and one person."""
        return frozenset(self._by_room) | frozenset(self._direct)
