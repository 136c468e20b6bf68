"""Turns pydantic's errors into sentences for someone who installs, each with the path of its key.

Pure. No value of a key is repeated unless the key holds a word out of a short list: a value may be a secret.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from passerelle import keys
from passerelle.i18n import N_, _

#: What must stand where pydantic found something else, by the end of its error types.
_KINDS = {
    "int_": N_("write a whole number, without quotes"),
    "float_": N_("write a number, without quotes"),
    "bool_": N_("write true or false, without quotes"),
    "string_type": N_("write a text, between double quotes"),
    "time_": N_("write a time of day, for instance 19:00:00"),
    "tuple_type": N_('write an array, for instance ["one", "two"]'),
}
#: The sentences of `core.setting_kinds.WRONG_VALUES`, where the catalogue finds them.
WRONG_VALUES = {
    "time_zone": N_("'{given}' is not an IANA time zone; an example is Europe/Paris"),
    "mail_address": N_("'{given}' is not a mail address; an example is bureau@listes.example.org"),
    "user_id": N_("'{given}' is not a Matrix user ID; an example is @lea:example.org"),
    "room": N_("a room ID begins with ! and an alias with #"),
    "web_address": N_("begin it with https:// (or http:// for a server on the same machine)"),
    "web_address_server": N_("the name of the server is missing, as in https://matrix.example.org"),
    "store_url": N_("begin it with sqlite:/// (a file) or postgresql:// (a server)"),
    "only_one": N_("give only one of {given}"),
}
_BOUNDS = {
    "greater_than_equal": ("ge", N_("must be {bound} or more")),
    "greater_than": ("gt", N_("must be more than {bound}")),
    "less_than_equal": ("le", N_("must be {bound} or less")),
    "less_than": ("lt", N_("must be less than {bound}")),
}


def sentences(error: ValidationError, *, removed: Mapping[str, str]) -> list[str]:
    """One line a problem, `path: sentence`, in the order of the file's sections.

    Args:
        error: what validating `Settings` raised.
        removed: paths (with `[]` for lists) of keys that are no more, and why.
    """
    tables = {table.path: table for table in keys.all_tables(keys.describe())}
    lines: list[str] = []
    for detail in error.errors(include_url=False):
        loc = detail["loc"]
        if not loc and detail["type"] == "value_error":
            # The check across sections gives its own lines, with their paths.
            lines += str(detail["ctx"]["error"]).splitlines()
            continue
        if detail["type"] == "too_short" and detail["input"]:
            # The items are there, but each has its own error.
            continue
        lines.append(f"{_path(loc)}: {_sentence(detail, tables=tables, removed=removed)}")
    return lines


def _path(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def _general(loc: tuple[int | str, ...]) -> str:
    return re.sub(r"\[\d+\]", "[]", _path(loc))


def _sentence(detail: ErrorDetails, *, tables: Mapping[str, keys.Table], removed: Mapping[str, str]) -> str:
    kind, loc = detail["type"], detail["loc"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return removed.get(_general(loc)) or _unknown(loc, tables)
        case "missing":
            return _missing(loc, tables)
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return _("write one of {choices}").format(choices=context["expected"].replace(" or ", ", "))
        case "string_pattern_mismatch":
            return _("use lower-case letters, digits, '-' and '_' only, and begin with a letter or a digit")
        case "too_short":
            return _("needs at least one")
        case _ if kind in WRONG_VALUES:
            return _(WRONG_VALUES[kind]).format(**context)
        case _ if kind in _BOUNDS:
            name, sentence = _BOUNDS[kind]
            return _(sentence).format(bound=f"{context[name]:g}")
    return _wrong_kind(detail, tables)


def _wrong_kind(detail: ErrorDetails, tables: Mapping[str, keys.Table]) -> str:
    kind, general = detail["type"], _general(detail["loc"])
    if f"{general}[]" in tables:
        heading = keys.heading(tables[f"{general}[]"])
        return _("is a section that may be repeated: write it with two brackets, {heading}").format(heading=heading)
    if general in tables:
        return _("is a section: write it as {heading}, with its keys below").format(
            heading=keys.heading(tables[general])
        )
    for prefix, sentence in _KINDS.items():
        if kind.startswith(prefix):
            return _(sentence)
    return detail["msg"]


def _missing(loc: tuple[int | str, ...], tables: Mapping[str, keys.Table]) -> str:
    general = _general(loc)
    section = tables.get(general) or tables.get(f"{general}[]")
    if section:
        return _("this section is needed: {heading}").format(heading=keys.heading(section))
    table = tables[_general(loc[:-1])]
    example = next(key.example for key in table.keys if key.name == loc[-1])
    return _("is needed, for instance: {name} = {example}").format(name=loc[-1], example=example)


def _unknown(loc: tuple[int | str, ...], tables: Mapping[str, keys.Table]) -> str:
    name = str(loc[-1])
    here = tables[_general(loc[:-1])]
    known = [key.name for key in here.keys] + [table.name for table in here.tables]
    elsewhere = [table for table in tables.values() if table.path and name in [key.name for key in table.keys]]
    if elsewhere:
        section = keys.heading(elsewhere[0])
        return _("there is no such key here; it belongs to {section}").format(section=section)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return _("there is no such key; do you mean {near}?").format(near=near[0])
    return _("there is no such key; there are {known}").format(known=", ".join(known))
