"""Several archives read one after the other, as one."""

from collections.abc import Iterator, Sequence
from typing import Any

from passerelle.imports.source import Refused, Source, SourceMail


class Several:
    """A `Source` of sources. Positions are `[name of the source, position in it]`.

    A source that has gone since is no reason to fail: all is read again then, and what is known is not taken twice.
    """

    def __init__(self, name: str, sources: Sequence[Source]) -> None:
        self.name = name
        self._sources = sources
        sizes = [source.total_bytes for source in sources]
        self._sizes = [size or 0 for size in sizes]
        self.total_bytes: int | None = None if None in sizes else sum(self._sizes)
        self._before = 0
        self._current: Source | None = None

    @property
    def bytes_done(self) -> int:
        return self._before + (self._current.bytes_done if self._current is not None else 0)

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        """See `Source`."""
        names = [source.name for source in self._sources]
        first, inner = 0, None
        if after is not None and after[0] in names:
            first, inner = names.index(after[0]), after[1]
        self._before = sum(self._sizes[:first])
        for source, size in zip(self._sources[first:], self._sizes[first:], strict=True):
            self._current = source
            for one in source.read(inner):
                yield _placed(one, source.name)
            self._current, inner = None, None
            self._before += size


def _placed(one: SourceMail | Refused, name: str) -> SourceMail | Refused:
    """The same, with a position among all."""
    position = [name, one.position]
    if isinstance(one, Refused):
        return Refused(place=one.place, reason=one.reason, position=position)
    return SourceMail(raw=one.raw, place=one.place, position=position, received_at=one.received_at)
