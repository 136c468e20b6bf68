"""What was said in a meeting, under the item that was current: one line each, and where the rest is. Pure.

An item becomes current by a line of its own: `#topic Budget`, « point 2 », or the item itself, said once more. What the
grammar took (decisions, who is there) stands elsewhere in the minutes, and commands nowhere.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from passerelle.core.folding import fold
from passerelle.core.meeting_model import MeetingSpan
from passerelle.core.minutes_model import Excerpt, MeetingPost, Topic
from passerelle.core.names import list_author_name, mask_addresses, one_line
from passerelle.core.wording import Words

#: Excerpts of one topic; what is behind them is counted.
MOST_EXCERPTS = 12
MOST_TOPICS = 60
LONGEST_EXCERPT = 160
#: Of one post so much is looked at.
_LONGEST_POST = 20_000
_MOST_LINES = 200
#: « ok », « +1 », « d’accord » are counted, and not shown.
_LEAST_LETTERS = 10

_TOPIC = re.compile(r"#(?:topic|sujet|point|ordre)\s+(?P<title>\S.*)", re.IGNORECASE)
_POINT = re.compile(r"(?:point|item)\s+(?:n\s?[°o]?\s?)?(?P<number>\d{1,2})\s*(?:[:.)–—-].*)?")
_NUMBERED = re.compile(r"\d{1,2}\s?[.):°–-]\s*")
_BULLET = re.compile(r"[-*•–—·]\s+")


@dataclass(slots=True)
class _Growing:
    title: str
    posts: list[MeetingPost] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def build_topics(
    posts: Sequence[MeetingPost],
    agenda: Sequence[str],
    *,
    noted_lines: Callable[[MeetingPost], Collection[int]],
    words: Words,
) -> tuple[tuple[Topic, ...], frozenset[int]]:
    """The topics in the order in which they came up, and the places in the agenda of those that came up.

    Args:
        posts: in the order in which they were said.
        agenda: the items' texts.
        noted_lines: the numbers of a post's lines that the grammar took; its first line is 0.
        words: how an author without a name is called, and an address that is masked.
    """
    folded = [_bare(item) for item in agenda]
    current = _Growing(title="")
    topics: dict[str, _Growing] = {"": current}
    treated: set[int] = set()
    for post in posts:
        said = ""
        for line in _free_lines(post, noted_lines(post), agenda, folded):
            if line.title is not None:
                treated |= {line.place} if line.place is not None else set()
                current = topics.setdefault(_bare(line.title), _Growing(title=line.title))
            elif not said:
                said = line.text
        if said:
            current.posts.append(post)
            current.lines.append(said)
    kept = [_topic(growing, words) for growing in topics.values() if growing.posts]
    return tuple(kept[:MOST_TOPICS]), frozenset(treated)


def posts_within(posts: Sequence[MeetingPost], spans: Sequence[MeetingSpan]) -> tuple[MeetingPost, ...]:
    """What was said while the meeting was under way, in its order: not what was said in a pause."""
    inside = [post for post in posts if any(_is_within(post.said_at, span) for span in spans)]
    return tuple(sorted(inside, key=lambda post: post.said_at))


def _is_within(at: datetime, span: MeetingSpan) -> bool:
    return span.started_at <= at and (span.ended_at is None or at < span.ended_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    text: str
    #: The topic that it begins, and its place in the agenda.
    title: str | None = None
    place: int | None = None


def _free_lines(
    post: MeetingPost, noted: Collection[int], agenda: Sequence[str], folded: Sequence[str]
) -> Iterator[_Line]:
    """The lines of a post that begin a topic, or that neither the grammar nor a command took."""
    after_noted = False
    for number, raw in enumerate(post.text[:_LONGEST_POST].split("\n", _MOST_LINES)[:_MOST_LINES]):
        flat = one_line(raw)
        text = _BULLET.sub("", flat, count=1) if _BULLET.match(flat) else flat
        if not text:
            after_noted = False
            continue
        title, place = _marked(text, agenda, folded)
        # A noted line that goes on, or the heading of noted ones, says nothing by itself.
        is_part = (after_noted and (raw[0].isspace() or text[0].islower())) or (bool(noted) and text.endswith(":"))
        if title is not None:
            yield _Line(text=text, title=title, place=place)
        elif number in noted or is_part:
            after_noted = True
        elif text[0] not in "!/#>":
            after_noted = False
            yield _Line(text=text)


def _bare(text: str) -> str:
    """A text as it is compared with an item of the agenda: « 2. Le budget. » is « le budget »."""
    return _NUMBERED.sub("", fold(one_line(text)), count=1).strip(" .:;!?–-")


def _marked(line: str, agenda: Sequence[str], folded: Sequence[str]) -> tuple[str | None, int | None]:
    """The topic that a line begins, and its place in the agenda; (None, None) where it begins none."""
    named = _TOPIC.match(line)
    title = one_line(named["title"]) if named else ""
    point = _POINT.fullmatch(fold(title or line).strip())
    if point and 0 < int(point["number"]) <= len(agenda):
        place = int(point["number"]) - 1
        return agenda[place], place
    if title.isdecimal() and 0 < int(title[:3]) <= len(agenda):
        return agenda[int(title[:3]) - 1], int(title[:3]) - 1
    bare = _bare(title or line)
    if bare and bare in folded:
        place = folded.index(bare)
        return agenda[place], place
    return (title[:LONGEST_EXCERPT], None) if title else (None, None)


def _topic(growing: _Growing, words: Words) -> Topic:
    spoken = [
        (post, line)
        for post, line in zip(growing.posts, growing.lines, strict=True)
        if sum(map(str.isalpha, line)) >= _LEAST_LETTERS
    ]
    return Topic(
        title=growing.title,
        said_count=len(growing.posts),
        excerpts=tuple(
            Excerpt(
                author=list_author_name(post.author, words),
                said_at=post.said_at,
                text=mask_addresses(cut(line, LONGEST_EXCERPT), words("masked_address")),
                path=post.path,
            )
            for post, line in spoken[:MOST_EXCERPTS]
        ),
        path=growing.posts[0].path,
    )


def cut(text: str, length: int) -> str:
    """The beginning of a line, whole words where it has any, with … where something is left out."""
    if len(text) <= length:
        return text
    beginning = text[: length - 1]
    whole = beginning.rsplit(" ", 1)[0] if " " in beginning[length // 2 :] else beginning
    return whole.rstrip(" ,;:.") + "…"
