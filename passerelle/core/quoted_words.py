"""A person's words, found again in what others wrote: quoted with `>`, wrapped anew, cut, below an attribution line.

Texts are compared by their words alone, folded (`core.folding.fold`), so that line breaks, quote marks, accents and
punctuation do not matter. What is found: in quotes, four words and more in a row, and short lines whole; in someone's
own words, eight in a row or a whole sentence of six, since people say short things alike. Names, addresses and user IDs
are found anywhere; a name of one word only where an author is named. The work is linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from passerelle.core.folding import fold

#: Words in a row that are looked for.
GRAM = 4
#: A run as long as this counts in quotes wherever it stands; a shorter one where it is half of its lines.
_SURE_IN_QUOTES = 6
#: A run as long as this counts outside quotes.
_SURE_ANYWHERE = 8
#: A whole sentence as long as this counts outside quotes.
_WHOLE_SENTENCE = 6
#: Words between two found runs of a quote that belong to them.
_GAP = 2
#: Quote marks at the beginning of a line, at the most.
_DEEPEST = 50
#: The longest name that is looked for, in words.
_LONGEST_NAME = 8

_TOKEN = re.compile("[\\w\u0300-\u036f\u00ad\u200b-\u200d\u2060]{1,400}")
_SENTENCE_END = re.compile(r"[.!?…;]+(?=\s|$)|\n")
_QUOTE_MARK = re.compile(r"[ \t]{0,9}[\w.]{0,4}[ \t]?[>|│]")
_SEPARATOR = re.compile(
    r"[ \t]{0,9}(?:[-_=*]{2,}\s{0,3}(?:message|courriel|mail|original|forwarded|début|begin)|_{10,}\s{0,9}$)",
    re.IGNORECASE,
)
_HEADER_LINE = re.compile(
    r"[ \t>*]{0,20}(?:de|from|von|à|a|to|cc|copie|objet|subject|sujet|envoyé|sent|date|répondre à|reply-to)"
    r"[ \t\u00a0*]{0,4}:",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(r"(?:écrit|écrivait|wrote|writes|a dit|said|schrieb)\b.{0,80}:\s{0,9}$", re.IGNORECASE)
#: How an address's sign is written where it is not to be read, or stands inside another.
_AT = r"(?:@|%40|=|_at_|\s?[(\[]at[)\]]\s?|\sat\s)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """What is looked for. Made by `traces_of`."""

    #: Hashes of one to `GRAM` words that stood in a row.
    grams: frozenset[int]
    #: Hashes of whole sentences and lines.
    sentences: frozenset[int]
    #: Names by their first word, the longest first.
    names: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    subjects: frozenset[tuple[str, ...]] = frozenset()
    #: Addresses and user IDs.
    identifiers: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self.grams or self.names or self.subjects or self.identifiers)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Found:
    """A stretch of a text to be marked out: `text[start:end]`."""

    start: int
    end: int
    #: Words of the person's; else a name or an address.
    is_words: bool


def traces_of(
    texts: Iterable[str],
    *,
    subjects: Iterable[str] = (),
    names: Iterable[str] = (),
    addresses: Iterable[str] = (),
    user_ids: Iterable[str] = (),
) -> Traces:
    """What to look for: the texts that a person wrote, subjects that they gave, what they are called by."""
    grams: set[int] = set()
    sentences: set[int] = set()
    called = {words for subject in subjects if (words := tuple(tokens_of(subject)))}
    for text in (*texts, *(" ".join(words) for words in called)):
        words = tuple(tokens_of(text))
        for size in range(1, GRAM + 1):
            grams.update(hash(words[at : at + size]) for at in range(len(words) - size + 1))
        pieces = [*_SENTENCE_END.split(text), *text.splitlines()]
        sentences.update(hash(said) for piece in pieces if (said := tuple(tokens_of(piece))))
    return Traces(
        grams=frozenset(grams),
        sentences=frozenset(sentences),
        names=_by_first_word(names),
        subjects=frozenset(called),
        identifiers=_identifiers(addresses, user_ids),
    )


def _by_first_word(names: Iterable[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    known: set[tuple[str, ...]] = set()
    for name in names:
        words = tuple(tokens_of(name))[:_LONGEST_NAME]
        if len(words) == 1 and len(words[0]) < 3:
            continue
        known |= {words, words[::-1]} if len(words) == 2 else {words}
    by_first: dict[str, tuple[tuple[str, ...], ...]] = {}
    for words in sorted((w for w in known if w), key=len, reverse=True):
        by_first[words[0]] = (*by_first.get(words[0], ()), words)
    return by_first


def _identifiers(addresses: Iterable[str], user_ids: Iterable[str]) -> re.Pattern[str] | None:
    patterns: list[str] = []
    for address in sorted({a.strip() for a in addresses}):
        local, _, domain = address.rpartition("@")
        if local and domain:
            patterns.append(rf"{re.escape(local)}{_AT}{re.escape(domain)}")
    for user_id in sorted({u.strip() for u in user_ids if u.strip()}):
        patterns += [re.escape(user_id), re.escape(quote(user_id, safe=""))]
    if not patterns:
        return None
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(patterns)})(?![\w-])", re.IGNORECASE)


def tokens_of(text: str) -> Iterator[str]:
    """The folded words of a text."""
    return (word for match in _TOKEN.finditer(text) if (word := _folded(match[0])))


@lru_cache(maxsize=1 << 16)
def _folded(word: str) -> str:
    return fold(word).strip("_")


# ------------------------------------------------------------ finding


@dataclass(slots=True)
class _Line:
    """A line of the text: its words are `tokens[first:last]`."""

    start: int
    end: int
    quoted: bool
    #: It names who wrote what follows, or is a field of a header that was quoted.
    names_author: bool
    #: Where its quote marks end: initials in them are no words.
    text_start: int
    first: int = 0
    last: int = 0


@dataclass(slots=True)
class _Laid:
    """A text taken apart."""

    text: str
    lines: list[_Line]
    words: list[str]
    places: list[tuple[int, int]]
    #: Of each word, its line.
    line_of: list[int]


def find(text: str, traces: Traces, *, quoted: Sequence[tuple[int, int]] = ()) -> list[Found]:
    """What of a text is to be marked out, in order, nothing twice.

    Args:
        quoted: stretches of the text that are known to be quotes, beside those that their marks tell.
    """
    laid = _lay(text, quoted)
    taken = _taken_words(laid, traces)
    found = [Found(start=start, end=end, is_words=True) for start, end in _stretches(laid, taken)]
    found += [Found(start=start, end=end, is_words=False) for start, end in _named(laid, traces)]
    if traces.identifiers is not None:
        found += [Found(start=m.start(), end=m.end(), is_words=False) for m in traces.identifiers.finditer(text)]
    return _merged(found)


def _lay(text: str, quoted: Sequence[tuple[int, int]]) -> _Laid:
    lines = _lines(text, quoted)
    laid = _Laid(text=text, lines=lines, words=[], places=[], line_of=[])
    at = 0
    for match in _TOKEN.finditer(text):
        word = _folded(match[0])
        if not word:
            continue
        while match.start() >= lines[at].end and at + 1 < len(lines):
            at += 1
            lines[at].first = lines[at].last = len(laid.words)
        if match.start() < lines[at].text_start:
            continue
        laid.words.append(word)
        laid.places.append(match.span())
        laid.line_of.append(at)
        lines[at].last = len(laid.words)
    return laid


def _lines(text: str, quoted: Sequence[tuple[int, int]]) -> list[_Line]:
    lines: list[_Line] = []
    start = at = 0
    # Below a separator stands a quote without marks, unless the first line there has one: then marks tell.
    announced = below = False
    stretches = sorted(quoted)
    for piece in text.splitlines(keepends=True) or [""]:
        end = start + len(piece)
        while at < len(stretches) and stretches[at][1] <= start:
            at += 1
        inside = at < len(stretches) and stretches[at][0] < end
        names_author = bool(_ATTRIBUTION.search(piece.strip()[-300:]) or _HEADER_LINE.match(piece))
        text_start = _behind_marks(piece)
        marked = text_start > 0
        if not marked and (names_author or _SEPARATOR.match(piece)):
            announced = True
        elif announced and piece.strip():
            announced, below = False, not (marked or inside)
        lines.append(_Line(start, end, inside or marked or below or announced, names_author, start + text_start))
        start = end
    return lines


def _behind_marks(line: str) -> int:
    """Where a line's quote marks end; 0 where it has none."""
    at = 0
    for _ in range(_DEEPEST):
        mark = _QUOTE_MARK.match(line, at)
        if mark is None:
            break
        at = mark.end()
    return at


def _taken_words(laid: _Laid, traces: Traces) -> bytearray:
    """A byte for each word: whether it is the person's."""
    words, grams = laid.words, traces.grams
    taken = bytearray(len(words))
    last = len(words) - GRAM + 1
    at = 0
    while at < last:
        if hash(tuple(words[at : at + GRAM])) not in grams:
            at += 1
            continue
        end = at + GRAM
        while end < len(words) and hash(tuple(words[end - GRAM + 1 : end + 1])) in grams:
            end += 1
        if _counts(laid, traces, at, end):
            taken[at:end] = b"\1" * (end - at)
        at = max(at + 1, end - GRAM + 1)
    _take_short_lines(laid, traces, taken)
    _take_gaps(laid, taken)
    _take_subjects(laid, traces, taken)
    return taken


def _counts(laid: _Laid, traces: Traces, start: int, end: int) -> bool:
    """Whether words in a row that the person has written as well are theirs here."""
    length = end - start
    if length >= _SURE_ANYWHERE:
        return True
    if length >= _WHOLE_SENTENCE and hash(tuple(laid.words[start:end])) in traces.sentences:
        return True
    touched = laid.lines[laid.line_of[start] : laid.line_of[end - 1] + 1]
    if not any(line.quoted for line in touched):
        return False
    return length >= _SURE_IN_QUOTES or any(
        2 * (min(end, line.last) - max(start, line.first)) >= line.last - line.first for line in touched if line.quoted
    )


def _take_short_lines(laid: _Laid, traces: Traces, taken: bytearray) -> None:
    """Quoted lines of fewer words: where the person wrote just that line, or it stands beside words of theirs."""
    spoken = [line for line in laid.lines if line.last > line.first]
    for forward in (spoken, spoken[::-1]):
        before: _Line | None = None
        for line in forward:
            size = line.last - line.first
            if line.quoted and size < GRAM and not taken[line.first]:
                words = tuple(laid.words[line.first : line.last])
                beside = before is not None and before.quoted and any(taken[before.first : before.last])
                if hash(words) in (traces.sentences if not beside else traces.grams):
                    taken[line.first : line.last] = b"\1" * size
            before = line


def _take_gaps(laid: _Laid, taken: bytearray) -> None:
    """One or two words between words of the person's, in a quote: mended typing, a broken address."""
    previous = -1
    for at in range(len(taken)):
        if not taken[at]:
            continue
        if 0 < at - previous - 1 <= _GAP and previous >= 0:
            quoted = all(laid.lines[laid.line_of[w]].quoted for w in range(previous, at + 1))
            if quoted:
                taken[previous + 1 : at] = b"\1" * (at - previous - 1)
        previous = at


def _take_subjects(laid: _Laid, traces: Traces, taken: bytearray) -> None:
    """Lines that end with a subject of the person's: « Objet : [bureau] Re: … » above a quote."""
    sizes = sorted({len(subject) for subject in traces.subjects}, reverse=True)
    for line in laid.lines:
        if not (line.quoted or line.names_author):
            continue
        for size in sizes:
            start = line.last - size
            if line.first <= start <= line.first + 6 and tuple(laid.words[start : line.last]) in traces.subjects:
                taken[start : line.last] = b"\1" * size
                break


def _stretches(laid: _Laid, taken: bytearray) -> Iterator[tuple[int, int]]:
    """From the first to the last word of each run; one that goes on in the next line is one."""
    at = 0
    while at < len(taken):
        if not taken[at]:
            at += 1
            continue
        end = at
        while end < len(taken) and taken[end]:
            end += 1
        yield laid.places[at][0], laid.places[end - 1][1]
        at = end


def _named(laid: _Laid, traces: Traces) -> Iterator[tuple[int, int]]:
    words = laid.words
    at = 0
    while at < len(words):
        for name in traces.names.get(words[at], ()):
            alone = len(name) == 1
            line = laid.lines[laid.line_of[at]]
            if alone and not (line.names_author or _names_next(laid, laid.line_of[at])):
                continue
            if tuple(words[at : at + len(name)]) == name:
                yield laid.places[at][0], laid.places[at + len(name) - 1][1]
                at += len(name) - 1
                break
        at += 1


def _names_next(laid: _Laid, index: int) -> bool:
    """Whether the next line ends an attribution that begins in this one: wrapped by the program that wrote it."""
    return index + 1 < len(laid.lines) and bool(
        _ATTRIBUTION.search(laid.text[laid.lines[index + 1].start : laid.lines[index + 1].end].strip()[-300:])
    )


def _merged(found: list[Found]) -> list[Found]:
    merged: list[Found] = []
    for one in sorted(found):
        if merged and one.start < merged[-1].end:
            last = merged[-1]
            is_words = last.is_words or one.is_words
            merged[-1] = Found(start=last.start, end=max(last.end, one.end), is_words=is_words)
        else:
            merged.append(one)
    return merged


# ------------------------------------------------------------ marking out


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkWords:
    """What stands instead."""

    #: Of words: « […] (effacé à la demande de leur auteur) ».
    words: str
    #: Of a name or an address.
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """A text without the person's words."""

    text: str
    #: How many stretches were marked out.
    count: int


def mark_out(text: str, traces: Traces, marks: MarkWords) -> Marked:
    """A plain text with what is found replaced by its mark. What is not found stays to the letter."""
    found = find(text, traces)
    pieces: list[str] = []
    at = 0
    for one in found:
        pieces += [text[at : one.start], marks.words if one.is_words else marks.name]
        at = one.end
    return Marked(text="".join([*pieces, text[at:]]), count=len(found))
