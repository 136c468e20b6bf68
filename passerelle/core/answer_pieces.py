"""A reply cut into sentences and clauses, without greeting, quotes and signature. Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from passerelle.core.polite_words import is_polite, signature_of, without_greeting

#: What is longer is a letter: an answer stands in its first sentences.
LONGEST_TEXT = 20_000
MOST_SENTENCES = 40
#: Of a sentence no more clauses are tried.
_MOST_CLAUSES = 6
_LONGEST_SENTENCE = 400

#: Of an answer that says why in a few words.
_LONGEST_SHORT = 600
_MOST_WORDS_SHORT = 25
#: Who asks or proposes something speaks to everyone.
_PROPOSES = re.compile(
    r"\?|\b(plut[ôo]t|reporte[rz]|décaler|déplacer|repousser|à la place|"
    r"(?:un )?autre (?:jour|date|heure|créneau|fois)|rather|instead|postpone|another (?:day|date|time))\b",
    re.IGNORECASE,
)
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n")

_SENTENCE_END = re.compile(r"(?<=[.!?…;])[\s\u00a0\u202f]+(?=\S)|\s*[;]\s*")
#: A number such as `18:30` or `12,5` has no clause behind it.
_CLAUSE = re.compile(
    r"\s*(?:(?P<colon>[:：])|,|\s[–—-]\s|\s\()(?!\d)\s*"
    r"(?:(?P<word>mais|car|et|donc|sauf|si|but|and|because|if)\s+)?"
    r"|\s+(?=(?:à|a|vers|at|about|à partir de)\s\d|(?:avec|with)\s)"
    r"|\s+(?P<joint>mais|car|parce que|parce qu['’]|puisque|et|donc|sauf si|si|à condition|sous réserve"
    r"|but|because|and|if|except)\s+",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(r"[-–—_*]{2,}\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """One sentence; `text[:ends[i]]` are its first clauses, `text[starts[i]:]` what follows them."""

    text: str
    ends: tuple[int, ...]
    starts: tuple[int, ...]
    #: How each clause is joined to the one before: « mais », « si », `:`; "" of a comma.
    joints: tuple[str, ...]
    is_question: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What was said, and by whom as it says itself."""

    sentences: tuple[Sentence, ...]
    signed: str
    #: There is more than was cut.
    is_longer: bool


def cut_reply(text: str, is_said: Callable[[str], bool]) -> Reply:
    """The sentences of the own words of a reply. Linear in its length; never raises.

    Args:
        is_said: whether a last line answers something: « Présente » is no signature.
    """
    lines = list(_own_lines(text[:LONGEST_TEXT]))
    before, signed = _signed_inline(lines[-1], is_said) if len(lines) > 1 else ("", "")
    if signed:
        lines = [*lines[:-1], *([before] if before else [])]
    sentences: list[Sentence] = []
    for line in lines:
        for piece in _SENTENCE_END.split(without_greeting(line) if not sentences else line):
            if piece and piece.strip() and len(sentences) <= MOST_SENTENCES:
                sentences.append(_sentence(piece.strip()))
    if sentences and not signed:
        before, signed = _signed_inline(sentences[-1].text, is_said)
        is_alone = len(sentences) == 1 and not before
        signed = "" if is_alone else signed
        sentences = [*sentences[:-1], *([_sentence(before)] if before else [])] if signed else sentences
    is_longer = len(text) > LONGEST_TEXT or len(sentences) > MOST_SENTENCES
    return Reply(sentences=tuple(sentences[:MOST_SENTENCES]), signed=signed, is_longer=is_longer)


def is_short_answer(text: str) -> bool:
    """Whether own words are one short paragraph that neither asks nor proposes, beside greeting, thanks and name."""
    if len(text) > _LONGEST_SHORT or _PROPOSES.search(text):
        return False
    paragraphs: list[int] = []
    for paragraph in _PARAGRAPHS.split(text):
        lines = [without_greeting(line).strip() for line in _own_lines(paragraph)]
        said = [line for line in lines if line and not is_polite(line)]
        if said and not (paragraphs and len(said) == 1 and signature_of(said[0])):
            paragraphs.append(len(" ".join(said).split()))
    return len(paragraphs) == 1 and paragraphs[0] <= _MOST_WORDS_SHORT


def _signed_inline(text: str, is_said: Callable[[str], bool]) -> tuple[str, str]:
    """What is before the names at the end of the last line or sentence, and these: « …, bises, Annie et Paul »."""
    before, comma, name = text.rpartition(",")
    candidates = [("", text)]
    if comma and is_polite(before.rpartition(",")[2]):
        candidates.append((before, name))
    for rest, one in candidates:
        signed = signature_of(one)
        if signed and not is_said(one):
            return rest, signed
    return text, ""


def _own_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        stripped = line.strip(" \t\u00a0\u202f\u200b*_")
        if stripped and not stripped.startswith((">", "```")) and not _SIGN_OFF.fullmatch(stripped):
            yield stripped


def _sentence(text: str) -> Sentence:
    short = text[:_LONGEST_SENTENCE]
    ends: list[int] = []
    starts: list[int] = []
    joints: list[str] = []
    for found in _CLAUSE.finditer(short):
        if len(ends) == _MOST_CLAUSES:
            break
        if found.start() == 0:
            continue
        ends.append(found.start())
        starts.append(found.end())
        joints.append((found["word"] or found["joint"] or (":" if found["colon"] else "")).lower())
    return Sentence(
        text=text,
        ends=(*ends, len(text)),
        starts=(*starts, len(text)),
        joints=(*joints, ""),
        is_question="?" in text[-3:],
    )


def says_nothing_more(text: str) -> bool:
    """Whether what is left of a sentence is only polite, clause by clause."""
    sentence = _sentence(text)
    begins = (0, *sentence.starts[:-1])
    return all(is_polite(text[start:end]) for start, end in zip(begins, sentence.ends, strict=True))
