"""The place of a post in time, as a number: `post.chrono_id`, which is also its row among the searched words.

Newest first is descending order of these numbers, so the newest hits of a search are read off the index, not sorted.
A minute has four numbers; where more was said in it, or a hundred mails bear one date, the next free number upwards is
taken. So a number never says an instant exactly: `said_at` does.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

NUMBERS_A_MINUTE = 4

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The year 9999: a larger number is the wrong date of a damaged mail, and still fits.
_LAST = 4_223_370_240 * NUMBERS_A_MINUTE


def first_chrono_id(said_at: datetime) -> int:
    """The first number of the minute in which a post was said. `said_at` is aware; before 1970 counts as 1970."""
    minutes = int((said_at - _EPOCH).total_seconds() // 60)
    return min(max(minutes * NUMBERS_A_MINUTE, 1), _LAST)


class ChronoIds:
    """Gives out numbers, none twice. It knows what it gave out and what it was told of, nothing else.

    Its memory grows with both; a long import makes a new one for each chunk and asks the store again.
    """

    def __init__(self) -> None:
        #: For a number that is taken, one from which on to look: 100,000 mails of one minute are no long walk each.
        self._onwards: dict[int, int] = {}

    def note_taken(self, numbers: Iterable[int]) -> None:
        """These stand in the store already."""
        for number in numbers:
            self._onwards.setdefault(number, number + 1)

    def take(self, first: int) -> int:
        """The next free number from `first` upwards; from now on it is taken."""
        passed = []
        number = first
        while (onwards := self._onwards.get(number)) is not None:
            passed.append(number)
            number = onwards
        for one in passed:
            self._onwards[one] = number + 1
        self._onwards[number] = number + 1
        return number
