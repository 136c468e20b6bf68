"""A search, and what is wrong with one, in the words of members. Pure."""

from datetime import timedelta

from passerelle.core.search_terms import Phrase, Query
from passerelle.core.wording import Words
from passerelle.errors import QueryProblem


def describe(query: Query, words: Words) -> tuple[str, ...]:
    """What was understood, one part each: « budget », « écrit par Monique », « depuis le 1er mars 2026 »."""
    parts = [_phrase(phrase, words) for phrase in query.phrases]
    parts += [words("described_author", name=name) for name in query.authors_shown]
    if query.places_shown:
        parts.append(words("described_place", places=words("described_or").join(query.places_shown)))
    if query.side is not None:
        parts.append(words(f"described_side_{query.side}"))
    if query.with_files is not None:
        parts.append(words("described_with_files" if query.with_files else "described_without_files"))
    if query.thread is not None:
        parts.append(words("described_thread"))
    parts += _when(query, words)
    if query.order == "rank":
        parts.append(words("described_rank"))
    return tuple(parts)


def problem_sentence(problem: QueryProblem, words: Words) -> str:
    """What is wrong with a search, in one sentence."""
    return words(f"query_{problem.kind}", **problem.values)


def _phrase(phrase: Phrase, words: Words) -> str:
    part = words(f"described_{phrase.column or 'words'}", words=phrase.shown)
    if phrase.exact:
        part = words("described_exact", part=part)
    return words("described_without", part=part) if phrase.negated else part


def _when(query: Query, words: Words) -> list[str]:
    """Days as a reader counts them: the last one is named, where the query holds the one behind it."""
    since, until = query.since, query.until
    if since is None:
        return [] if until is None else [words("described_until", day=words.day(until, year=True))]
    first = words.day(since, year=True)
    if until is None:
        return [words("described_since", day=first)]
    last = words.day(until - timedelta(seconds=1), year=True)
    return [words("described_day", day=first) if first == last else words("described_between", first=first, last=last)]
