"""Parts of an event's content, read without trusting their shape. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from passerelle.core.ids import UserId
from passerelle.core.model import NewAttachment
from passerelle.core.names import without_controls
from passerelle.matrix.event_types import Location, Poll

#: Events are under 65,536 bytes; a decrypted one may be anything.
MAX_TEXT = 65_536
_MAX_ANSWERS = 50  # MSC3381 allows 20
_MAX_MENTIONS = 100

_FILE_TYPES = ("m.image", "m.file", "m.audio", "m.video")
_MEDIA_TYPES = {"m.image": "image/jpeg", "m.audio": "audio/ogg", "m.video": "video/mp4", "m.sticker": "image/png"}
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
#: First line of a rich reply's fallback, which older clients still write (§ "Fallbacks for rich replies", v1.12).
_FALLBACK = re.compile(r"> (?:\* )?<@[^>\n]{1,255}>")
_GEO = re.compile(r"geo:(-?[0-9]{1,3}(?:\.[0-9]{1,20})?),(-?[0-9]{1,3}(?:\.[0-9]{1,20})?)", re.IGNORECASE)
_REPLY_END = "</mx-reply>"
_POLL_KEYS = ("m.poll", "m.poll.start", "org.matrix.msc3381.poll.start")
_TEXT_KEYS = ("m.text", "org.matrix.msc1767.text")


def child(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under `key`, or an empty one."""
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}


def item(mapping: Mapping[str, Any], key: str) -> str:
    """The string under `key`, cleaned, or ""."""
    value = mapping.get(key)
    return without_controls(value[:MAX_TEXT]) if isinstance(value, str) else ""


def text_of(content: Mapping[str, Any]) -> str:
    """Plain text of an extensible event (MSC1767): a string, or representations of which the first plain one counts."""
    for key in _TEXT_KEYS:
        value = content.get(key)
        if isinstance(value, str):
            return item(content, key).strip()
        if isinstance(value, Sequence):
            for one in value:
                if isinstance(one, Mapping) and one.get("mimetype", "text/plain") == "text/plain":
                    return item(one, "body").strip()
    return item(content, "body").strip()


def own_body(content: Mapping[str, Any]) -> str:
    """`body` without the quote of what it answers that older clients put before it."""
    body = item(content, "body")
    in_reply = child(child(content, "m.relates_to"), "m.in_reply_to")
    formatted = content.get("formatted_body")
    told = isinstance(formatted, str) and "<mx-reply>" in formatted[:200]
    if not (_FALLBACK.match(body) or (told and in_reply and body.startswith("> "))):
        return body.strip("\n")
    lines = body.split("\n")
    start = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[start:]).strip("\n")


def own_formatted_body(content: Mapping[str, Any]) -> str:
    """`formatted_body` without its `mx-reply` element; "" where there is none or another format."""
    if content.get("format") != "org.matrix.custom.html":
        return ""
    html = item(content, "formatted_body")
    end = html.rfind(_REPLY_END)
    if end >= 0 and html.lstrip().startswith("<mx-reply"):
        return html[end + len(_REPLY_END) :].strip()
    return html.strip()


def mentions_of(content: Mapping[str, Any]) -> tuple[tuple[UserId, ...], bool]:
    """Who is mentioned, and whether the whole room is (§ "User and room mentions", MSC3952)."""
    mentions = child(content, "m.mentions") or child(content, "org.matrix.msc3952.mentions")
    users = mentions.get("user_ids")
    found = users[:_MAX_MENTIONS] if isinstance(users, list) else []
    ids = [UserId(user) for user in found if isinstance(user, str) and user.startswith("@") and len(user) <= 255]
    return tuple(dict.fromkeys(ids)), mentions.get("room") is True


def files_of(content: Mapping[str, Any], msgtype: str) -> tuple[NewAttachment, ...]:
    """The file of a message, waiting on the homeserver: `media` is `{"url": …}` or `{"file": EncryptedFile}`."""
    if msgtype not in (*_FILE_TYPES, "m.sticker"):
        return ()
    media = _media(content)
    if media is None:
        return ()
    info = child(content, "info")
    duration = _whole(info.get("duration")) or _whole(child(content, "org.matrix.msc1767.audio").get("duration"))
    name = item(content, "filename") or item(content, "body")
    if msgtype == "m.sticker":
        name = ""
    media_type = item(info, "mimetype").lower().split(";")[0].strip()
    if not _MEDIA_TYPE.fullmatch(media_type):
        media_type = _MEDIA_TYPES.get(msgtype, "application/octet-stream")
    return (
        NewAttachment(
            position=0,
            filename=_filename(name, msgtype),
            media_type=media_type,
            size_bytes=_whole(info.get("size")) or 0,
            inline=msgtype in ("m.image", "m.sticker"),
            duration_ms=duration,
            media=media,
        ),
    )


def _media(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    file = child(content, "file")
    if isinstance(file.get("url"), str) and file["url"].startswith("mxc://"):
        return {"file": dict(file)}
    url = content.get("url")
    return {"url": url} if isinstance(url, str) and url.startswith("mxc://") and len(url) < 512 else None


def _filename(name: str, msgtype: str) -> str:
    """The last path component, on one line; a name of its kind where there is none."""
    flat = " ".join(name.replace("\\", "/").rsplit("/", 1)[-1].split()).strip(". ")
    if len(flat) > 120:
        stem, dot, extension = flat.rpartition(".")
        flat = f"{stem[:100]}.{extension}" if dot and len(extension) <= 10 else flat[:110]
    return flat or msgtype.removeprefix("m.")


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


def location_of(content: Mapping[str, Any], msgtype: str) -> Location | None:
    """The place of an `m.location` (§ m.location; MSC3488 beside it), its description in the sender's words."""
    if msgtype != "m.location":
        return None
    told = child(content, "m.location") or child(content, "org.matrix.msc3488.location")
    description = item(told, "description") or item(content, "body")
    match = _GEO.match(item(content, "geo_uri") or item(told, "uri"))
    if description.startswith("geo:"):
        description = ""
    description = " ".join(description.split())[:500]
    if match is None:
        return Location(description=description)
    latitude, longitude = float(match[1]), float(match[2])
    if not (math.fabs(latitude) <= 90 and math.fabs(longitude) <= 180):
        return Location(description=description)
    return Location(description=description, latitude=latitude, longitude=longitude)


def poll_of(content: Mapping[str, Any]) -> Poll | None:
    """Question and answers (MSC3381, stable and unstable names), or None where there is no question."""
    start = next(filter(None, (child(content, key) for key in _POLL_KEYS)), {})
    question = _one_line(text_of(child(start, "question")))
    if not question:
        return None
    given = start.get("answers")
    answers = given[:_MAX_ANSWERS] if isinstance(given, list) else []
    texts = [_one_line(text_of(answer)) for answer in answers if isinstance(answer, Mapping)]
    return Poll(
        question=question,
        answers=tuple(text for text in texts if text),
        max_selections=_whole(start.get("max_selections")) or 1,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:1000]
