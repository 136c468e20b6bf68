"""The trees that posts make: whatever comes first, the same posts stand in the same places. Pure.

RFC 5256 REFERENCES and Jamie Zawinski's algorithm for who answers whom, without merging by subject; what differs is
that nothing depends on the order of arrival, that a wholly new subject begins a conversation, and that a human's word
counts more than any header. Nothing recurses, nothing is quadratic: what is received decides how deep trees are.

1. A post answers the nearest of its chain that is here.
2. Where none is, the missing ones stand between: each answers what the chains that name it say, what is here before
   what is not, the most chains before the fewer, then the smallest name; the post answers the first that is here.
3. A reply whose subject is wholly another than that of the post it answers begins a conversation, linked to the old;
   so does what is said now in answer to a room's past.
4. Who names the same missing post, and answers nothing that is here, stands in one conversation.
5. A loop is cut where its earliest post stands, which then answers nothing.
6. Two posts of one name: a mail of ours is what the name means, else the earlier.

"Earlier" is by what posts say of themselves (`said_at`, then `tie`), never by when they arrived.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from passerelle.core.subject import same_conversation

#: How many pairs of subjects are remembered: a conversation compares the same two again and again.
_PAIRS = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A human's word: `attach` to the post of that key, or `split` into a conversation of its own."""

    kind: Literal["attach", "split"]
    to: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A post as its place depends on it."""

    #: Unique in a forest; says nothing about order.
    key: int
    #: What others call it: its Message-ID, its events; empty where nobody can answer it.
    names: tuple[str, ...]
    #: Names that it answers, nearest first.
    chain: tuple[str, ...] = ()
    #: Canonical subjects (`core.subject.canonical_subject`), any of which a reply may go on with; "" is any subject.
    subjects: tuple[str, ...] = ("",)
    #: Microseconds since 1970 UTC.
    said_at: int
    #: Tells posts of one instant apart, whatever came first: the content hash.
    tie: str = ""
    #: False: it continues what it answers whatever its subject, like a line of the room.
    may_split: bool = True
    #: A line of the room from before the bridge: what is said since begins a conversation of its own, since the past
    #: stays its side's, and its words are no subject for the other's.
    is_past: bool = False
    #: A name: it was said along with that post, in the same conversation, without answering it.
    beside: str = ""
    moved: Moved | None = None
    #: The conversation in which it stands and stays; its own parent is not asked for.
    fixed: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """Posts that belong together, earliest first; `split_from`: the post that its beginning answered."""

    keys: tuple[int, ...]
    split_from: int | None
    #: Where posts of it are fixed.
    fixed: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Forest:
    #: Of each post that is not fixed: the post that it answers in its conversation.
    parents: Mapping[int, int | None]
    #: In the order of their earliest posts.
    conversations: tuple[Conversation, ...]
    #: Which post each name means.
    owners: Mapping[str, int]
    #: Of each post the names on which its place depends beyond its conversation: those that it answers, nearer than
    #: anything that is here, which are not here; and, where its subject began a conversation, that of what it answered.
    watched: Mapping[int, tuple[str, ...]]
    #: The place of each post among all, the earliest first.
    ranks: Mapping[int, int]


def build_forest(nodes: Iterable[Node]) -> Forest:
    """Who answers whom, and what belongs together. The answer is the same in whatever order `nodes` come."""
    ranked = sorted(nodes, key=lambda node: (node.said_at, node.tie, node.names, node.chain))
    building = _Building(ranked)
    building.find_ancestors()
    building.answer_through_missing()
    building.obey_humans()
    building.split_by_subject()
    building.cut_loops()
    return building.forest()


class _Building:
    def __init__(self, ranked: Sequence[Node]) -> None:
        self.ranked = ranked
        self.nodes = {node.key: node for node in ranked}
        self.rank = {node.key: place for place, node in enumerate(ranked)}
        self.owners: dict[str, int] = {}
        # A stable sort: lines first, each kind by its rank.
        for node in sorted(ranked, key=lambda node: node.may_split):
            for name in node.names:
                self.owners.setdefault(name, node.key)
        #: What each answers; split ones do not stand here any more.
        self.parents: dict[int, int | None] = {}
        self.missing: dict[int, tuple[str, ...]] = {}
        self.split_from: dict[int, int] = {}
        #: By which name each found what it answers.
        self.through: dict[int, str] = {}

    # ------------------------------------------------------------ who answers whom

    def find_ancestors(self) -> None:
        """The nearest of each chain that is here, and the missing ones before it."""
        owners, missing, parents = self.owners, self.missing, self.parents
        for node in self.ranked:
            if node.fixed is not None:
                continue
            parent, absent = None, None
            for name in node.chain:
                found = owners.get(name)
                if found is None:
                    absent = [name] if absent is None else [*absent, name]
                elif name not in node.names and found != node.key:
                    parent = found
                    self.through[node.key] = name
                    break
            parents[node.key] = parent
            if absent is not None:
                missing[node.key] = tuple(absent)

    def answer_through_missing(self) -> None:
        """Where nothing of a chain is here: what the missing ones answered, by the chains of others."""
        alone = [key for key in self.missing if self.parents[key] is None]
        if not alone:
            return
        claims = self._claims()
        reached: dict[str, str | None] = {}
        for key in alone:
            for name in self.missing[key]:
                found = _first_here(name, claims, self.owners, reached)
                if found is not None and self.owners[found] != key:
                    self.parents[key] = self.owners[found]
                    self.through[key] = found
                    break

    def _claims(self) -> dict[str, str]:
        """What each missing post answers, as the chains say that name it."""
        votes: dict[str, dict[str, int]] = {}
        for key, absent in self.missing.items():
            own = self.nodes[key].names
            chain = [name for name in self.nodes[key].chain if name not in own]
            after = dict(pairwise(chain))
            for name in absent:
                if name in after:
                    given = votes.setdefault(name, {})
                    given[after[name]] = given.get(after[name], 0) + 1
        owners = self.owners
        return {
            name: min(given, key=lambda one, given=given: (one not in owners, -given[one], one))  # type: ignore[misc]
            for name, given in votes.items()
        }

    def obey_humans(self) -> None:
        for node in self.ranked:
            if node.moved is None or node.fixed is not None:
                continue
            if node.moved.kind == "attach" and node.moved.to in self.nodes:
                self.parents[node.key] = node.moved.to
            elif node.moved.kind == "split":
                answered = self.parents[node.key]
                if answered is not None:
                    self.split_from[node.key] = answered
                self.parents[node.key] = None

    def split_by_subject(self) -> None:
        for key, parent in self.parents.items():
            node = self.nodes[key]
            if parent is None or node.moved is not None:
                continue
            answered = self.nodes[parent]
            begins = node.may_split and not _continues(answered.subjects, node.subjects)
            if begins or (answered.is_past and not node.is_past):
                self.split_from[key] = parent
                self.parents[key] = None

    def cut_loops(self) -> None:
        parents, rank = self.parents, self.rank
        done: set[int] = set()
        for start in parents:
            path: list[int] = []
            on_path: set[int] = set()
            key: int | None = start
            while key is not None and key in parents and key not in done:
                if key in on_path:
                    loop = path[path.index(key) :]
                    # A human's word is the last to be cut.
                    said = [one for one in loop if self.nodes[one].moved is None] or loop
                    parents[min(said, key=rank.__getitem__)] = None
                    break
                path.append(key)
                on_path.add(key)
                key = parents[key]
            done.update(path)

    # ------------------------------------------------------------ what belongs together

    def forest(self) -> Forest:
        groups = _Groups()
        heads = {node.beside for node in self.ranked if node.beside}
        for node in self.ranked:
            for other in self._belongs_with(node, heads):
                groups.join(node.key, other)
        members: dict[Hashable, list[int]] = {}
        for node in self.ranked:
            members.setdefault(groups.find(node.key), []).append(node.key)
        return Forest(
            parents=self.parents,
            conversations=tuple(self._conversation(keys) for keys in members.values()),
            owners=self.owners,
            watched=self._watched(),
            ranks=self.rank,
        )

    def _watched(self) -> dict[int, tuple[str, ...]]:
        watched = dict(self.missing)
        for key in self.split_from:
            watched[key] = (*watched.get(key, ()), self.through[key])
        return watched

    def _belongs_with(self, node: Node, heads: set[str]) -> Iterable[Hashable]:
        key = node.key
        if heads and node.moved is None:
            # Also a post that others were said along with, wherever it stands.
            yield from (("beside", name) for name in node.names if name in heads)
            if node.beside and node.fixed is not None:
                yield ("beside", node.beside)
        if node.fixed is not None:
            yield ("fixed", node.fixed)
            return
        parent = self.parents[key]
        if parent is not None:
            yield parent
        elif node.moved is None:
            if node.beside:
                yield ("beside", node.beside)
            absent = self.missing.get(key, ())
            if key not in self.split_from:
                yield from (("missing", name) for name in absent)
            elif absent:
                # Another subject than what is here: those who answer the same missing post may well go on with it.
                yield ("split", absent[0])

    def _conversation(self, keys: list[int]) -> Conversation:
        inside = set(keys)
        split = next((s for key in keys if (s := self.split_from.get(key)) is not None and s not in inside), None)
        fixed = {node.fixed for node in map(self.nodes.__getitem__, keys) if node.fixed is not None}
        return Conversation(keys=tuple(keys), split_from=split, fixed=tuple(sorted(fixed)))


def _first_here(
    name: str, claims: Mapping[str, str], owners: Mapping[str, int], reached: dict[str, str | None]
) -> str | None:
    """The first name that means a post on the way from a missing one; `reached` remembers."""
    path: list[str] = []
    seen: set[str] = set()
    found: str | None = None
    here: str | None = name
    while here is not None and here not in seen:
        if here in owners:
            found = here
            break
        if here in reached:
            found = reached[here]
            break
        path.append(here)
        seen.add(here)
        here = claims.get(here)
    for one in path:
        reached[one] = found
    return found


def _continues(answered: Sequence[str], subjects: Sequence[str]) -> bool:
    """Whether a reply goes on with the conversation of what it answers: any of its subjects, or none at all."""
    if not any(answered) or not any(subjects):
        return True
    return any(_same(one, other) for one in answered if one for other in subjects if other)


@lru_cache(maxsize=_PAIRS)
def _same(one: str, other: str) -> bool:
    return one == other or same_conversation(one, other, prefix=None)


class _Groups:
    """Which things belong together, directly or by others (union-find with halved paths)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def find(self, one: Hashable) -> Hashable:
        above = self._above
        while (upper := above.get(one, one)) != one:
            above[one] = upper = above.get(upper, upper)
            one = upper
        return one

    def join(self, one: Hashable, other: Hashable) -> None:
        low, high = self.find(one), self.find(other)
        if low != high:
            self._above[low] = high
