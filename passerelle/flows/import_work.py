"""One mail of an archive made into a post, ready to be inserted: what the processes of an import do. No I/O."""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from passerelle.core.email import Attachment
from passerelle.core.identity import keyed_hash, same_hash
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import NO_MESSAGE_ID, Side
from passerelle.core.permalinks import short_name
from passerelle.core.search_words import Findable, SearchWords, build_words
from passerelle.core.shelves import Shelf, shelf_of
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail
from passerelle.files.kinds import is_readable
from passerelle.i18n import N_
from passerelle.imports.source import Refused, SourceMail
from passerelle.mail.quick_reading import ArchiveReading, ListFacts, read_for_archive
from passerelle.store.blobs import blob_row
from passerelle.store.bulk import BulkBlob, BulkFile, BulkPost

log = logging.getLogger(__name__)

#: Reasons why a mail is refused; English, translated where they are shown.
NOT_TO_BE_ARCHIVED = N_("Its author asked that it not be archived.")
TOO_SLOW = N_("It takes too long to read.")
NOT_UNDERSTOOD = N_("Passerelle itself failed over it; its log says where.")

#: What no mail may take longer to be read.
_READ_SECONDS = 10
_MARK_VERSION = "v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What has to be known of where the mails go."""

    association: AssociationName
    link: LinkName
    link_path: str
    side: Side
    facts: ListFacts
    #: The bridge's own addresses, lower case.
    bridge: frozenset[str]
    hash_key: bytes
    #: A larger file is only named.
    file_limit_bytes: int
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """A mail that the bridge sent: what it says is here already, as lines of the room."""

    place: str


Made = BulkPost | Own | Refused


def make_posts(work: Work, mails: Sequence[SourceMail]) -> list[Made]:
    """Make each mail into a post, or say why not; one result a mail, in their order."""
    return [_made(work, mail) for mail in mails]


def _made(work: Work, mail: SourceMail) -> Made:
    try:
        return _make(work, mail)
    except Exception as error:  # noqa: BLE001 - logged without any of its words
        # One mail that nobody foresaw must not keep its neighbours out, at each new try.
        last = traceback.extract_tb(error.__traceback__)[-1]
        log.error("%s: %s in %s, line %s", mail.place, type(error).__name__, last.name, last.lineno)
        return Refused(place=mail.place, reason=NOT_UNDERSTOOD, position=mail.position)


def _make(work: Work, mail: SourceMail) -> Made:
    try:
        if len(mail.raw) < 30_000:  # read in milliseconds, whatever it holds
            reading = read_for_archive(mail.raw, work.facts)
        else:
            with deadline(_READ_SECONDS):
                reading = read_for_archive(mail.raw, work.facts)
    except MalformedEmail as error:
        return Refused(place=mail.place, reason=str(error), position=mail.position)
    except DeadlinePassed:
        return Refused(place=mail.place, reason=TOO_SLOW, position=mail.position)
    if reading.no_archive:
        return Refused(place=mail.place, reason=NOT_TO_BE_ARCHIVED, position=mail.position)
    if _is_own(work, reading):
        return Own(place=mail.place)
    return _post(work, mail, reading)


def _is_own(work: Work, reading: ArchiveReading) -> bool:
    """Whether this very store sent it, as far as the mail itself can prove it; the rest the table of mails knows.

    The bridge's address alone proves nothing here: of a bridge that begins anew with an empty store, the list's archive
    may be all that is left of what was said in the room.
    """
    author = reading.author
    words = reading.mark.split()
    if len(words) != 3 or words[0] != _MARK_VERSION:
        return False
    is_ours = same_hash(words[2], keyed_hash(work.hash_key, "mark", work.link_path, words[1]))
    hidden = author is None or author.address in work.facts.addresses or author.address.lower() in work.bridge
    return is_ours and (hidden or words[1] == reading.message_id)


def _post(work: Work, mail: SourceMail, reading: ArchiveReading) -> BulkPost:
    message_id = reading.message_id or NO_MESSAGE_ID
    author = reading.author
    # An address of the list, or of the bridge, stands for one that nobody told us.
    stand_ins = work.facts.addresses | work.bridge
    known = author is not None and author.address not in stand_ins and author.address.lower() not in stand_ins
    name = author.name if author is not None else ""
    files = tuple(_file(work, one) for one in reading.attachments)
    return BulkPost(
        raw=_blob(mail.raw),
        message_id=message_id,
        content_hash=reading.content_hash,
        seen=keyed_hash(work.hash_key, "post", work.link_path, message_id, reading.content_hash),
        refs=" ".join(reading.refs),
        permalink=short_name(work.association, message_id or reading.content_hash),
        shown_subject=reading.subject,
        subject=reading.canonical_subject,
        author_name=name,
        author_address=author.address if author is not None and known else None,
        text=reading.text,
        said_at=_said_at(reading.date, mail.received_at, work.now),
        files=files,
        words=None if any(map(_waits, files)) else _words(work, reading, name),
    )


def _said_at(date: datetime | None, received_at: datetime | None, now: datetime) -> datetime:
    """By the mail itself, else by the archive; never in the future."""
    return min(date or received_at or now, now).astimezone(UTC)


def _blob(data: bytes) -> BulkBlob:
    return BulkBlob(**blob_row(data))


def _file(work: Work, one: Attachment) -> BulkFile:
    return BulkFile(
        filename=one.filename,
        media_type=one.media_type,
        size_bytes=len(one.data),
        inline=one.inline,
        content_id=one.content_id,
        blob=_blob(one.data) if len(one.data) <= work.file_limit_bytes else None,
    )


def _waits(one: BulkFile) -> bool:
    """Whether its text is to be found too: then the daemon reads it, and indexes the post."""
    return one.blob is not None and is_readable(one.media_type, one.filename, one.size_bytes)


def _words(work: Work, reading: ArchiveReading, author_name: str) -> SearchWords:
    return build_words(
        Findable(
            shelves=_shelves(work.association, work.link, work.side),
            side=work.side,
            author_name=author_name,
            subject=reading.canonical_subject,
            own=reading.text,
            quoted=reading.quoted,
            file_names=tuple(one.filename for one in reading.attachments),
        )
    )


@lru_cache(maxsize=4)
def _shelves(association: AssociationName, link: LinkName, side: Side) -> tuple[Shelf, ...]:
    return (shelf_of(association=association, link=link, origin="import", side=side),)
