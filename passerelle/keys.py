"""The configuration keys as data, read off the models, and the two texts made of them.

Pure. One source for docs/configuration.md, config/passerelle.example.toml and what `passerelle init` writes:
`passerelle.core.settings`. Lists of sections are written `[]` in a path: `associations[].links[].room`.
"""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from passerelle.core.setting_kinds import Location, Section
from passerelle.core.settings import Settings

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", time: "time of day"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key of the configuration file."""

    path: str
    name: str
    meaning: str
    #: In words: "whole number from 1 to 65535".
    type: str
    required: bool
    #: As TOML; None where nothing is meant by leaving it out.
    default: str | None
    #: As TOML.
    example: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One section of the configuration file."""

    path: str
    name: str
    meaning: str
    model: type[Section]
    repeated: bool
    required: bool
    keys: tuple[Key, ...]
    tables: tuple["Table", ...]


def toml_value(value: object) -> str:
    """Write a value as TOML: text, numbers, booleans, times, arrays of these."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    # Control characters must be escaped in a basic string (TOML 1.0, "String").
    return '"' + "".join(c if c.isprintable() or c == " " else f"\\U{ord(c):08X}" for c in text) + '"'


def section_of(annotation: object) -> tuple[type[Section], bool] | None:
    """The model behind an annotation that is a section, and whether it may be repeated; None for a plain key."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, Section):
            return part, get_origin(annotation) is tuple
    return None


def describe(model: type[Section] = Settings) -> Table:
    """The whole configuration as one tree of sections and keys."""
    return _describe(model, path="", name="", meaning=(model.__doc__ or ""), repeated=False, required=True)


def all_tables(table: Table) -> Iterator[Table]:
    """A section and everything under it, in the order of the file."""
    yield table
    for inner in table.tables:
        yield from all_tables(inner)


def heading(table: Table) -> str:
    """How a section begins in the file: `[matrix]`, `[[associations.links]]`."""
    name = table.path.replace("[]", "")
    return f"[[{name}]]" if table.repeated else f"[{name}]"


def _describe(model: type[Section], *, path: str, name: str, meaning: str, repeated: bool, required: bool) -> Table:
    keys, tables = [], []
    for field_name, field in model.model_fields.items():
        key = field.alias or field_name
        inner = section_of(field.annotation)
        at = f"{path}.{key}" if path else key
        if inner is None:
            keys.append(_key(at, key, field))
        else:
            section, many = inner
            tables.append(
                _describe(
                    section,
                    path=f"{at}[]" if many else at,
                    name=key,
                    meaning=_one_line(section.__doc__),
                    repeated=many,
                    required=field.is_required(),
                )
            )
    return Table(
        path=path, name=name, meaning=meaning, model=model, repeated=repeated, required=required,
        keys=tuple(keys), tables=tuple(tables),
    )  # fmt: skip


def _key(path: str, name: str, field: FieldInfo) -> Key:
    default = None if field.is_required() or field.default is None else toml_value(field.default)
    example = field.examples[0] if field.examples else None
    many = get_origin(field.annotation) is tuple
    if example is None:
        example = field.default
    elif many:
        example = [example]
    return Key(
        path=path, name=name, meaning=_one_line(field.description), type=_type_in_words(field),
        required=field.is_required(), default=default, example=toml_value(example),
    )  # fmt: skip


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _type_in_words(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    metadata = list(field.metadata)
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is tuple:
        return "array of texts"
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata += more
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{toml_value(v)}`" for v in get_args(annotation))
    if annotation is SecretStr:
        return "text, secret"
    if annotation is str and any(m in get_args(Location) for m in metadata):
        return "path; a relative one is meant from the folder of this file"
    return _WORDS[annotation] + _bounds(metadata)


def _bounds(metadata: Sequence[object]) -> str:
    words = []
    for bound in metadata:
        match bound:
            case Ge(ge=value):
                words.append(f"from {toml_value(value)}")
            case Gt(gt=value):
                words.append(f"over {toml_value(value)}")
            case Le(le=value):
                words.append(f"to {toml_value(value)}")
            case Lt(lt=value):
                words.append(f"under {toml_value(value)}")
    return (" " + " ".join(words)) if words else ""


# ---------------------------------------------------------------- the example file


def render_toml(values: Mapping[str, Any], *, head: str) -> str:
    """A whole configuration file: `values` as they are, every other key as a comment with its default.

    Args:
        values: what tomllib would read: nested mappings, and lists of mappings for repeated sections.
        head: the text at the top, without comment marks.
    """
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    for table in describe().tables:
        lines += _render_table(table, values.get(table.name))
    return "\n".join(lines) + "\n"


def _render_table(table: Table, value: Any) -> list[str]:
    given = value if isinstance(value, list) else [value]
    lines: list[str] = []
    for item in given or [None]:
        # A section that is left out is shown as a comment, so that it can be found.
        off = "" if item is not None else "#"
        lines += ["", *_comment(table.meaning), f"{off}{heading(table)}"]
        for key in table.keys:
            lines += _render_key(key, item)
        for inner in table.tables:
            lines += _render_table(inner, (item or {}).get(inner.name))
    return lines


def _render_key(key: Key, item: Mapping[str, Any] | None) -> list[str]:
    if item is not None and key.name in item:
        line = f"{key.name} = {toml_value(item[key.name])}"
    else:
        line = f"#{key.name} = {key.default if key.default not in (None, '[]') else key.example}"
    return [*_comment(key.meaning), line]


def _comment(text: str, width: int = 110) -> list[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


# ---------------------------------------------------------------- the page


def render_page() -> str:
    """The tables of docs/configuration.md: each section, each key with its meaning, type, default and example."""
    root = describe()
    parts = []
    for table in all_tables(root):
        if table.path:
            parts.append(_render_section(table))
    return "\n".join(parts)


def _render_section(table: Table) -> str:
    needed = "Needed" if table.required else "May be left out"
    lines = [
        f"## `{heading(table)}`",
        "",
        f"{table.meaning} {needed}{'; may be repeated' if table.repeated else ''}.",
        "",
    ]
    lines += ["| key | meaning | type | default | example |", "|---|---|---|---|---|"]
    for key in table.keys:
        default = "**needed**" if key.required else f"`{key.default}`" if key.default is not None else "–"
        cells = (f"`{key.name}`", key.meaning, key.type, default, f"`{key.example}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])
