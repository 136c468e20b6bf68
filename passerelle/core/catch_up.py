"""What one who was away is told: decisions, what is asked of them, open questions, dates, then conversations. Pure.

It knows the facts of a digest, with the same rights, and what a digest would name; nothing that was shown before is
left out. Conversations stand in the order of how many spoke in them, each with sentences of it. Why: docs/digest.md.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from passerelle.core.digest_choice import Chosen, DigestFacts, Item, Reason, candidates
from passerelle.core.digest_facts import PostFact, visible
from passerelle.core.digest_items import Section, Sentence
from passerelle.core.digest_telling import Telling
from passerelle.core.digest_threads import question_items, title_of
from passerelle.core.digest_weights import WOKEN_AFTER
from passerelle.core.extractive import Written, extract_sentences
from passerelle.core.ids import ThreadId
from passerelle.core.shelves import Reader

#: « Depuis le début »: nothing that an association says by this bridge is older.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
#: In this order, and so many of each: one page. The others are counted.
MOST: Mapping[Section, int] = {"decisions": 8, "asked": 8, "questions": 5, "meetings": 5, "threads": 8}
#: So many sentences stand for a conversation.
SENTENCES = 3


def choose_catch_up(
    facts: DigestFacts,
    *,
    reader: Reader,
    since: datetime,
    until: datetime,
    unanswered_days: float,
    longest_text: int | None = None,
) -> Chosen:
    """What `reader` missed from `since` on and before `until` (both aware); the same for the same input.

    Args:
        longest_text: a post's words were cut there when they were gathered.
    """
    telling = Telling(
        facts=visible(facts, reader),
        person_id=reader.person_id,
        shown={},
        since=since,
        until=until,
        unanswered_days=unanswered_days,
    )
    said = _said(telling)
    found: dict[Section, list[Item]] = {section: [] for section in MOST}
    for item in candidates(telling):
        if item.section in found and item.section != "threads":
            found[item.section].append(item)
    conversations = _conversations(telling, said)
    found["threads"] = [
        # Only of those that are named: it takes its time.
        replace(item, sentences=_sentences(said[item.thread_id], longest_text))
        if place < MOST["threads"] and item.thread_id is not None
        else item
        for place, item in enumerate(conversations)
    ]
    return Chosen(
        items=tuple(item for section, most in MOST.items() for item in found[section][:most]),
        counted={section: len(found[section]) - most for section, most in MOST.items() if len(found[section]) > most},
        is_cut=telling.facts.is_cut,
    )


def _said(telling: Telling) -> Mapping[ThreadId, list[PostFact]]:
    """What was said in that time, by conversation, the oldest first."""
    said: defaultdict[ThreadId, list[PostFact]] = defaultdict(list)
    for post in sorted(telling.facts.posts, key=lambda post: (post.at, post.id)):
        if telling.is_in_time(post.at):
            said[post.thread_id].append(post)
    return said


def _conversations(telling: Telling, said: Mapping[ThreadId, list[PostFact]]) -> list[Item]:
    """Those in which somebody else spoke, most people first; what is told as a question without answer is not told
    twice."""
    asked = {item.thread_id for item in question_items(telling)}
    last: dict[ThreadId, PostFact] = {}
    named: dict[ThreadId, PostFact] = {}
    for post in sorted(telling.facts.posts, key=lambda post: (post.at, post.id)):
        if post.at < telling.since:
            last[post.thread_id] = post
        if post.subject:
            named.setdefault(post.thread_id, post)
    found = []
    for id, posts in said.items():
        if id not in asked and any(not post.is_own for post in posts):
            title = title_of([named[id], *posts] if id in named else posts)
            found.append(_conversation(id, posts, before=last.get(id), title=title))
    return sorted(found, key=lambda item: (-item.reason.count, -_seconds(item), item.key))


def _seconds(item: Item) -> float:
    assert item.happened_at is not None
    return (item.happened_at - BEGINNING).total_seconds()


def _conversation(id: ThreadId, posts: Sequence[PostFact], *, before: PostFact | None, title: str) -> Item:
    people = len({post.author for post in posts})
    links = len({shelf.link for post in posts for shelf in post.shelves})
    silence = posts[0].at - before.at if before is not None else timedelta(0)
    is_woken = silence >= WOKEN_AFTER
    return Item(
        key=f"thread:{id}",
        section="threads",
        kind="thread",
        state=f"post:{posts[-1].id}",
        title=title,
        reason=Reason(
            code="new" if before is None else "woken" if is_woken else "goes_on",
            count=people,
            links=links,
            days=silence.days if is_woken else 0,
        ),
        weight=people,
        link=posts[-1].link,
        thread_id=id,
        post_id=posts[-1].id,
        path=posts[0].path,
        happened_at=posts[-1].at,
    )


def _sentences(posts: Sequence[PostFact], longest_text: int | None) -> tuple[Sentence, ...]:
    written = [
        Written(author=post.author, text=post.text, is_cut=longest_text is not None and len(post.text) >= longest_text)
        for post in posts
    ]
    return tuple(_sentence(one.text, posts[one.number]) for one in extract_sentences(written, most=SENTENCES))


def _sentence(text: str, post: PostFact) -> Sentence:
    return Sentence(text=text, author=post.author_name, post_id=post.id, path=post.path)
