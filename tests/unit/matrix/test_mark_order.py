"""A mark that overtakes an earlier one is refused once, and only then."""

from passerelle.matrix.mark_order import KEPT_MARKS, MarkOrder, mark_content


def test_marks_in_their_order_are_taken() -> None:
    order = MarkOrder()
    assert not order.overtakes([mark_content("a/1", None)])
    order.note(["a/1"])
    assert not order.overtakes([mark_content("a/2", "a/1")])


def test_both_in_one_transaction_are_in_order() -> None:
    assert not MarkOrder().overtakes([mark_content("a/1", None), mark_content("a/2", "a/1")])


def test_one_that_overtakes_is_refused_once() -> None:
    order = MarkOrder()
    assert order.overtakes([mark_content("a/2", "a/1")])
    assert not order.overtakes([mark_content("a/2", "a/1")]), "what comes again comes after all that was older"


def test_after_the_refusal_the_one_that_was_left_behind_comes_first() -> None:
    order = MarkOrder()
    assert order.overtakes([mark_content("a/2", "a/1")])
    for mark, after in (("a/1", None), ("a/2", "a/1"), ("a/3", "a/2")):
        assert not order.overtakes([mark_content(mark, after)])
        order.note([mark])


def test_a_mark_that_was_refused_has_not_come() -> None:
    order = MarkOrder()
    assert order.overtakes([mark_content("a/2", "a/1")])
    assert order.overtakes([mark_content("a/3", "a/2")])


def test_what_others_wrote_into_the_room_refuses_nothing_for_ever() -> None:
    order = MarkOrder()
    assert not order.overtakes([{}, {"mark": 3, "after": 7}])
    assert [order.overtakes([{"after": "x"}]) for _ in range(3)] == [True, False, False]


def test_memory_is_bounded() -> None:
    order = MarkOrder()
    order.note(f"a/{n}" for n in range(KEPT_MARKS + 1))
    assert order.overtakes([mark_content("a/x", "a/0")])
    assert not order.overtakes([mark_content("a/y", f"a/{KEPT_MARKS}")])
