"""The words by which a post is found, as both databases are given them: folded, stemmed, a space between. Pure.

One function for what comes in live and for what is imported, so that the same post is found by the same words. It runs
for each of 100,000 imported mails: what recurs (shelves, names) is remembered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from passerelle.core.folding import stemmed, stems_of
from passerelle.core.model import Side
from passerelle.core.shelves import Shelf

#: To be raised where words of the same post come out otherwise than before: the daemon then asks for a rebuild.
WORDS_VERSION = 1

#: How many words of one column are searched. PostgreSQL counts the places of words up to 16,383 only
#: (https://www.postgresql.org/docs/15/textsearch-limitations.html), and phrases are to be found alike on both.
MOST_WORDS = 15_000
#: How long their bytes are together. A vector of PostgreSQL holds 1 MB (the same page), and ranking joins three.
_MOST_BYTES = 250_000
#: Words of French have six characters with their space; so much is looked at.
_MOST_CHARACTERS = 120_000
_MOST_SUBJECT_CHARACTERS = 2_000

#: Stands between texts of one column: no phrase goes from one into the next. No text holds it, `_` being no letter.
BREAK = "_"
HAS_FILE = "_file"
FROM_LIST = "_side_list"
FROM_ROOM = "_side_room"


@dataclass(frozen=True, kw_only=True, slots=True)
class Findable:
    """What a post is found by, as it is read; nothing folded yet."""

    #: The shelf where it was accepted, and those of its cross-posts.
    shelves: tuple[Shelf, ...]
    side: Side
    author_name: str
    subject: str
    #: The author's own words.
    own: str
    #: Words of others that it quotes.
    quoted: str = ""
    file_names: tuple[str, ...] = ()
    file_texts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchWords:
    """The columns of `post_words` (`store.search_tables.WORD_COLUMNS`), in their order."""

    facets: str
    subject: str
    own: str
    files: str
    quoted: str

    def columns(self) -> tuple[str, str, str, str, str]:
        return self.facets, self.subject, self.own, self.files, self.quoted


def build_words(post: Findable) -> SearchWords:
    """The words by which a post is found."""
    facets = [shelf_token(shelf) for shelf in post.shelves]
    facets.append(FROM_LIST if post.side == "list" else FROM_ROOM)
    if post.file_names:
        facets.append(HAS_FILE)
    if post.author_name:
        facets.append(author_tokens(post.author_name))
    return SearchWords(
        facets=" ".join(facets),
        subject=stemmed(post.subject[:_MOST_SUBJECT_CHARACTERS]),
        own=_limited(post.own),
        files=_files(post) if post.file_names or post.file_texts else "",
        quoted=_limited(post.quoted) if post.quoted else "",
    )


@lru_cache(maxsize=4096)
def shelf_token(shelf: Shelf) -> str:
    """The word of a shelf. 50 bits: no two of a store's shelves share one."""
    name = "\n".join((shelf.association, shelf.link, shelf.origin, shelf.side or ""))
    return f"_s{int.from_bytes(sha256(name.encode()).digest()[:7]) >> 6:x}"


@lru_cache(maxsize=8192)
def author_tokens(name: str) -> str:
    """The words of an author's name, `_a` before each."""
    return " ".join(author_token(stem) for stem in stems_of(name[:200]))


def author_token(stem: str) -> str:
    """The word that stands for `stem` in an author's name."""
    return f"_a{stem}"


def _files(post: Findable) -> str:
    return _first_words(f" {BREAK} ".join(_each(post.file_names, post.file_texts)))


def _each(names: Iterable[str], texts: Iterable[str]) -> Iterable[str]:
    for name in names:
        yield stemmed(name[:_MOST_SUBJECT_CHARACTERS])
    for text in texts:
        yield stemmed(text[:_MOST_CHARACTERS])


def _limited(text: str) -> str:
    return _first_words(stemmed(text[:_MOST_CHARACTERS]))


def _first_words(words: str) -> str:
    """The first `MOST_WORDS` of them, within `_MOST_BYTES`."""
    if len(words) < 2 * MOST_WORDS:  # each is a letter and a space at the least; no letter has more than four bytes
        return words
    first = " ".join(words.split()[:MOST_WORDS])
    data = first.encode()
    return first if len(data) <= _MOST_BYTES else data[:_MOST_BYTES].rpartition(b" ")[0].decode()
