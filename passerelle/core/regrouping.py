"""Which stored conversation each conversation of a forest is: who was there first stays, the others move. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from passerelle.core.tree import Conversation, Forest


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """A conversation as it is to stand."""

    conversation: Conversation
    #: The stored thread that it goes on as; None: a new one.
    thread_id: int | None
    #: Stored threads that come to it as a whole.
    joined: tuple[int, ...]
    #: The threads in which its posts stood.
    came_from: frozenset[int]
    #: The earliest of its posts that answers none in it; None where that one is fixed, and its name with it.
    first: int | None


def find_homes(forest: Forest, stands: Mapping[int, int]) -> tuple[Home, ...]:
    """The home of each conversation.

    Args:
        stands: of each post that may move, the stored thread where it stands now; those that came in just now are
            left out where their thread is only a place to wait.
    """
    leads: dict[int, int] = {}
    for key, thread_id in stands.items():
        lead = leads.get(thread_id)
        if lead is None or forest.ranks[key] < forest.ranks[lead]:
            leads[thread_id] = key
    return tuple(_home(forest, conversation, stands, leads) for conversation in forest.conversations)


def _home(forest: Forest, conversation: Conversation, stands: Mapping[int, int], leads: Mapping[int, int]) -> Home:
    came_from = frozenset(stands[key] for key in conversation.keys if key in stands)
    fixed = conversation.fixed
    members = set(conversation.keys)
    # A thread goes where its earliest post goes; of several, the one that was stored first gives its name to all.
    led = sorted(thread_id for thread_id in came_from if leads[thread_id] in members)
    thread_id = fixed[0] if fixed else led[0] if led else None
    first = next((key for key in conversation.keys if forest.parents.get(key, key) is None), None)
    return Home(
        conversation=conversation,
        thread_id=thread_id,
        joined=fixed[1:],
        came_from=came_from,
        first=None if fixed else first,
    )
