"""How a file of a stranger is handed out so that it can only be looked at or kept. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from passerelle.core.names import one_line

#: A file is a page of its own: nothing in it runs or is loaded, and it is no page of the archive (HTML standard,
#: "sandboxing"; CSP 3 §6.3.1).
FILE_POLICY: Final = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"

#: What browsers show as a picture, and what such a file begins with. SVG is a program, not a picture.
_IMAGES: Mapping[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """`Content-Type` and `Content-Disposition` of a file."""

    content_type: str
    disposition: str


def is_shown_image(media_type: str) -> bool:
    """Whether a file of this declared type may be shown in a page."""
    return media_type.lower() in _IMAGES


def served(filename: str, media_type: str, data: bytes) -> Served:
    """How to hand out a file: shown only where it is what it says, a picture or plain text; else to be kept."""
    name = media_type.lower()
    if name in _IMAGES and data.startswith(_IMAGES[name]) and (name != "image/webp" or data[8:12] == b"WEBP"):
        return Served(content_type=name, disposition=_disposition("inline", filename))
    if name == "text/plain":
        content_type = f"text/plain; charset={_charset(data)}"
        return Served(content_type=content_type, disposition=_disposition("inline", filename))
    return Served(content_type="application/octet-stream", disposition=_disposition("attachment", filename))


def attached(filename: str, content_type: str) -> Served:
    """How to hand out a file to be kept, whatever it is."""
    return Served(content_type=content_type, disposition=_disposition("attachment", filename))


def _charset(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _disposition(kind: str, filename: str) -> str:
    """RFC 6266 §4.3: the name in ASCII for old programs, then as it is (RFC 8187)."""
    name = _harmless(one_line(filename)).strip(" .")[:120] or "fichier"
    # Decomposed first: a full-width quotation mark becomes one that would end the name.
    plain = _harmless(unicodedata.normalize("NFKD", name)).encode("ascii", "ignore").decode().replace("%", "_").strip()
    return f"{kind}; filename=\"{plain or 'fichier'}\"; filename*=UTF-8''{quote(name, safe='')}"


def _harmless(name: str) -> str:
    return "".join(c for c in name if c.isprintable() and c not in '/\\<>:"|?*')
