"""One person's name in the register and in minutes, replaced by words that name nobody. Pure.

A whole name is found anywhere. A first name is somebody's only with a capital or an `@`, and a family name only behind
a title: « pierre » is also a stone, « Petit » also begins sentences.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.core.folding import PlacedWord, fold, placed_words, words_of
from passerelle.core.said_names import TITLES

#: What may stand between two words of one name.
_BETWEEN = re.compile(r"[\s'’.-]{1,3}")
_BEFORE = re.compile(
    r"(?:@|(?<!\w)(?:M|MM|Mr|Mme|Mlle|Dr|Me|Mrs|Ms)\.?\s|(?<!\w)(?:Monsieur|Madame|Mademoiselle)\s)+$", re.IGNORECASE
)
#: How far before a name its title is looked for.
_TITLE_LENGTH = 20
_ELIDED = re.compile(r"(?<!\w)([dDqQ])(e|ue)\s$")
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?…])\s*$")
_VOWELS = frozenset("aeiouyh")
#: Shorter words are no names.
_SHORTEST = 3
#: Keys of minutes whose texts name nobody.
_NAMELESS_KEYS = frozenset({"association", "zone", "path", "url", "kind", "state", "method"})

Name = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pseudonym:
    """By what somebody is called, and what stands instead. Made by `pseudonym_of`."""

    #: What stands instead: « une personne ».
    mark: str
    #: Whole names, and names of one word by which they were called; folded.
    names: frozenset[Name]
    first_names: frozenset[str] = frozenset()
    family_names: frozenset[str] = frozenset()


def pseudonym_of(names: Iterable[str], mark: str, *, others: Iterable[str] = ()) -> Pseudonym:
    """How to replace these names; of a whole name also its parts, unless one of `others` has them too."""
    shared = {word for name in others for word in words_of(name)}
    called = {tuple(words_of(name)) for name in names}
    called = {name for name in called if name and not (len(name) == 1 and len(name[0]) < _SHORTEST)}
    # Of « Mme Haddad » the rest is the name.
    bare = {name[1:] if name[0] in TITLES and len(name) > 1 else name for name in called}
    parts = [name for name in bare if len(name) > 1]

    def alone(words: Iterable[str]) -> frozenset[str]:
        return frozenset(word for word in words if len(word) >= _SHORTEST and word not in shared)

    return Pseudonym(
        mark=mark,
        names=frozenset(called | {name[::-1] for name in called if len(name) == 2}),
        first_names=alone(name[0] for name in bare),
        family_names=alone(name[-1] for name in parts),
    )


def is_called(text: str, who: Pseudonym) -> bool:
    """Whether `text` is one of their names as a whole, be it the first name alone, or the family name with a title."""
    words = tuple(words_of(text))
    if words in who.names:
        return True
    if len(words) == 2 and words[0] in TITLES:
        return words[1] in who.family_names or words[1] in who.first_names
    return len(words) == 1 and words[0] in who.first_names


def unname(text: str, who: Pseudonym, *, whole_only: bool = True) -> str:
    """`text` without their name; what names nobody of that name stays to the letter.

    Args:
        whole_only: only names of several words; else also the parts, where it is known that the text is about them.
    """
    found = list(placed_words(text))
    pieces: list[str] = []
    at = position = 0
    while position < len(found):
        size = _named_at(text, found, position, who, whole_only)
        if size:
            start, end = found[position].start, found[position + size - 1].end
            title = _BEFORE.search(text[max(at, start - _TITLE_LENGTH) : start])
            if title is not None:
                start -= len(title[0])
            pieces += [_elided(text[at:start], who.mark), _begun(text[:start], who.mark)]
            at = end
        position += size or 1
    return "".join([*pieces, text[at:]])


def _named_at(text: str, found: Sequence[PlacedWord], position: int, who: Pseudonym, whole_only: bool) -> int:
    """How many words from there on are their name; 0 where they are none."""
    for name in sorted((n for n in who.names if n[0] == found[position].word), key=len, reverse=True):
        last = position + len(name)
        if len(name) > 1 and tuple(one.word for one in found[position:last]) == name:
            pairs = zip(found[position : last - 1], found[position + 1 : last], strict=True)
            if all(one.end == other.start or _BETWEEN.fullmatch(text[one.end : other.start]) for one, other in pairs):
                return len(name)
    return 0 if whole_only else int(_is_part(text, found[position], who))


def _is_part(text: str, word: PlacedWord, who: Pseudonym) -> bool:
    if text[word.start - 1 : word.start] in ("-", "_") or text[word.end : word.end + 1] == "-":
        return False
    titled = _BEFORE.search(text[max(0, word.start - _TITLE_LENGTH) : word.start]) is not None
    is_first = word.word in who.first_names or (word.word,) in who.names
    return (is_first and (titled or text[word.start].isupper())) or (titled and word.word in who.family_names)


def _elided(before: str, mark: str) -> str:
    """« de » before « une personne » is « d’ »."""
    found = _ELIDED.search(before)
    if found is None or fold(mark[:1]) not in _VOWELS:
        return before
    return before[: found.start()] + found[1] + found[2].rstrip("e") + "’"


def _begun(before: str, mark: str) -> str:
    """A sentence begins with a capital."""
    return mark[:1].upper() + mark[1:] if _SENTENCE_BEGINS.search(before[-_TITLE_LENGTH:]) is not None else mark


def says(text: str, phrases: Mapping[str, Collection[Name]]) -> bool:
    """Whether `text` holds one of these phrases (`phrases_of`), whatever accents, capitals and line breaks."""
    words = words_of(text)
    return any(
        tuple(words[at : at + len(phrase)]) == phrase
        for at, word in enumerate(words)
        for phrase in phrases.get(word, ())
    )


def phrases_of(texts: Iterable[str], *, shortest: int = 5) -> dict[str, tuple[Name, ...]]:
    """Texts to be looked for, by their first word; what has fewer letters than `shortest` is anybody's."""
    found = {tuple(words_of(text)) for text in texts}
    by_first: dict[str, tuple[Name, ...]] = {}
    for words in sorted(found):
        if sum(map(len, words)) >= shortest:
            by_first[words[0]] = (*by_first.get(words[0], ()), words)
    return by_first


# ---------------------------------------------------------------- minutes, as they are stored


def without_person(document: Mapping[str, Any], who: Pseudonym, words: str) -> dict[str, Any]:
    """Minutes (`core.minutes_model.Minutes.to_json`) that do not name the person: what was decided stays.

    What they said in them goes: excerpts of their posts, their reasons, corrections that they asked for. `words` stands
    instead.
    """
    copy = _copied(document)
    for holder in _holders(copy):
        _blank_what_they_said(holder, who, words)
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, str) and key not in _NAMELESS_KEYS:
                holder[key] = who.mark if is_called(value, who) else unname(value, who, whole_only=False)
    return copy


def _blank_what_they_said(holder: dict[Any, Any] | list[Any], who: Pseudonym, words: str) -> None:
    if not isinstance(holder, dict):
        return
    for by, said, beside in (("author", "text", "said_at"), ("name", "reason", "passed_on_by"), ("by", "text", "by")):
        if {by, said, beside} <= holder.keys() and holder[said] and is_called(str(holder[by]), who):
            holder[said] = words


def without_entries(document: Mapping[str, Any], numbers: Collection[int]) -> dict[str, Any]:
    """Minutes without the entries of these numbers, wherever they stand in them."""
    copy = _copied(document)
    for holder in _holders(copy):
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, list):
                holder[key] = [one for one in value if not _is_entry(one, numbers)]
    return copy


def _is_entry(value: Any, numbers: Collection[int]) -> bool:
    return isinstance(value, dict) and "text" in value and value.get("number") in numbers


def with_texts(document: Mapping[str, Any], replace: Callable[[str], str]) -> dict[str, Any]:
    """A JSON object with `replace(text)` in the place of each of its texts."""
    copy = _copied(document)
    for holder in _holders(copy):
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, str) and key not in _NAMELESS_KEYS:
                holder[key] = replace(value)
    return copy


def texts_in(document: Mapping[str, Any]) -> list[str]:
    """All texts of a JSON object."""
    return [
        value
        for holder in _holders(_copied(document))
        for value in (holder.values() if isinstance(holder, dict) else holder)
        if isinstance(value, str)
    ]


def _copied(document: Mapping[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


def _holders(document: dict[str, Any]) -> Iterator[dict[Any, Any] | list[Any]]:
    """Each object and array, the outer before the inner; what becomes of it meanwhile is seen. Nothing recurses."""
    waiting: list[dict[Any, Any] | list[Any]] = [document]
    while waiting:
        holder = waiting.pop()
        yield holder
        values = holder.values() if isinstance(holder, dict) else holder
        waiting += [value for value in values if isinstance(value, dict | list)]
