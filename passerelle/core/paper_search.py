"""Whether a paper (minutes, a fiche) answers a search, and why: by the same words and stems as posts, read in the text
itself. Pure.

An association has a few hundred of them: they are looked through, and need no index.
"""

from dataclasses import dataclass
from datetime import datetime

from passerelle.core.extracts import Piece, confirm, extract
from passerelle.core.folding import stems_of
from passerelle.core.search_terms import Phrase, Query

_EXTRACT_CHARACTERS = 200
_TITLE_CHARACTERS = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """What is looked through."""

    title: str
    text: str
    #: When the meeting began, or it was published (aware).
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperHit:
    """Why a paper was found: its title, and the part of its text, with what was searched."""

    title: tuple[Piece, ...]
    extract: tuple[Piece, ...]
    at: datetime


def is_for_papers(query: Query) -> bool:
    """Whether a search can find a paper at all: it names words, and nothing that only a post has."""
    if query.authors or query.side is not None or query.with_files is not None or query.thread is not None:
        return False
    sought = [phrase for phrase in query.phrases if not phrase.negated]
    return bool(sought) and all(phrase.column in (None, "own", "subject") for phrase in sought)


def find_in_paper(query: Query, paper: Paper) -> PaperHit | None:
    """Where all that was asked stands in a paper, and nothing of what must not; None elsewhere. Places are the
    caller's."""
    is_in_time = (query.since is None or paper.at >= query.since) and (query.until is None or paper.at < query.until)
    if not is_in_time or not _answers(query, paper):
        return None
    return PaperHit(
        title=extract(paper.title, query, length=_TITLE_CHARACTERS, column="subject"),
        extract=extract(paper.text, query, length=_EXTRACT_CHARACTERS),
        at=paper.at,
    )


def _answers(query: Query, paper: Paper) -> bool:
    texts = {"subject": paper.title, "own": paper.text}
    stems = {column: f" {' '.join(stems_of(text))} " for column, text in texts.items()}
    return all(_stands(phrase, texts, stems) is not phrase.negated for phrase in query.phrases)


def _stands(phrase: Phrase, texts: dict[str, str], stems: dict[str, str]) -> bool:
    columns = ("subject", "own") if phrase.column is None else (phrase.column,)
    there = [column for column in columns if column in texts]
    if phrase.exact:
        return any(confirm(texts[column], phrase) for column in there)
    return any(f" {' '.join(phrase.stems)} " in stems[column] for column in there)
