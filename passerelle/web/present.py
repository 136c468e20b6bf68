"""Posts and conversations as pages show them: names, titles, dates, files, and how one answers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from markupsafe import Markup

from passerelle.core.folding import words_of
from passerelle.core.ids import MailAddress, MessageId, PostId
from passerelle.core.model import AttachmentRow, Side
from passerelle.core.names import list_author_name, mask_contacts, one_line, safe_name
from passerelle.core.not_archived import NOT_ARCHIVED
from passerelle.core.wording import Words
from passerelle.store.thread_pages import MOST_CHARACTERS, Handle, ThreadPost
from passerelle.web.bodies import html_of_post
from passerelle.web.paths import Paths
from passerelle.web.safe_files import is_shown_image

#: Of a title, and of the quote in an answer.
_TITLE_CHARACTERS = 120
_QUOTED_CHARACTERS = 240
_QUOTED_LINES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Presenting:
    """For whom, and with which words, posts are shown."""

    words: Words
    paths: Paths
    #: What stands in the place of mail addresses; None shows them, to participants.
    mask: str | None
    #: Posting address of each link, where the reader may write to it; empty for strangers.
    list_addresses: Mapping[str, MailAddress]
    #: Of a homeserver that knows the rooms: for links into them.
    server: str = ""
    #: Names that were made fit to be shown, for this page: in a conversation few people speak often.
    names: dict[tuple[Side, str], str] = field(default_factory=dict)

    def author(self, side: Side, name: str) -> str:
        """As `author_of`."""
        shown = self.names.get((side, name))
        if shown is None:
            shown = self.names[side, name] = author_of(self.words, side, name)
        return shown


@dataclass(frozen=True, kw_only=True, slots=True)
class FileView:
    name: str
    path: str
    size_bytes: int
    duration_ms: int | None
    is_image: bool
    #: `here`, or why it cannot be had.
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostView:
    """A post of a conversation. `tombstone`: the sentence that stands in its place where it does not stand any more."""

    anchor: str
    side: Side
    is_past: bool
    author: str
    is_own: bool
    said_at: datetime
    #: The day, in words, where another one begins with this post.
    day: str
    clock: str
    #: A subject that is not the conversation's.
    subject: str
    body: Markup
    is_cut: bool
    files: tuple[FileView, ...]
    #: Anchor and author of what it answers, where that is not the post right above.
    answers: tuple[str, str] | None
    tombstone: str
    can_show: bool
    has_original: bool
    by_mail: str
    in_room: str


def title_of(words: Words, *, thread_subject: str, subject: str, excerpt: str) -> str:
    """What a conversation is called: its subject, else that of its first post, else that one's first words."""
    found = one_line(thread_subject) or _capital(one_line(subject)) or one_line(excerpt)
    if len(found) > _TITLE_CHARACTERS:
        found = found[:_TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
    return found or words("web_no_subject")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def author_of(words: Words, side: Side, name: str) -> str:
    """Who wrote, by name; never an address (PEOPLE 4)."""
    return list_author_name(name, words) if side == "list" else safe_name(name) or words("room_member")


@lru_cache(maxsize=512)
def _day(words: Words, at: datetime) -> str:
    return words.day(at, weekday=True, year=True)


def day_of(words: Words, at: datetime) -> str:
    """« mardi 17 novembre 2026 »; `at` is aware."""
    local = at.astimezone(words.zone)
    return _day(words, local.replace(hour=12, minute=0, second=0, microsecond=0))


def moment_of(words: Words, at: datetime) -> str:
    """« mardi 17 novembre 2026 à 14 h 05 »; `at` is aware."""
    return words("moment", day=day_of(words, at), clock=words.clock(at))


def file_name(filename: str, *, mask: str | None) -> str:
    """What a file is called, on one line, without the addresses that strangers may not see."""
    name = one_line(filename) or "?"
    return mask_contacts(name, mask) if mask else name


def file_views(paths: Paths, short: str, rows: Sequence[AttachmentRow], *, mask: str | None) -> tuple[FileView, ...]:
    """The files of a post."""
    views = []
    for row in rows:
        if row.state == "failed" and not row.filename:
            continue  # taken back with its words
        name = file_name(row.filename, mask=mask)
        views.append(
            FileView(
                name=name,
                path=paths.file(short, row.position, name),
                size_bytes=row.size_bytes,
                duration_ms=row.duration_ms,
                is_image=row.state == "here" and is_shown_image(row.media_type),
                state=row.state,
            )
        )
    return tuple(views)


def post_views(
    showing: Presenting,
    posts: Sequence[ThreadPost],
    *,
    title: str,
    files: Mapping[PostId, Sequence[AttachmentRow]],
    handles: Mapping[PostId, Handle],
    reader_id: int | None,
) -> list[PostView]:
    """Posts of one page of a conversation, in their order. Those that left nothing, and that nobody answers, go."""
    known = {post.id: post for post in posts}
    answered = {post.parent_post_id for post in posts if post.state == "accepted"}
    views: list[PostView] = []
    day, above = "", None
    for post in posts:
        if post.state in ("kept_back", "withdrawn") and post.id not in answered and post.flagged != NOT_ARCHIVED:
            continue
        today = day_of(showing.words, post.said_at)
        parent = known.get(post.parent_post_id) if post.parent_post_id else None
        views.append(
            _view(
                showing,
                post,
                _Around(
                    day="" if today == day else today,
                    title=title,
                    parent=parent if parent is not None and parent.id != above else None,
                    is_own=reader_id is not None and post.person_id == reader_id,
                ),
                files.get(post.id, ()),
                handles.get(post.id, Handle()),
            )
        )
        day, above = today, post.id
    return views


@dataclass(frozen=True, kw_only=True, slots=True)
class _Around:
    """What a post's view depends on besides the post."""

    day: str
    title: str
    parent: ThreadPost | None
    is_own: bool


def _view(
    showing: Presenting, post: ThreadPost, around: _Around, files: Sequence[AttachmentRow], handle: Handle
) -> PostView:
    words, paths = showing.words, showing.paths
    stands = post.state == "accepted"
    author = showing.author(post.side, post.author_name) if stands else ""
    subject = _capital(one_line(mask_contacts(post.subject, showing.mask) if showing.mask else post.subject))
    is_new_subject = bool(subject) and not _says(around.title, subject)
    return PostView(
        anchor=post.permalink,
        side=post.side,
        is_past=post.origin == "import",
        author=author,
        is_own=around.is_own,
        said_at=post.said_at,
        day=around.day,
        clock=words.clock(post.said_at),
        subject=subject if is_new_subject else "",
        body=_body(showing, post) if stands else Markup(),
        is_cut=len(post.text) > MOST_CHARACTERS,
        files=file_views(paths, post.permalink, files, mask=showing.mask) if stands else (),
        answers=_answers(showing, around.parent) if stands else None,
        tombstone="" if stands else tombstone_of(words, post),
        can_show=post.state == "hidden",
        has_original=stands and post.side == "list" and post.has_original,
        by_mail=_by_mail(showing, post, handle, author=author, title=around.title) if stands else "",
        in_room=_in_room(showing, handle) if stands and showing.list_addresses else "",
    )


def _says(title: str, subject: str) -> bool:
    """Whether a title says all of a subject, or as much of it as fits, however its spaces and capitals are set."""
    said, wanted = " ".join(words_of(title)), " ".join(words_of(subject))
    return wanted in said or (title.endswith("…") and wanted.startswith(said))


def _answers(showing: Presenting, parent: ThreadPost | None) -> tuple[str, str] | None:
    if parent is None or parent.state != "accepted":
        return None
    return parent.permalink, showing.author(parent.side, parent.author_name)


def _body(showing: Presenting, post: ThreadPost) -> Markup:
    html = "" if len(post.text) > MOST_CHARACTERS else post.html
    image_words = showing.words("inline_image", name="{}")
    return html_of_post(text=post.text[:MOST_CHARACTERS], html=html, image_words=image_words, mask=showing.mask)


def tombstone_of(words: Words, post: ThreadPost) -> str:
    """What stands in the place of a post that does not stand any more."""
    if post.flagged == NOT_ARCHIVED:
        return words("web_not_archived")
    if post.state == "hidden":
        return words("web_hidden")
    return words("web_erased") if post.state == "erased" else words("web_taken_back")


# ------------------------------------------------------------ answering


def mailto(address: MailAddress, *, subject: str, in_reply_to: MessageId | None, body: str) -> str:
    """A `mailto:` URI for an answer (RFC 6068 §2, §5: header fields are given by name, line ends are %0D%0A)."""
    fields = [("subject", _quoted_field(subject)), ("body", quote(body, safe=""))]
    if in_reply_to:
        fields.insert(1, ("In-Reply-To", quote(f"<{in_reply_to}>", safe="@")))
    query = "&".join(f"{name}={value}" for name, value in fields if value)
    return f"mailto:{quote(address, safe='@')}?{query}"


@lru_cache(maxsize=16)
def _quoted_field(value: str) -> str:
    return quote(value, safe="")


def _by_mail(showing: Presenting, post: ThreadPost, handle: Handle, *, author: str, title: str) -> str:
    address = showing.list_addresses.get(post.link)
    if address is None:
        return ""
    message_id = post.message_id or handle.message_id
    intro = showing.words("web_quote_intro", name=author, moment=moment_of(showing.words, post.said_at))
    return mailto(
        address,
        subject=f"Re: {title}",
        in_reply_to=message_id or None,
        body="\r\n".join(["", "", intro, *_quoted(post.text)]),
    )


def _quoted(text: str) -> list[str]:
    """The beginning of a text as a quote: enough to know what is answered; programs refuse long addresses."""
    lines = [line.strip() for line in text[:_QUOTED_CHARACTERS].splitlines() if line.strip()][:_QUOTED_LINES]
    if lines and len("".join(lines)) + 20 < len(text.strip()):
        lines[-1] += " […]"
    return [f"> {line}" for line in lines]


def _in_room(showing: Presenting, handle: Handle) -> str:
    if handle.room_id is None or handle.event_id is None:
        return ""
    via = f"?via={quote(showing.server)}" if showing.server else ""
    return f"https://matrix.to/#/{quote(handle.room_id, safe='')}/{quote(handle.event_id, safe='')}{via}"
