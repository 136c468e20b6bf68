"""What a search asks for, once understood. The engines read this and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from passerelle.core.model import Side

Column = Literal["own", "subject", "files", "quoted"]
Order = Literal["newest", "rank"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrase:
    """One word, or several that stand side by side."""

    #: What is looked for in the index, one stem a word.
    stems: tuple[str, ...]
    #: The folded words; where the phrase is exact, they must stand in the text (`core.extracts.confirm`).
    words: tuple[str, ...]
    #: It stood in quotes: the very words, whatever accents and capitals.
    exact: bool = False
    #: Where it must stand; None: the subject, the author's own words, or files.
    column: Column | None = None
    #: It must not stand there.
    negated: bool = False
    #: As it was typed, to be shown.
    shown: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A search. All of it must be true of a post; of several places, one."""

    phrases: tuple[Phrase, ...] = ()
    #: Stems of each name that was asked for; all of a name's stems stand in the author's name.
    authors: tuple[tuple[str, ...], ...] = ()
    #: Names of lists, rooms or links, as `place_key` writes them.
    places: tuple[str, ...] = ()
    #: On which side it was written.
    side: Side | None = None
    #: From this instant on (UTC), and before that one.
    since: datetime | None = None
    until: datetime | None = None
    #: With files, without, or either.
    with_files: bool | None = None
    #: The short name of a post: only its conversation.
    thread: str | None = None
    order: Order = "newest"
    #: Names and places as they were typed, to be shown.
    authors_shown: tuple[str, ...] = field(default=(), compare=False)
    places_shown: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_empty(self) -> bool:
        """Nothing is asked for: not a wrong search, but none."""
        return self == Query(order=self.order)
