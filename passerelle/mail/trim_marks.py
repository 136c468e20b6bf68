"""Labelling the lines of a mail: which introduce someone else's words, which a server added, which quote.

The result is one `Mark` per line. Nothing is decided here about what is shown (that is `trim`'s part), except that
text below an unmarked introduction is someone else's once the author has said something above it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from passerelle.mail import trim_attribution as attribution
from passerelle.mail import trim_footers as footers
from passerelle.mail import trim_headers as headers
from passerelle.mail import trim_signatures as signatures
from passerelle.mail.trim_lines import Line
from passerelle.mail.trim_plain import PlainLines

#: Unquoted lines at the head and at the foot of a mail that are examined; no letter has more, only dumps and attacks.
MOST_EXAMINED_HEAD = 4_000
MOST_EXAMINED_FOOT = 600
_WINDOW = 28

_CITED_BY_NAME = re.compile(r"([A-Za-zÀ-ÿ]{1,12})>{1,3}(?: |$)")
_PROMPTS = frozenset({"SQL", "PS", "CMD", "IRB", "DOS", "FTP", "GDB", "PDB"})
_OTHER_QUOTE_SIGNS = "|:}"
_WRAPPED_TAIL = re.compile(r">? ?(?:\S{1,12} )?\S{0,12} ?[:：]$")
_SHORTEST_WRAPPED = 62
#: What people leave where they cut a quote: "[…]", "<snip>", « [couic] ».
_ELLIPSIS = re.compile(
    r"[\[(<{]{0,2} ?(?:[.…]{1,6}|-?/?(?:snip|couic|coupé|cut|zip|zap|gnap)(?: ?[.…]{1,6})?) ?[\])>}]{0,2}"
)


class Mark(Enum):
    """What one line is."""

    BLANK = auto()
    TEXT = auto()
    QUOTE = auto()
    ATTRIBUTION = auto()
    HEADER = auto()
    #: Someone else's text without quote marks, below an introduction.
    REST = auto()
    FORWARDED = auto()
    SIGNATURE = auto()
    FOOTER = auto()


@dataclass(kw_only=True, slots=True)
class Marks:
    """The labels of a mail's lines while they are worked out."""

    lines: list[Line]
    of: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.of = [_first_mark(line) for line in self.lines]

    def paint(self, start: int, end: int, mark: Mark, *, blanks: bool = True) -> None:
        """Label the lines from `start` up to, not including, `end`."""
        for i in range(start, end):
            if blanks or self.of[i] is not Mark.BLANK:
                self.of[i] = mark

    def next_filled(self, i: int) -> int:
        """Index of the first line from `i` on that is not blank; the number of lines where there is none."""
        while i < len(self.lines) and self.of[i] is Mark.BLANK:
            i += 1
        return i

    def bodies(self, i: int, most: int = _WINDOW) -> list[str]:
        """Bodies of the unquoted lines from `i` on, up to the first quoted one.

        A client that wraps "<address> wrote:" inside the brackets makes the last line begin with ">"; that line is
        the attribution's, not a quote.
        """
        found: list[str] = []
        for j in range(i, min(len(self.lines), i + most)):
            line = self.lines[j]
            if line.depth:
                if line.depth == 1 and _WRAPPED_TAIL.match(line.body) and _bracket_open(found):
                    found.append(f"> {line.body}")
                break
            found.append(line.body)
        return found


def _first_mark(line: Line) -> Mark:
    if line.depth:
        return Mark.QUOTE
    return Mark.TEXT if line.body else Mark.BLANK


def _bracket_open(bodies: Sequence[str]) -> bool:
    recent = " ".join(bodies[-6:])
    return recent.count("<") > recent.count(">")


def mark_lines(lines: list[Line], footer: footers.FooterRule | None) -> Marks:
    """Label every line of a mail."""
    marks = Marks(lines=lines)
    _mark_quotes_by_name(marks)
    _mark_introductions_and_footers(marks, footer)
    _mark_loose_attributions(marks)
    _mark_wrapped_remainders(marks)
    _mark_ellipses(marks)
    return marks


def _examined(marks: Marks) -> list[int]:
    own = [i for i, mark in enumerate(marks.of) if mark is Mark.TEXT and not marks.lines[i].fenced]
    if len(own) > MOST_EXAMINED_HEAD + MOST_EXAMINED_FOOT:
        return own[:MOST_EXAMINED_HEAD] + own[-MOST_EXAMINED_FOOT:]
    return own


def _mark_introductions_and_footers(marks: Marks, footer: footers.FooterRule | None) -> None:
    done = 0
    said_something = False
    plain = _plain_lines(marks.lines) if footer is None else None
    for i in _examined(marks):
        if i < done or marks.of[i] is not Mark.TEXT:
            continue
        if plain is not None and plain.begins_nothing(i):
            said_something = said_something or _says_something(marks.lines[i].body)
            continue
        bodies = marks.bodies(i)
        end = _armour_length(bodies)
        if end:
            marks.paint(i, i + end, Mark.SIGNATURE)
            done = i + end
            continue
        intro = _introduction(bodies)
        if intro is not None:
            done = i + intro.length
            marks.paint(i, done, intro.mark)
            if _below_is_someone_elses(marks, done, intro=marks.lines[i].body) and said_something:
                marks.paint(done, len(marks.lines), Mark.FORWARDED if intro.forwarded else Mark.REST)
                return
            continue
        end = _footer_length(marks, i, bodies, footer)
        if end:
            marks.paint(i, i + end, Mark.FOOTER)
            done = i + end
            continue
        said_something = said_something or _says_something(bodies[0])


def _plain_lines(lines: Sequence[Line]) -> PlainLines:
    return PlainLines([line.body for line in lines], [line.depth > 0 for line in lines])


def _says_something(body: str) -> bool:
    return not (signatures.is_device_line(body) or signatures.is_ornament(body))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Introduction:
    length: int
    mark: Mark
    forwarded: bool = False


def _introduction(bodies: Sequence[str]) -> _Introduction | None:
    """The separator, header block or attribution at the head of `bodies`, with the rules that belong to it."""
    announced = headers.separator(bodies[0])
    at = 0
    if announced is not None or headers.is_rule(bodies[0]):
        at = 1
        while at < min(len(bodies), 4) and not bodies[at]:
            at += 1
        if announced is None and headers.separator(bodies[at] if at < len(bodies) else ""):
            nested = _introduction(bodies[at:])
            return nested and _Introduction(length=at + nested.length, mark=nested.mark, forwarded=nested.forwarded)
    block = headers.header_block(bodies[at:], announced=announced is not None)
    if block:
        return _Introduction(
            length=at + block, mark=Mark.HEADER, forwarded=announced is not None and announced.forwarded
        )
    if announced is not None:
        return _Introduction(length=1, mark=Mark.HEADER, forwarded=announced.forwarded)
    if at:
        return None
    length = attribution.length_of_attribution(bodies, marked=False)
    return _Introduction(length=length, mark=Mark.ATTRIBUTION) if length else None


def _below_is_someone_elses(marks: Marks, start: int, *, intro: str) -> bool:
    """Whether the text below an introduction bears no quote marks; other signs than ">" are labelled here."""
    first = marks.next_filled(start)
    if first >= len(marks.lines):
        return False
    if marks.of[first] is Mark.QUOTE:
        return False
    sign = marks.lines[first].body[:1]
    if sign and sign in _OTHER_QUOTE_SIGNS:
        i = first
        while i < len(marks.lines) and (marks.of[i] is Mark.BLANK or marks.lines[i].body.startswith(sign)):
            if marks.of[i] is Mark.TEXT:
                marks.of[i] = Mark.QUOTE
            i += 1
        return False
    name = _CITED_BY_NAME.match(marks.lines[first].body)
    if name is not None and name.group(1).casefold() in intro.casefold():
        for i in range(first, len(marks.lines)):
            if marks.of[i] is Mark.TEXT and marks.lines[i].body.startswith(name.group()):
                marks.of[i] = Mark.QUOTE
        return False
    return True


def _mark_quotes_by_name(marks: Marks) -> None:
    """Emacs's way: "JD> text". Initials of one to three capitals, on two lines at least."""
    prefixes: Counter[str] = Counter()
    found: list[tuple[int, str]] = []
    for i in _examined(marks):
        head = marks.lines[i].body[:20]
        match = _CITED_BY_NAME.match(head) if ">" in head else None
        if match is not None:
            prefixes[match.group(1)] += 1
            found.append((i, match.group(1)))
    for i, prefix in found:
        if len(prefix) <= 3 and prefix.isupper() and prefix not in _PROMPTS and prefixes[prefix] >= 2:
            marks.of[i] = Mark.QUOTE


def _armour_length(bodies: Sequence[str]) -> int:
    """OpenPGP's cleartext frame (RFC 9580 §7): its head with the hash lines, or its whole signature."""
    if bodies[0] == "-----BEGIN PGP SIGNED MESSAGE-----":
        at = 1
        while at < len(bodies) and bodies[at].startswith(("Hash:", "NotDashEscaped")):
            at += 1
        return at
    return 0


def _footer_length(marks: Marks, i: int, bodies: Sequence[str], rule: footers.FooterRule | None) -> int:
    if rule is not None and (length := rule.length_at(bodies)):
        return length
    if length := footers.scrubbed_length(bodies):
        return length
    length = footers.footer_length(bodies)
    if length and i > 0 and _footer_is_believable(marks, i, length):
        return length
    return 0


def _footer_is_believable(marks: Marks, i: int, length: int) -> bool:
    """A footer stands at the end of a mail or above something that is not own text; else it must be a plain one."""
    after = marks.next_filled(i + length)
    if after >= len(marks.lines) or marks.of[after] is not Mark.TEXT:
        return True
    bodies = marks.bodies(i, length)
    filled = [body for body in bodies if body]
    following = marks.bodies(after)
    if footers.footer_length(following) or footers.scrubbed_length(following) or _introduction(following):
        return True
    frame = filled[0]
    if not footers.is_frame(frame):
        return False
    drawn = len(frame) >= 20
    strong = sum(1 for body in filled if footers.is_strong(body))
    return len(filled) <= 8 and ((drawn and strong >= 1) or strong >= 2)


def _mark_loose_attributions(marks: Marks) -> None:
    """Right above a quote weaker proof suffices: look up from where each quote begins."""
    above = Mark.BLANK
    last_filled = -1
    examined = 0
    for i, mark in enumerate(marks.of):
        if mark is Mark.BLANK:
            continue
        if mark is Mark.QUOTE and above is Mark.TEXT and i - last_filled <= 3 and examined < MOST_EXAMINED_HEAD:
            examined += 1
            length = _loose_length(marks, last_filled)
            marks.paint(last_filled + 1 - length, last_filled + 1, Mark.ATTRIBUTION)
        above, last_filled = mark, i


def _loose_length(marks: Marks, last: int) -> int:
    bodies = [marks.lines[last].body]
    while len(bodies) < 3 and last >= len(bodies) and marks.of[last - len(bodies)] is Mark.TEXT:
        bodies.insert(0, marks.lines[last - len(bodies)].body)
    for length in range(len(bodies), 1, -1):
        wrapped = bodies[-length:]
        if not attribution.begins_like_one(wrapped[0]) or len(wrapped[0]) < 40:
            continue
        if attribution.introduces_marked_quote(" ".join(wrapped)):
            return length
    return 1 if attribution.introduces_marked_quote(bodies[-1]) else 0


def _mark_wrapped_remainders(marks: Marks) -> None:
    """A quoted line that a client wrapped leaves its remainder without a mark between two marked lines.

    One that goes on with a small letter where the line above broke off is taken for a remainder. Where a mail has
    two of them its client wraps, and the others are believed too, whatever they begin with.
    """
    lines = marks.lines
    sure: list[int] = []
    likely: list[int] = []
    for i, mark in enumerate(marks.of[:-1]):
        if mark is not Mark.TEXT or i == 0 or not (lines[i - 1].depth and lines[i + 1].depth):
            continue
        before, body = lines[i - 1], lines[i].body
        if len(before.raw) < _SHORTEST_WRAPPED or lines[i + 1].depth > before.depth or len(body) >= len(before.body):
            continue
        broke_off = not before.body.endswith((".", "?", "!", ":", "…"))
        (sure if broke_off and body[:1].islower() else likely).append(i)
    for i in (*sure, *(likely if len(sure) >= 2 else ())):
        marks.of[i] = Mark.QUOTE


def _mark_ellipses(marks: Marks) -> None:
    """A sign that something was cut, between two quotes, belongs to the quote: nobody answers with it."""
    above = Mark.BLANK
    for i, mark in enumerate(marks.of):
        if mark is Mark.BLANK:
            continue
        body = marks.lines[i].body
        if mark is Mark.TEXT and above is Mark.QUOTE and len(body) <= 20 and _ELLIPSIS.fullmatch(body.casefold()):
            below = marks.next_filled(i + 1)
            if below < len(marks.of) and marks.of[below] is Mark.QUOTE:
                marks.of[i] = mark = Mark.QUOTE
        above = mark
