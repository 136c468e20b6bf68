"""Words, dates, sizes and durations as members read them, in their language and time zone. Pure.

The catalogues (`passerelle/locale/*.po`) are read by `passerelle.render`; rules and renderers are given a `Words`.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from gettext import NullTranslations
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_date

Language = Literal["fr", "en"]

NBSP = "\u00a0"
NARROW_NBSP = "\u202f"

#: What French asks of the spaces in a text that we wrote (Imprimerie nationale); never run over a member's words.
_FRENCH_SPACES = (
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(rf"«[ {NBSP}{NARROW_NBSP}]*"), "«" + NBSP),
    (re.compile(rf"[ {NBSP}{NARROW_NBSP}]*»"), NBSP + "»"),
    (re.compile(r" (?=:(?:\s|$))"), NBSP),
    (re.compile(r" (?=[;!?](?:\s|$))"), NARROW_NBSP),
    (re.compile(r"(?<=\d) (?=h\b|€|%|Mo\b|ko\b|Go\b|min\b|s\b)"), NBSP),
    (re.compile(r"(?<=\d.h) (?=\d)"), NBSP),
)


def french_spaces(text: str) -> str:
    """`text` (ours) with non-breaking spaces and typographic apostrophes where French wants them. Idempotent."""
    for pattern, replacement in _FRENCH_SPACES:
        text = pattern.sub(replacement, text)
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The words of one language, and how it writes instants of one time zone."""

    language: Language
    zone: ZoneInfo
    catalogue: NullTranslations

    def __call__(self, key: str, /, **values: object) -> str:
        """The string `key` of the catalogue with its `{names}` filled. Raises KeyError where the catalogue lacks it."""
        text = self.catalogue.gettext(key)
        if text == key:
            raise KeyError(key)
        return text.format(**values) if values else text

    def count(self, key: str, number: int, /, **values: object) -> str:
        """As `words(key)`, in the plural form for `number`, which the string knows as `{number}`."""
        text = self.catalogue.ngettext(key, key, number)
        if text == key:
            raise KeyError(key)
        return text.format(number=number, **values)

    def clock(self, at: datetime) -> str:
        """« 18 h 30 », « 18 h », or `18:30` in English; `at` is aware."""
        local = at.astimezone(self.zone)
        if self.language == "en":
            return f"{local:%H:%M}"
        minutes = f"{NBSP}{local:%M}" if local.minute else ""
        return f"{local.hour}{NBSP}h{minutes}"

    def day(self, at: datetime, *, weekday: bool = False, year: bool = False) -> str:
        """« 12 novembre », « mardi 17 novembre », « 1er novembre 2026 »; `at` is aware."""
        local = at.astimezone(self.zone)
        pattern = ("EEEE " if weekday else "") + "d MMMM" + (" y" if year else "")
        text = format_date(local.date(), pattern, locale=self.language)
        if self.language == "fr" and local.day == 1:
            text = re.sub(r"\b1 (?=\D)", "1er ", text, count=1)
        return text

    def calendar_day(self, day: date, *, weekday: bool = True, year: bool = False) -> str:
        """As `day`, of a day of the calendar: « jeudi 12 novembre »."""
        return self.day(datetime.combine(day, time(12), self.zone), weekday=weekday, year=year)

    def month(self, month: str) -> str:
        """« novembre 2026 » of `2026-11`. Raises ValueError for what is no month."""
        return format_date(date.fromisoformat(f"{month}-01"), "MMMM y", locale=self.language)

    def moment(self, at: datetime, *, weekday: bool = False, year: bool = False) -> str:
        """« 12 novembre à 14 h 05 »; `at` is aware."""
        return self("moment", day=self.day(at, weekday=weekday, year=year), clock=self.clock(at))

    def size(self, size_bytes: int) -> str:
        """« 32 Mo », « 1,5 Mo », « 800 ko », in powers of ten as file managers show them."""
        value, unit = float(max(size_bytes, 0)), "byte"
        for larger in ("kilobyte", "megabyte", "gigabyte"):
            if value < 1000:
                break
            value, unit = value / 1000, larger
        digits = f"{value:.1f}" if value < 10 and unit in ("megabyte", "gigabyte") else f"{value:.0f}"
        digits = digits.removesuffix(".0")
        if self.language == "fr":
            digits = digits.replace(".", ",")
        return f"{digits}{NBSP}{self(unit)}"

    def duration(self, duration_ms: int) -> str:
        """« 1 min 12 s », « 45 s », « 1 h 02 min »; at least one second."""
        seconds = max(1, round(duration_ms / 1000))
        if seconds < 60:
            return f"{seconds}{NBSP}s"
        if seconds < 3600:
            minutes, rest = divmod(seconds, 60)
            return f"{minutes}{NBSP}min" + (f" {rest}{NBSP}s" if rest else "")
        hours, rest = divmod(seconds // 60, 60)
        return f"{hours}{NBSP}h" + (f" {rest:02d}{NBSP}min" if rest else "")

    def names(self, names: tuple[str, ...]) -> str:
        """« Léa », « Léa et Karim », « Léa, Karim et Paul »."""
        if len(names) < 2:
            return "".join(names)
        return self("names_and", names=", ".join(names[:-1]), last=names[-1])


class Render(Protocol):
    """What a composer asks of the templates (`passerelle.render.Renderer`)."""

    @property
    def words(self) -> Words: ...

    def render(self, name: str, /, **values: object) -> str: ...
