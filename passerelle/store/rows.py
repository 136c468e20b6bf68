"""Between rows and the values of `core/model.py`, which have the columns' names."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Table

T = TypeVar("T")


class Shape(Generic[T]):
    """Which columns of a table a value is made of."""

    def __init__(self, value_type: type[T], table: Table) -> None:
        self._type = value_type
        self._names = tuple(f.name for f in fields(value_type))  # type: ignore[arg-type]
        #: The table's columns in the order of the value's fields, to select.
        self.columns: tuple[Column[Any], ...] = tuple(table.c[name] for name in self._names)

    def value(self, row: Sequence[Any]) -> T:
        """The value of a row that begins with `columns`."""
        return self._type(**dict(zip(self._names, row, strict=False)))

    def values(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        """The values of such rows, in their order."""
        return [self.value(row) for row in rows]


def parameters(value: Any, *without: str) -> dict[str, Any]:
    """The fields of a value by name, to insert."""
    return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in without}
