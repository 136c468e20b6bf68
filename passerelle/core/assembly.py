"""What a general assembly must be able to prove: proxies and quorum (PEOPLE 16). Pure.

Statutes differ, so nothing here says whether a vote was carried: votes are shown as they were counted. A quorum counts
who was noted as present and whose proxy counts, and no one else.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from passerelle.core.folding import words_of
from passerelle.core.minutes_model import Presence, Proxy, Quorum


def judge_proxies(
    given: Sequence[Proxy], present: Sequence[str], *, most_held: int | None
) -> tuple[tuple[Proxy, ...], tuple[Proxy, ...]]:
    """The proxies that count, and those that do not, each with its reason.

    Args:
        given: in the order in which they were given: the first ones count where somebody holds too many.
        present: names of who was there.
        most_held: how many one person may hold; None where there is no limit.
    """
    held: Counter[str] = Counter()
    counted: list[Proxy] = []
    void: list[Proxy] = []
    for proxy in given:
        holder = find_name(proxy.holder, present)
        if holder is None:
            void.append(replace(proxy, void="holder_absent"))
        elif most_held is not None and held[holder] >= most_held:
            void.append(replace(proxy, holder=holder, void="too_many"))
        else:
            held[holder] += 1
            counted.append(replace(proxy, holder=holder, void=""))
    return tuple(counted), tuple(void)


def find_name(name: str, among: Sequence[str]) -> str | None:
    """Who of `among` is meant by a name: the same but for accents and capitals, else the only one that holds it.

    « Paul » is Paul Lefèvre where there is one Paul; None where there are two, or none.
    """
    wanted = words_of(name)
    if not wanted:
        return None
    same = [other for other in among if words_of(other) == wanted]
    if same:
        return same[0]
    longer = [other for other in among if set(wanted) <= set(words_of(other))]
    shorter = [other for other in among if words_of(other) and set(words_of(other)) <= set(wanted)]
    found = list(dict.fromkeys(longer + shorter))
    return found[0] if len(found) == 1 else None


def judge_quorum(needed: int, presence: Presence) -> Quorum:
    """Whether enough members were present or represented."""
    counted = presence.present_count + presence.represented_count
    return Quorum(
        needed=needed,
        counted=counted,
        is_known=presence.is_noted,
        is_reached=presence.is_noted and counted >= needed,
    )
