"""Whether a mark overtook an earlier one: then the homeserver left a transaction behind. Pure.

Synapse asks whether an application service is up, and stores a transaction for it, in two steps. Where the service
recovers between the two, the transaction is stored and not sent, and newer ones go past it until something fails again
(seen with 1.163; `synapse/appservice/scheduler.py`, `_TransactionController.send` and `_Recoverer.retry`). A refused
transaction makes it begin again with its oldest.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

#: Marks that are remembered. A wait puts one every few seconds, and several daemons may share an address.
KEPT_MARKS = 200


def mark_content(mark: str, after: str | None) -> dict[str, str]:
    """The content of a mark's event; `after` is the mark that was put before it in the same wait, if any."""
    return {"mark": mark} if after is None else {"mark": mark, "after": after}


class MarkOrder:
    """What one listener has seen of marks, its own and those of other daemons."""

    def __init__(self) -> None:
        self._came: deque[str] = deque(maxlen=KEPT_MARKS)
        self._refused: deque[str] = deque(maxlen=KEPT_MARKS)

    def overtakes(self, contents: Iterable[Mapping[str, Any]]) -> bool:
        """Whether a transaction with these marks, in its order, is to be refused: an earlier mark never came.

        True only once for each mark. What comes again comes after all that was older: then the earlier one is lost, or
        came to another daemon.
        """
        here = set(self._came)
        for content in contents:
            mark, after = str(content.get("mark")), content.get("after")
            if isinstance(after, str) and after not in here and mark not in self._refused:
                self._refused.append(mark)
                return True
            here.add(mark)
        return False

    def note(self, marks: Iterable[str]) -> None:
        """Remember marks whose transaction is stored."""
        self._came.extend(marks)
