"""What an event of the room means: JSON in, one frozen value out. Pure.

Sections are those of the Matrix client-server specification v1.16; a number with MSC is a proposal. Content is whatever
another server let through, so nothing about its shape is taken for granted. An event that lacks what every event has
(§ "Types of room events") raises MalformedEvent; any other that says nothing to the list is `Ignored`, with its reason.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from passerelle.core.ids import EventId, UserId
from passerelle.core.names import safe_name, without_controls
from passerelle.errors import MalformedEvent
from passerelle.matrix.event_content import (
    child,
    files_of,
    item,
    location_of,
    mentions_of,
    own_body,
    own_formatted_body,
    poll_of,
    text_of,
)
from passerelle.matrix.event_types import (
    DELIVERY_KEY,
    Edit,
    Ignored,
    MemberChange,
    Parsed,
    Reaction,
    Redaction,
    RoomFactChange,
    RoomLine,
    Undecryptable,
    is_kept_in_room,
    readable_text,
)

__all__ = [
    "DELIVERY_KEY",
    "Edit",
    "Ignored",
    "MemberChange",
    "Parsed",
    "Reaction",
    "Redaction",
    "RoomFactChange",
    "RoomLine",
    "Undecryptable",
    "is_kept_in_room",
    "parse_event",
    "readable_text",
]

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)

_POLL_STARTS = ("m.poll.start", "org.matrix.msc3381.poll.start")
_POLL_ENDS = ("m.poll.end", "org.matrix.msc3381.poll.end")
#: State events that decide whether a link may go on, each with the content key that says it.
_ROOM_FACTS = {
    "m.room.join_rules": "join_rule",
    "m.room.history_visibility": "history_visibility",
    "m.room.name": "name",
    "m.room.encryption": "algorithm",
    "m.room.tombstone": "replacement_room",
    "m.room.guest_access": "guest_access",
}


def parse_event(event: Mapping[str, Any], *, not_after: datetime | None = None) -> Parsed:
    """What `event`, a room event as `/sync` or a transaction gives it (decrypted where possible), means.

    `not_after` (aware): when it arrived. `origin_server_ts` is the sender's server's word, and is held between 2010
    and that instant.

    Raises MalformedEvent where the event has no usable type, event ID, sender or content.
    """
    event_type, event_id, sender = _text(event, "type"), _text(event, "event_id"), _text(event, "sender")
    content = event.get("content")
    if not event_type:
        raise MalformedEvent("the event has no type")
    if not event_id.startswith("$") or len(event_id) > 255:
        raise MalformedEvent(f"a {event_type[:60]} event has no event ID")
    if not sender.startswith("@") or len(sender) > 255:
        raise MalformedEvent(f"a {event_type[:60]} event has no sender")
    if not isinstance(content, Mapping):
        raise MalformedEvent(f"a {event_type[:60]} event has no content")
    head = _Head(EventId(event_id), UserId(sender), _said_at(event, not_after))
    if event_type == "m.room.redaction":
        return _redaction(event, content, head)
    if "redacted_because" in child(event, "unsigned"):
        return _ignored(head, "already redacted")
    if isinstance(event.get("state_key"), str):
        return _state(event_type, event["state_key"], content, head)
    return _timeline(event_type, content, head)


class _Head:
    """What every room event has."""

    __slots__ = ("event_id", "said_at", "sender")

    def __init__(self, event_id: EventId, sender: UserId, said_at: datetime) -> None:
        self.event_id, self.sender, self.said_at = event_id, sender, said_at


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def _said_at(event: Mapping[str, Any], not_after: datetime | None) -> datetime:
    latest = min(not_after or _LATEST, _LATEST)
    milliseconds = event.get("origin_server_ts")
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return latest if not_after else _EARLIEST
    if not 0 <= milliseconds < _LATEST.timestamp() * 1000:  # also NaN
        return latest if milliseconds > 0 else _EARLIEST
    return max(_EARLIEST, min(latest, datetime.fromtimestamp(milliseconds / 1000, UTC)))


def _ignored(head: _Head, reason: str) -> Ignored:
    return Ignored(event_id=head.event_id, sender=head.sender, said_at=head.said_at, reason=reason)


def _redaction(event: Mapping[str, Any], content: Mapping[str, Any], head: _Head) -> Parsed:
    # Room version 11 moved `redacts` into the content; servers copy it for clients, but not all (TRAPS).
    target = _text(content, "redacts") or _text(event, "redacts")
    if not target.startswith("$"):
        return _ignored(head, "a redaction that names no event")
    reason = without_controls(_text(content, "reason"))[:500]
    return Redaction(
        event_id=head.event_id, sender=head.sender, said_at=head.said_at, target=EventId(target), reason=reason
    )


def _state(event_type: str, state_key: str, content: Mapping[str, Any], head: _Head) -> Parsed:
    if event_type == "m.room.member":
        membership = _text(content, "membership")
        if not state_key.startswith("@") or membership not in ("join", "invite", "leave", "ban", "knock"):
            return _ignored(head, "a member event without a member")
        return MemberChange(
            event_id=head.event_id,
            sender=head.sender,
            said_at=head.said_at,
            user_id=UserId(state_key),
            membership=membership,
            display_name=safe_name(_text(content, "displayname")),
        )
    if event_type in _ROOM_FACTS and state_key == "":
        value = without_controls(_text(content, _ROOM_FACTS[event_type]), keep="")[:255]
        return RoomFactChange(
            event_id=head.event_id, sender=head.sender, said_at=head.said_at, fact=event_type, value=value
        )
    return _ignored(head, f"state: {event_type[:60]}")


def _timeline(event_type: str, content: Mapping[str, Any], head: _Head) -> Parsed:
    if event_type == "m.room.encrypted":
        return Undecryptable(
            event_id=head.event_id,
            sender=head.sender,
            said_at=head.said_at,
            session_id=_text(content, "session_id")[:255],
            delivery_key=_delivery_key(content),
        )
    if event_type == "m.reaction":
        return _reaction(content, head)
    if event_type in ("m.room.message", "m.sticker", *_POLL_STARTS, *_POLL_ENDS):
        # An edit is a message too, with a fallback body « * … »: it must be known before anything else (TRAPS).
        relation = child(content, "m.relates_to")
        if relation.get("rel_type") == "m.replace":
            return _edit(event_type, content, relation, head)
        return _line(event_type, content, head)
    if "org.matrix.msc3381.poll.response" in event_type or event_type == "m.poll.response":
        return _ignored(head, "an answer to a poll")
    return _ignored(head, f"event: {event_type[:60]}")


def _reaction(content: Mapping[str, Any], head: _Head) -> Parsed:
    relation = child(content, "m.relates_to")
    target, key = _text(relation, "event_id"), without_controls(_text(relation, "key"), keep="").strip()
    if relation.get("rel_type") != "m.annotation" or not target.startswith("$") or not key:
        return _ignored(head, "a reaction to nothing")
    # A custom emoji (MSC4027) is an mxc URI with its name beside it.
    if key.startswith("mxc://"):
        key = without_controls(_text(content, "shortcode") or _text(content, "com.beeper.reaction.shortcode"), keep="")
    return Reaction(
        event_id=head.event_id,
        sender=head.sender,
        said_at=head.said_at,
        target=EventId(target),
        key=key[:100] or "?",
        delivery_key=_delivery_key(content),
    )


def _edit(event_type: str, content: Mapping[str, Any], relation: Mapping[str, Any], head: _Head) -> Parsed:
    target, new = _text(relation, "event_id"), child(content, "m.new_content")
    if not target.startswith("$"):
        return _ignored(head, "an edit of nothing")
    if not new:
        return _ignored(head, "an edit without new content")
    line = _line(event_type, new, head)
    if not isinstance(line, RoomLine):
        return line
    return Edit(
        event_id=head.event_id,
        sender=head.sender,
        said_at=head.said_at,
        target=EventId(target),
        line=line,
        delivery_key=_delivery_key(content) or line.delivery_key,
    )


def _line(event_type: str, content: Mapping[str, Any], head: _Head) -> Parsed:
    msgtype = _msgtype(event_type, content)
    if not msgtype:
        return _ignored(head, "a message without a type: redacted, probably")
    if msgtype == "m.key.verification.request":
        return _ignored(head, "a key verification")
    thread_root, replies_to = _relation(content)
    poll = poll_of(content) if event_type in _POLL_STARTS else None
    files = files_of(content, msgtype)
    body = _body_of(content, msgtype, has_files=bool(files))
    if event_type in _POLL_STARTS and poll is None and not body:
        return _ignored(head, "a poll without a question")
    users, room = mentions_of(content)
    return RoomLine(
        event_id=head.event_id,
        sender=head.sender,
        said_at=head.said_at,
        msgtype=msgtype,
        body=body,
        formatted_body=own_formatted_body(content) if body else "",
        thread_root=thread_root,
        replies_to=replies_to,
        mentions=users,
        mentions_room=room,
        files=files,
        is_voice="org.matrix.msc3245.voice" in content or "m.voice" in content,
        location=location_of(content, msgtype),
        poll=poll,
        delivery_key=_delivery_key(content),
    )


def _msgtype(event_type: str, content: Mapping[str, Any]) -> str:
    if event_type == "m.room.message":
        return without_controls(_text(content, "msgtype"), keep="")[:60]
    if event_type in _POLL_STARTS:
        return "m.poll.start"
    return "m.poll.end" if event_type in _POLL_ENDS else event_type


def _body_of(content: Mapping[str, Any], msgtype: str, *, has_files: bool) -> str:
    if msgtype == "m.poll.end":
        return text_of(content)
    if not has_files or msgtype == "m.sticker":
        return own_body(content) or text_of(content)
    # MSC2530: with `filename`, and a body that is not the same, the body is a caption; otherwise it is the name.
    filename, body = item(content, "filename"), own_body(content)
    return body if filename and body and filename.strip() != body.strip() else ""


def _relation(content: Mapping[str, Any]) -> tuple[EventId | None, EventId | None]:
    """Thread root, and the event that is really answered (§ "Fallback for unthreaded clients")."""
    relation = child(content, "m.relates_to")
    replied = _text(child(relation, "m.in_reply_to"), "event_id")
    answered = EventId(replied) if replied.startswith("$") else None
    root = _text(relation, "event_id")
    if relation.get("rel_type") in ("m.thread", "io.element.thread") and root.startswith("$"):
        falls_back = relation.get("is_falling_back", relation.get("io.element.show_reply"))
        return EventId(root), None if falls_back is True else answered
    if not answered and relation.get("rel_type") == "m.reference" and root.startswith("$"):
        return None, EventId(root)
    return None, answered


def _delivery_key(content: Mapping[str, Any]) -> str | None:
    return _text(content, DELIVERY_KEY)[:255] or None
