"""Showing what the author of a mail newly wrote, and losing nothing of the rest.

A mail's text is cut into pieces: own words, quotes, attribution lines, header blocks, forwarded messages, signatures,
footers. Joined, the pieces are the text again, character by character; each says whether it is shown. The policy is
written down in docs/trimming.md. No I/O, no clock; the work is linear in the length of the text.
"""

from dataclasses import dataclass
from enum import StrEnum

from passerelle.mail import trim_signatures as signatures
from passerelle.mail.trim_footers import FooterRule
from passerelle.mail.trim_lines import read_lines
from passerelle.mail.trim_marks import Mark, Marks, mark_lines
from passerelle.mail.trim_quotes import quotes_to_show

__all__ = ["FooterRule", "Piece", "PieceKind", "Trimmed", "trim", "visible_text"]


class PieceKind(StrEnum):
    """What a piece of a mail's text is."""

    OWN = "own"
    QUOTE = "quote"
    ATTRIBUTION = "attribution"
    #: The header block above an answered or forwarded message, and the line that announces it.
    HEADER = "header"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"
    FOOTER = "footer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of whole lines of one kind."""

    kind: PieceKind
    #: As received, line endings included.
    text: str
    visible: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Trimmed:
    """A mail's text, taken apart."""

    #: What is shown: own words, and the quotes that interleaved answers answer; lines end in LF, no blank ends.
    visible: str
    #: Everything else, in order, as received.
    elided: str
    #: Joined, their texts are the input.
    pieces: tuple[Piece, ...]
    #: Answers stand between quotes, and the quotes that they answer are shown.
    interleaved: bool

    @property
    def forwarded(self) -> str:
        """The text of what was forwarded with a comment, as received; empty where nothing was."""
        return "".join(piece.text for piece in self.pieces if piece.kind is PieceKind.FORWARDED)


_KINDS = {
    Mark.TEXT: PieceKind.OWN,
    Mark.QUOTE: PieceKind.QUOTE,
    Mark.REST: PieceKind.QUOTE,
    Mark.ATTRIBUTION: PieceKind.ATTRIBUTION,
    Mark.HEADER: PieceKind.HEADER,
    Mark.FORWARDED: PieceKind.FORWARDED,
    Mark.SIGNATURE: PieceKind.SIGNATURE,
    Mark.FOOTER: PieceKind.FOOTER,
}


def visible_text(text: str) -> str:
    """What the author of the mail newly wrote.

    :param text: a text/plain body, decoded, any line endings.
    :returns: the words to show, lines ending in LF; "" where the mail says nothing of its own.
    """
    return trim(text).visible


def trim(text: str, *, footer: FooterRule | None = None) -> Trimmed:
    """Take a mail's text apart.

    :param text: a text/plain body, decoded, any line endings.
    :param footer: what the list appends to every mail, where it is known.
    """
    lines = read_lines(text)
    marks = mark_lines(lines, footer)
    _mark_signatures(marks)
    shown_quotes = quotes_to_show(marks)
    _drop_ornaments(marks)
    if not shown_quotes and Mark.TEXT not in marks.of:
        _doubt(marks)
    pieces = _pieces(marks, shown_quotes)
    return Trimmed(
        visible=_visible(pieces),
        elided="".join(piece.text for piece in pieces if not piece.visible),
        pieces=pieces,
        interleaved=bool(shown_quotes) and Mark.TEXT in marks.of,
    )


def _own_stretches(marks: Marks) -> list[tuple[int, int]]:
    """(start, end) of each longest run of unquoted lines that may be the author's."""
    stretches: list[tuple[int, int]] = []
    start: int | None = None
    filled = False
    for i, mark in enumerate((*marks.of, Mark.QUOTE)):
        if mark in (Mark.TEXT, Mark.BLANK):
            start = i if start is None else start
            filled = filled or mark is Mark.TEXT
            continue
        if start is not None and filled:
            stretches.append((start, i))
        start, filled = None, False
    return stretches


def _mark_signatures(marks: Marks) -> None:
    for start, end in _own_stretches(marks):
        bodies = ["" if line.fenced else line.body for line in marks.lines[start:end]]
        at = signatures.signature_start([line.raw for line in marks.lines[start:end]], bodies, opening=start == 0)
        if at is not None:
            marks.paint(start + at, end, Mark.SIGNATURE)
            bodies = bodies[:at]
        for i in signatures.device_lines(bodies):
            marks.of[start + i] = Mark.SIGNATURE


def _drop_ornaments(marks: Marks) -> None:
    """Rules at the end of what the author wrote, or right above what is cut, separate nothing any more."""
    below_is_cut = True
    for i in range(len(marks.lines) - 1, -1, -1):
        mark = marks.of[i]
        if mark is Mark.BLANK:
            continue
        if mark is Mark.TEXT and below_is_cut and signatures.is_ornament(marks.lines[i].body):
            if not marks.lines[i].fenced:
                marks.of[i] = Mark.SIGNATURE
            continue
        below_is_cut = mark is not Mark.TEXT


def _doubt(marks: Marks) -> None:
    """Nothing would be shown although nobody is quoted: then what looked like a signature is the message."""
    cut = (Mark.QUOTE, Mark.REST, Mark.FORWARDED, Mark.ATTRIBUTION, Mark.HEADER)
    if any(mark in cut for mark in marks.of):
        return
    for i, mark in enumerate(marks.of):
        body = marks.lines[i].body
        if mark is Mark.SIGNATURE and body and not signatures.is_device_line(body):
            marks.of[i] = Mark.TEXT


def _pieces(marks: Marks, shown_quotes: frozenset[int]) -> tuple[Piece, ...]:
    """Join the lines of one kind and visibility; a blank line goes with the lines above it."""
    pieces: list[Piece] = []
    held: list[str] = []
    kind, visible = PieceKind.OWN, True
    begun = False
    for i, line in enumerate(marks.lines):
        mark = marks.of[i]
        if mark is not Mark.BLANK:
            now = (_KINDS[mark], mark is Mark.TEXT or i in shown_quotes)
            if begun and now != (kind, visible):
                pieces.append(Piece(kind=kind, text="".join(held), visible=visible))
                held = []
            (kind, visible), begun = now, True
        held.append(line.raw)
    if held:
        pieces.append(Piece(kind=kind, text="".join(held), visible=visible))
    return tuple(pieces)


def _visible(pieces: tuple[Piece, ...]) -> str:
    """The visible pieces' text; a blank line where a quote between two own paragraphs was left out."""
    shown: list[str] = []
    quote_left_out = False
    for piece in pieces:
        if not piece.visible:
            quote_left_out = quote_left_out or piece.kind is PieceKind.QUOTE
            continue
        text = piece.text.replace("\r\n", "\n").replace("\r", "\n")
        if shown:
            blank = shown[-1].endswith("\n\n")
            if quote_left_out and not blank:
                shown.append("\n")
            elif blank:
                text = text.lstrip("\n")
        shown.append(text)
        quote_left_out = False
    lines = "".join(shown).split("\n")
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return "\n".join(lines[start:end]).rstrip()
