"""What of a digest goes with a post, an entry, a meeting; and what stays to the letter."""

from datetime import UTC, datetime
from typing import Any

from passerelle.core.digest_forgetting import Gone, with_item_words, without_gone
from passerelle.core.digest_items import Chosen, Item, Reason
from passerelle.core.ids import EntryId, MeetingId, PostId, ThreadId

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def item(key: str, kind: Any, **other: Any) -> Item:
    return Item(key=key, section="threads", kind=kind, state="s", reason=Reason(code="new"), weight=1, **other)


ITEMS = (
    item("thread:7", "thread", thread_id=7, post_id=12, title="Loto"),
    item("question:7", "question", thread_id=7, post_id=120),
    item("entry:3", "decision", thread_id=7, post_id=120, entry_id=3),
    item("meeting:4", "meeting", meeting_id=4, author="Léa", names=("Léa", "Paul"), extract="avec Léa", place="Léa"),
    item("newcomers:bureau", "newcomers", names=("Léa",)),
)
DOCUMENT = Chosen(items=ITEMS, counted={"threads": 2}).to_json()


def left(gone: Gone) -> list[str]:
    return [one.key for one in Chosen.from_json(without_gone(DOCUMENT, gone)).items]


def test_an_item_goes_with_what_it_stands_on_and_no_other_does() -> None:
    all_keys = [one.key for one in ITEMS]
    for gone, keys in (
        (Gone(posts=frozenset({PostId(12)})), {"thread:7"}),
        (Gone(posts=frozenset({PostId(1)})), set()),
        (Gone(posts=frozenset({PostId(120)})), {"question:7", "entry:3"}),
        # A conversation may be called by the post's words; a question of another post in it stays.
        (Gone(posts=frozenset({PostId(5)}), threads=frozenset({ThreadId(7)})), {"thread:7"}),
        (Gone(entries=frozenset({EntryId(3)})), {"entry:3"}),
        (Gone(meetings=frozenset({MeetingId(4)})), {"meeting:4"}),
        (Gone(), set()),
    ):
        assert left(gone) == [key for key in all_keys if key not in keys]


def test_the_rest_of_a_document_stays_as_it_is_and_the_given_one_is_not_touched() -> None:
    before = Chosen.from_json(DOCUMENT)
    assert without_gone(DOCUMENT, Gone(entries=frozenset({EntryId(99)}))) == DOCUMENT
    without_gone(DOCUMENT, Gone(posts=frozenset({PostId(12)})))
    assert Chosen.from_json(DOCUMENT) == before
    fiche = {"title": "Loto", "parts": [{"quotes": [{"post_id": 12, "text": "a"}, {"post_id": 13, "text": "b"}]}]}
    assert without_gone(fiche, Gone(posts=frozenset({PostId(12)}))) == {
        "title": "Loto", "parts": [{"quotes": [{"post_id": 13, "text": "b"}]}],
    }  # fmt: skip


def test_what_is_nested_deeply_is_looked_through_without_recursion() -> None:
    deep: dict[str, Any] = {"inner": [{"post_id": 12}]}
    for _ in range(300):
        deep = {"inner": [deep]}
    found = without_gone(deep, Gone(posts=frozenset({PostId(12)})))
    for _ in range(300):
        (found,) = found["inner"]
    assert found == {"inner": []}


def test_names_and_words_are_replaced_where_members_words_stand_only() -> None:
    changed = with_item_words(DOCUMENT, text=lambda text: text.replace("Léa", "X"), name=lambda name: f"<{name}>")
    read = Chosen.from_json(changed)
    meeting = read.items[3]
    assert (meeting.author, meeting.names, meeting.extract, meeting.place) == (
        "<Léa>", ("<Léa>", "<Paul>"), "avec X", "X",
    )  # fmt: skip
    assert [one.key for one in read.items] == [one.key for one in ITEMS]
    assert with_item_words({}, text=str, name=str) == {}
