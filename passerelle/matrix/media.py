"""A file as the content of an `m.image`, `m.audio`, `m.video` or `m.file`, without its URL. Pure."""

from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

from passerelle.core.model import NewAttachment
from passerelle.core.names import without_controls

#: What clients show as pictures. An SVG is a document with scripts: a file.
SHOWN_IMAGES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
_MAX_SIDE = 50_000
#: Beyond this, clients die of it: it is sent as a file.
_MAX_PIXELS = 80_000_000
#: EXIF orientations that lay the picture on its side (TIFF 6.0, tag 274).
_SIDEWAYS = (5, 6, 7, 8)


def file_content(file: NewAttachment) -> dict[str, Any]:
    """Message content for `file`, whose `data` is here: msgtype by media type, `info` with size and dimensions."""
    data = file.data or b""
    name = _shown_name(file)
    info: dict[str, Any] = {"mimetype": file.media_type, "size": len(data)}
    msgtype = "m.file"
    if file.media_type in SHOWN_IMAGES:
        size = image_size(data, file.media_type)
        if size is not None:
            msgtype = "m.image"
            info |= {"w": size[0], "h": size[1]}
    elif file.media_type.startswith("audio/"):
        msgtype = "m.audio"
    elif file.media_type.startswith("video/"):
        msgtype = "m.video"
    if file.duration_ms is not None and msgtype in ("m.audio", "m.video"):
        info["duration"] = file.duration_ms
    return {"msgtype": msgtype, "body": name, "filename": name, "info": info}


def _shown_name(file: NewAttachment) -> str:
    """On one line, at most 200 characters, its extension kept."""
    name = " ".join(without_controls(file.filename, keep="").split()) or file.media_type.replace("/", ".")
    stem, dot, extension = name.rpartition(".")
    if len(name) > 200 and dot and len(extension) <= 10:
        return f"{stem[:180]}….{extension}"
    return name[:200]


def image_size(data: bytes, media_type: str) -> tuple[int, int] | None:
    """Width and height as shown (EXIF orientation obeyed), or None where it is no picture that a client can show.

    Only the header is read, never a pixel, so that a decompression bomb costs nothing.
    """
    try:
        with Image.open(BytesIO(data), formats=(SHOWN_IMAGES[media_type],)) as image:
            width, height = image.size
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1) if len(data) < 50_000_000 else 1
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, MemoryError):
        return None
    except (Image.DecompressionBombError, Warning):  # warnings where they are made errors
        return None
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE) or width * height > _MAX_PIXELS:
        return None
    return (height, width) if orientation in _SIDEWAYS else (width, height)
