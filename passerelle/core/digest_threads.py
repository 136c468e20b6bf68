"""Conversations in a digest: new ones, those that woke up or go on, questions that nobody answered, files. Pure.

People are counted, not messages: ten lines of one person weigh as one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from passerelle.core.digest_facts import FileFact, PostFact
from passerelle.core.digest_items import Item, Reason, ReasonCode
from passerelle.core.digest_telling import LONGEST_EXTRACT, LONGEST_TITLE, Telling, cut_line
from passerelle.core.digest_weights import (
    BOTH_SIDES,
    GOES_ON_PERSONS,
    MOST_PERSONS,
    OWN_THREAD,
    PERSON,
    QUESTION_FORGOTTEN_AFTER,
    ROOM_PERSONS,
    SEVERAL_LINKS,
    WEIGHTS,
    WOKEN_AFTER,
)
from passerelle.core.ids import ThreadId

#: Files that hold something to read or to keep: documents, tables, slides, calendars. Pictures and voices are told by
#: their conversation.
_DOCUMENTS = (
    "application/pdf", "application/msword", "application/rtf", "text/rtf", "text/csv", "text/calendar",
    "application/epub+zip", "application/zip", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
)  # fmt: skip
_DOCUMENT_FAMILIES = (
    "application/vnd.oasis.opendocument.", "application/vnd.openxmlformats-officedocument.",
)  # fmt: skip
#: A mail's question has so many words at the least: « Ça va ? » asks for nothing.
_QUESTION_WORDS = 3


def thread_items(telling: Telling) -> Iterator[Item]:
    """Conversations in which somebody else than the reader said something in the digest's time.

    One that is told as a question without an answer is not told twice.
    """
    asked = {item.thread_id for item in question_items(telling)}
    threads: defaultdict[ThreadId, list[PostFact]] = defaultdict(list)
    for post in sorted(telling.facts.posts, key=lambda post: (post.at, post.id)):
        if post.at < telling.until:
            threads[post.thread_id].append(post)
    for thread_id, posts in sorted(threads.items()):
        now = [post for post in posts if post.at >= telling.since]
        if thread_id not in asked and any(not post.is_own for post in now):
            yield from _thread(telling, thread_id, posts, now)


def _thread(
    telling: Telling, thread_id: ThreadId, posts: Sequence[PostFact], now: Sequence[PostFact]
) -> Iterator[Item]:
    people = len({post.author for post in now})
    links = len({shelf.link for post in now for shelf in post.shelves})
    sides = {post.side for post in now}
    if sides == {"room"} and people < ROOM_PERSONS and len(posts) == len(now) and not telling.is_for_all:
        return
    before = [post for post in posts if post.at < telling.since]
    code: ReasonCode = "new"
    silence = timedelta(0)
    if before:
        silence = now[0].at - before[-1].at
        code = "woken" if silence >= WOKEN_AFTER else "goes_on"
    if code == "goes_on" and people < GOES_ON_PERSONS and not telling.is_for_all:
        return
    weight = WEIGHTS[code] + PERSON * min(people, MOST_PERSONS)
    weight += SEVERAL_LINKS * (links > 1) + BOTH_SIDES * (len(sides) > 1)
    weight += OWN_THREAD * (thread_id in telling.facts.own_threads)
    told = posts[0] if code == "new" else next(post for post in reversed(now) if not post.is_own)
    title, extract = title_of(posts), cut_line(told.text, LONGEST_EXTRACT)
    yield Item(
        key=f"thread:{thread_id}",
        section="threads",
        kind="thread",
        state=f"post:{now[-1].id}",
        title=title,
        reason=Reason(code=code, count=people, links=links, days=silence.days if code == "woken" else 0),
        weight=weight,
        link=now[-1].link,
        thread_id=thread_id,
        post_id=now[-1].id,
        path=now[0].path,
        extract="" if extract == title else extract,
        author=told.author_name,
        happened_at=now[-1].at,
    )


def title_of(posts: Sequence[PostFact]) -> str:
    """What a conversation is called, where its beginning is the reader's to read; else how its first words go."""
    named = next((post.subject for post in posts if post.subject), "")
    return cut_line(named or posts[0].text, LONGEST_TITLE)


def asks_something(text: str) -> bool:
    """Whether an author's own words hold a question: a sentence of some words that ends with a question mark."""
    for line in text[:5000].splitlines():
        words = 0
        for word in line.split():
            if word.startswith(("http://", "https://", ">")):
                continue
            words += word.strip("?!.…»\"'()\u00a0\u202f") != ""
            if word.rstrip("!.»\"')\u00a0\u202f").endswith("?") and words >= _QUESTION_WORDS:
                return True
            if word.endswith((".", "!", "?", "…")):
                words = 0
    return False


def question_items(telling: Telling) -> Iterator[Item]:
    """Mails that ask something and that nobody answered for long enough, and not for too long; one a conversation.

    What stands in the register as a question of the same mail is told there.
    """
    noted = {fact.entry.post_id for fact in telling.facts.entries if fact.entry.kind == "question"}
    told: set[ThreadId] = set()
    for post in sorted(telling.facts.questions, key=lambda post: (post.said_at, post.id)):
        waited = telling.until - post.said_at
        is_due = timedelta(days=telling.unanswered_days) <= waited < QUESTION_FORGOTTEN_AFTER
        asks = asks_something(post.text) or post.subject.rstrip(" \u00a0\u202f").endswith("?")
        if is_due and asks and post.at < telling.until and post.side == "list" and post.id not in noted:
            if post.thread_id not in told:
                yield _question(post, waited)
            told.add(post.thread_id)


def _question(post: PostFact, waited: timedelta) -> Item:
    return Item(
        key=f"question:{post.thread_id}",
        section="questions",
        kind="question",
        state=f"open:{post.id}",
        title=title_of([post]),
        reason=Reason(code="unanswered", days=waited.days),
        weight=WEIGHTS["unanswered"],
        link=post.link,
        stands=True,
        thread_id=post.thread_id,
        post_id=post.id,
        path=post.path,
        extract=cut_line(post.text, LONGEST_EXTRACT),
        author=post.author_name,
        happened_at=post.at,
    )


def file_items(telling: Telling) -> Iterator[Item]:
    """Documents that came in the digest's time."""
    posts = {post.id: post for post in telling.facts.posts}
    for fact in telling.facts.files:
        post = posts[fact.post_id]
        if telling.is_in_time(post.at) and not post.is_own and is_document(fact):
            yield _file(fact, post)


def is_document(fact: FileFact) -> bool:
    """Whether a file is worth knowing by itself."""
    return not fact.inline and (fact.media_type in _DOCUMENTS or fact.media_type.startswith(_DOCUMENT_FAMILIES))


def _file(fact: FileFact, post: PostFact) -> Item:
    return Item(
        key=f"file:{post.id}:{fact.position}",
        section="files",
        kind="file",
        state="here",
        title=cut_line(fact.filename, LONGEST_TITLE),
        reason=Reason(code="file"),
        weight=WEIGHTS["file"],
        link=post.link,
        thread_id=post.thread_id,
        post_id=post.id,
        path=fact.path,
        author=post.author_name,
        size_bytes=fact.size_bytes,
        happened_at=post.at,
    )
