"""What weighs how much in a digest. The same table, with the reasons why: docs/digest.md (a test compares). Pure."""

from collections.abc import Mapping
from datetime import timedelta

from passerelle.core.digest_items import ReasonCode

#: What an item weighs by its reason. First what only this reader can do, then what binds everyone, then what is news.
WEIGHTS: Mapping[ReasonCode, int] = {
    "asked_back": 100,
    "own_overdue": 95,
    "rsvp_wanted": 90,
    "own_due": 85,
    "own_objection": 80,
    "to_decide": 78,
    "open_to_objection": 76,
    "objected": 74,
    "cancelled": 72,
    "overdue": 70,
    "to_come": 66,
    "unanswered": 64,
    "due": 60,
    "held": 58,
    "failed": 57,
    "minutes_draft": 56,
    "own_open": 55,
    "adopted": 54,
    "replaced": 53,
    "to_review": 52,
    "dropped": 45,
    "minutes_approved": 44,
    "woken": 42,
    "bounce": 40,
    "new": 38,
    "goes_on": 30,
    "newcomers": 28,
    "file": 20,
}

#: Of a conversation, for each person who spoke in it in the digest's time, so many persons at the most: people are
#: counted, not messages.
PERSON, MOST_PERSONS = 2, 10
#: It was said in more than one link; by mail and in the room.
SEVERAL_LINKS = 6
BOTH_SIDES = 4
#: The reader has written in it.
OWN_THREAD = 10
#: It is due, begins or ends within `URGENT_WITHIN`.
URGENT = 5
URGENT_WITHIN = timedelta(days=2)
#: The reader was told of it in this very state.
TOLD_BEFORE = -15

#: What still stands is not told again in the same state before this.
AGAIN_AFTER = timedelta(days=6)
#: How far ahead something due, a meeting, a decision to be looked at again is told.
DUE_WITHIN = timedelta(days=14)
MEETING_WITHIN = timedelta(days=45)
#: A conversation without a word for so long woke up.
WOKEN_AFTER = timedelta(days=14)
#: One that goes on is told where so many persons spoke in it.
GOES_ON_PERSONS = 3
#: In the room alone, one person's lines are no conversation yet.
ROOM_PERSONS = 2
#: A mail's question that nobody answered for so long is told no more.
QUESTION_FORGOTTEN_AFTER = timedelta(days=30)
#: So many items of each section come first, whatever the weights of the others.
FIRST_OF_SECTION = 3
#: So many newcomers are named; all are counted.
NAMED_NEWCOMERS = 5
