"""Permanent addresses of the archive. They are made of what a post is called where it was said, and so never rot."""

import hashlib
import re
from urllib.parse import quote

from passerelle.core.identity import base32
from passerelle.core.ids import AssociationName, MessageId

_LENGTH = 12
_COPY = re.compile(r"([a-z2-7]{12})\.line@")


def short_name(association: AssociationName, name: str) -> str:
    """The short name of a post, 12 characters of lower-case base32: the same in every store that holds the post.

    60 bits: among a million posts two share one with a chance of one in two million; their page then shows both.

    Args:
        name: Message-ID, event ID, or the content hash of an email that has no Message-ID.
    """
    digest = hashlib.sha256(f"permalink\n{association}\n{name}".encode()).digest()
    return base32(digest[:8])[:_LENGTH]


def copy_message_id(short: str, domain: str) -> MessageId:
    """The Message-ID of the copy of a line that an export puts into mailboxes."""
    return MessageId(f"{short}.line@{domain}")


def copied_line(message_id: str) -> str | None:
    """The short name of the line that an email of an export is a copy of; None where it is no such copy."""
    found = _COPY.match(message_id)
    return found[1] if found else None


def short_path(association: AssociationName, short: str) -> str:
    """The path of a short permalink below the archive's root."""
    return f"/{association}/p/{short}"


def message_path(association: AssociationName, message_id: MessageId) -> str:
    """The path of an email's permalink below the archive's root: its Message-ID, percent-encoded (RFC 3986 §2.1)."""
    return f"/{association}/m/{quote(message_id, safe='@')}"


def file_path(association: AssociationName, short: str, position: int, filename: str) -> str:
    """The path of a post's file below the archive's root; its name is for humans, the position leads to it."""
    # A name of dots alone would be a step in the path.
    name = quote(filename[:120], safe="") if filename.strip(".") else "fichier"
    return f"/{association}/f/{short}/{position}/{name}"
