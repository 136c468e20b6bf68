"""Trees: each case by the name under which threading libraries know it, and any order of arrival."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.tree import Forest, Moved, Node, build_forest


def node(name: str, answers: str = "", at: int = 0, **more: object) -> Node:
    """A post `name`; its key is made of its name and its tie, so that the same post has the same key."""
    tie = str(more.pop("tie", name))
    values: dict[str, object] = {"subjects": ("loto",), "said_at": at, "names": (name,), "tie": tie}
    return Node(key=hash((name, tie)) & 0xFFFFFFFF, chain=tuple(answers.split()), **(values | more))  # type: ignore[arg-type]


def drawn(nodes: list[Node]) -> tuple[list[str], list[str]]:
    """The forest in words: `child<parent`, and the members of each conversation."""
    forest = build_forest(nodes)
    called = {one.key: one.tie for one in nodes}
    parents = [called[key] if up is None else f"{called[key]}<{called[up]}" for key, up in forest.parents.items()]
    return sorted(parents), [",".join(called[key] for key in one.keys) for one in forest.conversations]


#: What comes in; who answers whom; the conversations.
CASES: dict[str, tuple[list[Node], list[str], list[str]]] = {
    "a single post": ([node("a")], ["a"], ["a"]),
    "linear": ([node("a"), node("b", "a", 1), node("c", "b a", 2)], ["a", "b<a", "c<b"], ["a,b,c"]),
    "two answers": ([node("a"), node("b", "a", 1), node("c", "a", 2)], ["a", "b<a", "c<a"], ["a,b,c"]),
    "in reply to only, no References": (
        [node("a"), node("b", "a", 1), node("c", "b", 2)],
        ["a", "b<a", "c<b"],
        ["a,b,c"],
    ),
    "two conversations": ([node("a"), node("b", "", 1)], ["a", "b"], ["a", "b"]),
    "same subject, no References: not merged": (
        [node("a", subjects=("loto",)), node("b", "", 1, subjects=("loto",))],
        ["a", "b"],
        ["a", "b"],
    ),
    "missing parent, grandparent known": (
        [node("a"), node("c", "b a", 2)],
        ["a", "c<a"],
        ["a,c"],
    ),
    "missing root, siblings": (
        [node("b", "x", 1), node("c", "x", 2)],
        ["b", "c"],
        ["b,c"],
    ),
    "missing root, one answer: not shown as a branch": ([node("b", "x")], ["b"], ["b"]),
    "several missing in a row": ([node("a"), node("e", "d c b a", 2)], ["a", "e<a"], ["a,e"]),
    "placeholders linked by another's chain": (
        [node("a"), node("c", "x a", 1), node("d", "x", 2)],
        ["a", "c<a", "d<a"],
        ["a,c,d"],
    ),
    "placeholders linked over two": (
        [node("a"), node("c", "y a", 1), node("d", "x y", 2), node("e", "x", 3)],
        ["a", "c<a", "d<a", "e<a"],
        ["a,c,d,e"],
    ),
    "placeholders that name each other": (
        [node("b", "x y", 1), node("c", "y x", 2)],
        ["b", "c"],
        ["b,c"],
    ),
    "most chains count where they disagree": (
        [node("a"), node("z", "", 1), node("c", "x a", 2), node("d", "x z", 3), node("e", "x z", 4), node("f", "x", 5)],
        ["a", "c<a", "d<z", "e<z", "f<z", "z"],
        ["a,c", "z,d,e,f"],
    ),
    "truncated References": ([node("a"), node("d", "c a", 2)], ["a", "d<a"], ["a,d"]),
    "self reference": ([node("a", "a"), node("b", "a", 1)], ["a", "b<a"], ["a,b"]),
    "self reference before the parent": ([node("a"), node("b", "b a", 1)], ["a", "b<a"], ["a,b"]),
    "loop of two": ([node("a", "b"), node("b", "a", 1)], ["a", "b<a"], ["a,b"]),
    "loop of three, with a tail": (
        [node("a", "c"), node("b", "a", 1), node("c", "b", 2), node("d", "c", 3)],
        ["a", "b<a", "c<b", "d<c"],
        ["a,b,c,d"],
    ),
    "loop, the earliest in the middle": (
        [node("a", "c", 5), node("b", "a", 1), node("c", "b", 3)],
        ["a<c", "b", "c<b"],
        ["b,c,a"],
    ),
    "duplicate Message-ID: the earlier is meant": (
        [node("a"), node("b", "a", 2, tie="b late"), node("b", "a", 1, tie="b early"), node("c", "b", 3)],
        ["a", "b early<a", "b late<a", "c<b early"],
        ["a,b early,b late,c"],
    ),
    "duplicate that answers itself": (
        [node("b", "b", 2, tie="b late"), node("b", "", 1, tie="b early")],
        ["b early", "b late"],
        ["b early", "b late"],
    ),
    "no Message-ID at all": (
        [node("a"), node("", "a", 1, names=(), tie="nameless")],
        ["a", "nameless<a"],
        ["a,nameless"],
    ),
    "an answer dated before its parent": ([node("a", "", 9), node("b", "a", 1)], ["a", "b<a"], ["b,a"]),
    "subject change": (
        [
            node("a", subjects=("loto du quartier",)),
            node("b", "a", 1, subjects=("pique-nique",)),
            node("c", "b a", 2, subjects=("pique-nique",)),
        ],
        ["a", "b", "c<b"],
        ["a", "b,c"],
    ),
    "subject corrected": (
        [node("a", subjects=("réunoin de mars",)), node("b", "a", 1, subjects=("réunion de mars",))],
        ["a", "b<a"],
        ["a,b"],
    ),
    "subject dropped by a phone": (
        [node("a"), node("b", "a", 1, subjects=("",)), node("c", "b", 2, subjects=("pique-nique",))],
        ["a", "b<a", "c<b"],
        ["a,b,c"],
    ),
    "the missing one changed the subject": (
        [
            node("a", subjects=("loto du quartier",)),
            node("c", "b a", 2, subjects=("pique-nique",)),
            node("d", "b a", 3, subjects=("pique-nique",)),
        ],
        ["a", "c", "d"],
        ["a", "c,d"],
    ),
    "a line goes on whatever the subject": (
        [node("a"), node("l", "a", 1, subjects=("tout autre chose",), may_split=False)],
        ["a", "l<a"],
        ["a,l"],
    ),
    "a reply to a line, by any of its names and subjects": (
        [
            node("l", "", 0, names=("$l", "mail"), subjects=("qui vient", "le salon ce soir"), may_split=False),
            node("b", "mail", 1, subjects=("le salon ce soir",)),
        ],
        ["b<l", "l"],
        ["l,b"],
    ),
    "lines of one talk stand together, and answer nothing": (
        [node("l"), node("m", "", 1, beside="l"), node("n", "", 2, beside="l"), node("o", "n", 3)],
        ["l", "m", "n", "o<n"],
        ["l,m,n,o"],
    ),
    "a talk whose first line is not here": (
        [node("m", "", 1, beside="l"), node("n", "", 2, beside="l")],
        ["m", "n"],
        ["m,n"],
    ),
    "a forged Message-ID of ours": (
        [node("l", "", 5, names=("mail",), may_split=False), node("mail", "", 1, tie="forged"), node("b", "mail", 6)],
        ["b<l", "forged", "l"],
        ["forged", "l,b"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_case(case: str) -> None:
    nodes, parents, conversations = CASES[case]
    assert drawn(nodes) == (parents, conversations)
    assert drawn(nodes[::-1]) == (parents, conversations)


def key(name: str) -> int:
    return node(name).key


def test_a_human_attaches_and_its_answers_follow() -> None:
    nodes = [node("a"), node("b", "", 1, moved=Moved(kind="attach", to=key("a"))), node("c", "b", 2)]
    assert drawn(nodes) == (["a", "b<a", "c<b"], ["a,b,c"])


def test_a_human_attaches_whatever_the_subject() -> None:
    moved = Moved(kind="attach", to=key("a"))
    nodes = [node("a", subjects=("loto",)), node("b", "", 1, subjects=("tout autre chose",), moved=moved)]
    assert drawn(nodes)[1] == ["a,b"]


def test_a_human_splits_and_its_answers_follow() -> None:
    nodes = [node("a"), node("b", "a", 1, moved=Moved(kind="split")), node("c", "b a", 2), node("d", "a", 3)]
    assert drawn(nodes) == (["a", "b", "c<b", "d<a"], ["a,d", "b,c"])
    assert build_forest(nodes).conversations[1].split_from == key("a")


def test_a_human_splits_what_answers_a_missing_one_with_others() -> None:
    nodes = [node("b", "x", 1), node("c", "x", 2, moved=Moved(kind="split"))]
    assert drawn(nodes)[1] == ["b", "c"]


def test_a_line_split_from_a_talk_takes_nobody_along() -> None:
    nodes = [node("l", moved=Moved(kind="split")), node("m", "", 1, beside="l"), node("n", "", 2, beside="l")]
    assert drawn(nodes)[1] == ["l", "m,n"]


def test_a_loop_made_by_hand_is_cut_where_no_hand_was() -> None:
    nodes = [node("a", moved=Moved(kind="attach", to=key("b"))), node("b", "a", 1)]
    assert drawn(nodes) == (["a<b", "b"], ["a,b"])


def test_what_is_fixed_stays_and_takes_others_in() -> None:
    nodes = [node("a", fixed=7), node("b", "a", 1), node("c", "x", 2), node("d", "x a", 3)]
    forest = build_forest(nodes)
    assert [conversation.fixed for conversation in forest.conversations] == [(7,)]
    assert key("a") not in forest.parents


def test_a_split_is_linked_to_what_it_answered() -> None:
    forest = build_forest([node("a"), node("b", "a", 1, subjects=("pique-nique",))])
    assert [conversation.split_from for conversation in forest.conversations] == [None, key("a")]
    assert forest.watched == {key("b"): ("a",)}


NAMES = "abcdefghij"


@st.composite
def mailboxes(draw: st.DrawFn) -> list[Node]:
    nodes = []
    for number in range(draw(st.integers(1, 12))):
        name = draw(st.sampled_from(NAMES))
        chain = " ".join(dict.fromkeys(draw(st.lists(st.sampled_from(NAMES), max_size=4))))
        subject = draw(st.sampled_from(["loto du quartier", "loto du quartier", "pique-nique", ""]))
        made = node(name, chain, draw(st.integers(0, 3)), tie=f"{name}{number}", subjects=(subject,))
        made = replace(made, may_split=draw(st.sampled_from([True, True, True, False])))
        if draw(st.integers(0, 5)) == 0:
            made = replace(made, beside=draw(st.sampled_from(NAMES)), chain=())
        nodes.append(made)
    for number, one in enumerate(nodes):
        if draw(st.integers(0, 9)) == 0:
            kind = draw(st.sampled_from(["attach", "split"]))
            to = draw(st.sampled_from(nodes)).key
            nodes[number] = replace(one, moved=Moved(kind=kind, to=to if kind == "attach" else 0))
    return nodes


@given(nodes=mailboxes(), chance=st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_order_gives_the_same_forest(nodes: list[Node], chance: random.Random) -> None:
    expected = build_forest(nodes)
    other = list(nodes)
    chance.shuffle(other)
    found = build_forest(other)
    assert found == replace(expected, parents=dict(found.parents), watched=dict(found.watched))
    assert found.parents == expected.parents
    assert found.watched == expected.watched


@given(nodes=mailboxes())
@settings(max_examples=300, deadline=None)
def test_every_post_stands_once_and_no_walk_upwards_is_endless(nodes: list[Node]) -> None:
    forest: Forest = build_forest(nodes)
    members = [key for one in forest.conversations for key in one.keys]
    assert sorted(members) == sorted(one.key for one in nodes)
    home = {key: number for number, one in enumerate(forest.conversations) for key in one.keys}
    for one in nodes:
        seen = set()
        here: int | None = one.key
        while here is not None:
            assert here not in seen
            assert home[here] == home[one.key]
            seen.add(here)
            here = forest.parents[here]


@pytest.mark.parametrize("shape", ["deep", "ring", "placeholders"])
def test_a_hundred_thousand_hostile_posts_end(shape: str) -> None:
    """No recursion, nothing quadratic: what would take hours ends."""
    count = 100_000
    chains = {
        "deep": lambda number: (f"m{number - 1}",),
        "ring": lambda number: (f"m{(number + 1) % count}",),
        "placeholders": lambda number: tuple(f"x{(number * 7 + step) % count}" for step in range(8)),
    }
    nodes = [
        Node(key=number, names=(f"m{number}",), chain=chains[shape](number), said_at=number)
        for number in range(count)
    ]  # fmt: skip
    began = time.perf_counter()
    forest = build_forest(nodes)
    print(f"{shape}: {count} posts in {time.perf_counter() - began:.1f} s")
    assert len(forest.conversations) == 1
