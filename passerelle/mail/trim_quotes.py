"""Which quotes stay: those that an interleaved answer answers, and those that the author chose without a client.

The mail is seen as a row of own stretches and quotes. What is decided, as a table:

| own text above the quote | introduced by a client | quotes answered below | shown |
|---|---|---|---|
| any | any | none | none (except where the mail is nothing but a quote without an attribution) |
| none, or a greeting | yes | one, and nothing but leftovers quoted after it | none: an answer below the quote |
| none, or a greeting | no | one | that one: the author put it there |
| any other | any | one or more | those answered |
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.mail import trim_attribution as attribution
from passerelle.mail import trim_footers as footers
from passerelle.mail import trim_headers as headers
from passerelle.mail import trim_languages as words
from passerelle.mail import trim_signatures as signatures
from passerelle.mail.trim_marks import Mark, Marks

#: Of a quote that is answered, at most this many lines are shown: the last ones, which the answer follows.
MOST_SHOWN = 14


@dataclass(kw_only=True, slots=True)
class _Stretch:
    """A run of lines: the author's (`quote` False) or a quote with the introduction above it."""

    quote: bool
    lines: list[int]
    introduced: bool = False


def quotes_to_show(marks: Marks) -> frozenset[int]:
    """Indexes of the quoted lines that are shown."""
    row = _row(marks)
    quotes = [i for i, stretch in enumerate(row) if stretch.quote]
    if not quotes:
        return frozenset()
    if len(quotes) == len(row):
        only_text = not any(stretch.introduced or _introduces_itself(marks, stretch) for stretch in row)
        only_text = only_text and Mark.REST not in marks.of
        return frozenset(i for stretch in row for i in stretch.lines) if only_text else frozenset()
    answered = _answered(marks, row)
    if not answered or _answers_below(marks, row, quotes, answered):
        return frozenset()
    return frozenset(line for i in answered for line in _shown_part(marks, row[i]))


def _row(marks: Marks) -> list[_Stretch]:
    row: list[_Stretch] = []
    introduced = False
    for i, mark in enumerate(marks.of):
        if mark in (Mark.ATTRIBUTION, Mark.HEADER):
            introduced = True
        elif mark is Mark.QUOTE:
            if not row or not row[-1].quote or introduced:
                row.append(_Stretch(quote=True, lines=[], introduced=introduced))
            row[-1].lines.append(i)
            introduced = False
        elif mark is Mark.TEXT and not signatures.is_ornament(marks.lines[i].body):
            if not row or row[-1].quote:
                row.append(_Stretch(quote=False, lines=[]))
            row[-1].lines.append(i)
            introduced = False
    return row


def _answered(marks: Marks, row: Sequence[_Stretch]) -> list[int]:
    """Indexes in `row` of the quotes right below which own words follow.

    A name and a telephone number at the very end, below the only quote of a mail whose text stands above, are a
    signature without a mark, not an answer.
    """
    found = [i for i in range(len(row) - 1) if row[i].quote and not row[i + 1].quote]
    if len(found) == 1 and found[0] + 2 == len(row):
        said_above = any(not stretch.quote and not _is_greeting(marks, stretch) for stretch in row[: found[0]])
        below = [marks.lines[j].body for j in row[-1].lines]
        if said_above and signatures.looks_like_a_sign_off(below):
            return []
    return found


def _answers_below(marks: Marks, row: Sequence[_Stretch], quotes: Sequence[int], answered: Sequence[int]) -> bool:
    """The whole quote above, the whole answer below it (or above leftovers of the quote: a signature, a footer)."""
    first = row[answered[0]]
    if len(answered) > 1 or quotes[0] != answered[0]:
        return False
    if not (first.introduced or _introduces_itself(marks, first)):
        return False
    if any(not stretch.quote and not _is_greeting(marks, stretch) for stretch in row[: answered[0]]):
        return False
    return all(_is_leftover(marks, row[i]) for i in quotes[1:])


def _is_greeting(marks: Marks, stretch: _Stretch) -> bool:
    bodies = [marks.lines[i].body for i in stretch.lines]
    if len(bodies) > 1:
        return False
    tokens = bodies[0].casefold().strip(" ,!.").split()
    greets = bool(tokens) and tokens[0].strip(",!.:") in words.SALUTATIONS
    return greets and len(tokens) <= 7 and not bodies[0].endswith("?")


def _introduces_itself(marks: Marks, stretch: _Stretch) -> bool:
    """Apple Mail and others put the attribution or the header block inside the quote."""
    filled = [marks.lines[i].body for i in stretch.lines[:12] if marks.lines[i].body]
    if not filled:
        return False
    if headers.separator(filled[0]) or headers.header_block(filled, announced=False):
        return True
    return attribution.length_of_attribution(filled[:4], marked=False) > 0


def _is_leftover(marks: Marks, stretch: _Stretch) -> bool:
    """Quoted lines after the answer that nobody would answer: the quoted mail's signature or footer."""
    filled = [marks.lines[i].body for i in stretch.lines if marks.lines[i].body]
    if not filled:
        return True
    return len(filled) <= 20 and footers.is_frame(filled[0])


def _shown_part(marks: Marks, stretch: _Stretch) -> list[int]:
    """Of an answered quote: without attributions, signature and footer in it, and only its last lines if long."""
    kept = _without_introductions(marks, stretch.lines)
    kept = _without_signature(marks, kept)
    while kept and not marks.lines[kept[0]].body:
        kept.pop(0)
    while kept and not marks.lines[kept[-1]].body:
        kept.pop()
    return _last_lines(marks, kept)


def _without_introductions(marks: Marks, indexes: Sequence[int]) -> list[int]:
    kept: list[int] = []
    at = 0
    while at < len(indexes):
        depth = marks.lines[indexes[at]].depth
        bodies: list[str] = []
        for i in indexes[at : at + attribution.MOST_LINES]:
            if marks.lines[i].depth != depth:
                break
            bodies.append(marks.lines[i].body)
        length = attribution.length_of_attribution(bodies, marked=False) if bodies[0] else 0
        if not length:
            kept.append(indexes[at])
        at += max(1, length)
    return kept


def _without_signature(marks: Marks, indexes: list[int]) -> list[int]:
    for at, i in enumerate(indexes):
        body = marks.lines[i].body
        frame = body in ("--", "—") or (footers.is_frame(body) and at + 1 < len(indexes))
        if frame and (body == "--" or footers.footer_length([marks.lines[j].body for j in indexes[at : at + 28]])):
            return indexes[:at]
    return indexes


def _last_lines(marks: Marks, indexes: list[int]) -> list[int]:
    filled = [at for at, i in enumerate(indexes) if marks.lines[i].body]
    if len(filled) <= MOST_SHOWN:
        return indexes
    first = filled[-MOST_SHOWN]
    for at in range(first, len(indexes)):
        if not marks.lines[indexes[at]].body and len(indexes) - at > 2:
            return indexes[at + 1 :]
    return indexes[first:]
