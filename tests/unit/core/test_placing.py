"""Threads: where an email stands, in whatever order emails arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.ids import MessageId, PostId, ThreadId
from passerelle.core.model import KnownMessageId
from passerelle.core.placing import MAX_REFERENCES, ancestors, place


def ids(*names: str) -> list[MessageId]:
    return [MessageId(name) for name in names]


def known(name: str, thread: int, post: int | None = 1) -> dict[MessageId, KnownMessageId]:
    message_id = MessageId(name)
    return {
        message_id: KnownMessageId(
            message_id=message_id,
            thread_id=ThreadId(thread),
            post_id=PostId(post) if post else None,
            batch_id=None,
            outbox_id=None,
        )
    }


def same(_thread: ThreadId) -> bool:
    return True


def other(_thread: ThreadId) -> bool:
    return False


def test_ancestors_run_from_the_nearest() -> None:
    assert ancestors(ids("c"), ids("a", "b", "c")) == ("c", "b", "a")


def test_ancestors_of_a_header_that_holds_thousands_are_cut() -> None:
    many = [MessageId(str(number)) for number in range(10_000)]
    assert len(ancestors([], many)) == MAX_REFERENCES
    assert ancestors([], many)[0] == "9999"


def test_place_known_parent_joins_its_thread() -> None:
    placement = place(MessageId("new"), ids("a"), known("a", 7), continues=same)
    assert (placement.thread_id, placement.parent_post_id) == (7, 1)


def test_place_missing_parent_leaves_placeholders_in_the_grandparents_thread() -> None:
    placement = place(MessageId("new"), ids("b", "a"), known("a", 7), continues=same)
    assert placement.thread_id == 7
    assert placement.parent_post_id == 1
    assert placement.parent_message_id == "b"
    assert placement.placeholders == ("b",)


def test_place_wholly_new_subject_begins_a_thread_linked_to_the_old() -> None:
    placement = place(MessageId("new"), ids("a"), known("a", 7), continues=other)
    assert placement.thread_id is None
    assert placement.split_from_thread_id == 7
    assert placement.parent_post_id is None


def test_place_parent_that_comes_late_takes_the_placeholders_thread() -> None:
    placement = place(MessageId("late"), [], known("late", 7, post=None), continues=same)
    assert placement.thread_id == 7


def test_place_answer_to_itself_is_no_loop() -> None:
    placement = place(MessageId("a"), ids("a"), {}, continues=same)
    assert placement.parent_message_id is None
    assert placement.placeholders == ()


names = st.lists(st.sampled_from("abcdefgh"), max_size=8).map(lambda chosen: [MessageId(name) for name in chosen])


@given(chain=names, answered=names, stands=st.sets(st.sampled_from("abcdefgh")))
def test_place_whatever_is_known_every_unknown_ancestor_is_kept_once(
    chain: list[MessageId], answered: list[MessageId], stands: set[str]
) -> None:
    store = {key: value for name in sorted(stands) for key, value in known(name, ord(name)).items()}
    found = ancestors(answered, chain)
    placement = place(MessageId("new"), found, store, continues=same)
    assert len(set(placement.placeholders)) == len(placement.placeholders)
    assert set(placement.placeholders) == {m for m in found if m not in store}
    assert (placement.thread_id is None) == (not any(m in store for m in found))
