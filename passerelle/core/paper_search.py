"""Whether a paper (minutes, say) answers a search: by the same words and stems as posts, read in the text itself. Pure.

An association has a few hundred of them: they are looked through, and need no index.
"""

from passerelle.core.extracts import confirm
from passerelle.core.folding import stems_of
from passerelle.core.search_terms import Phrase, Query


def is_for_papers(query: Query) -> bool:
    """Whether a search can find a paper at all: it names words, and nothing that only a post has."""
    if query.authors or query.side is not None or query.with_files is not None or query.thread is not None:
        return False
    sought = [phrase for phrase in query.phrases if not phrase.negated]
    return bool(sought) and all(phrase.column in (None, "own", "subject") for phrase in sought)


def answers(query: Query, *, title: str, text: str) -> bool:
    """Whether all that was asked stands in a paper, and nothing of what must not. Places and times are the caller's."""
    found = {"subject": f" {' '.join(stems_of(title))} ", "own": f" {' '.join(stems_of(text))} "}
    texts = {"subject": title, "own": text}
    return all(_stands(phrase, texts, found) is not phrase.negated for phrase in query.phrases)


def _stands(phrase: Phrase, texts: dict[str, str], stems: dict[str, str]) -> bool:
    columns = ("subject", "own") if phrase.column is None else (phrase.column,)
    there = [column for column in columns if column in texts]
    if phrase.exact:
        return any(confirm(texts[column], phrase) for column in there)
    return any(f" {' '.join(phrase.stems)} " in stems[column] for column in there)
