"""Days that are said in words: « demain », « jeudi prochain », « fin mars », « dans quinze jours », « Noël ». Pure."""

from dataclasses import replace
from typing import Literal

from passerelle.core.when_calendar import read_calendar
from passerelle.core.when_days import Ahead, DaySpec, Edge, EdgeOf, Holiday, Nth, Shifted, Weekday, Which
from passerelle.core.when_holidays import HOLIDAYS
from passerelle.core.when_names import (
    is_short_weekday,
    read_month_name,
    read_ordinal,
    read_weekday_name,
    read_year,
    unit_of,
)
from passerelle.core.when_periods import IsoWeek, Over, Period, Week, WeekEnd, WeekEndOf, WeekOf
from passerelle.core.when_tokens import Line, Phrases, phrases_of, remembered

ReadDay = tuple[DaySpec, int] | None

_WEEKS_ON = Phrases({"en huit": 1, "en 8": 1, "en quinze": 2, "en 15": 2})
_NAMED = Phrases[DaySpec]({
    "a ce jour": Over(),
    "aujourd'hui": Ahead(), "aujourdhui": Ahead(), "ce jour": Ahead(), "today": Ahead(), "d'aujourd'hui": Ahead(),
    "demain": Ahead(days=1), "tomorrow": Ahead(days=1), "apres-demain": Ahead(days=2), "apres demain": Ahead(days=2),
    "the day after tomorrow": Ahead(days=2), "day after tomorrow": Ahead(days=2),
    "hier": Over(), "avant-hier": Over(), "avant hier": Over(), "yesterday": Over(),
    "la semaine derniere": Over(), "semaine derniere": Over(), "la semaine passee": Over(), "last week": Over(),
    "le mois dernier": Over(), "le mois passe": Over(), "last month": Over(), "last year": Over(),
    "l'an dernier": Over(), "l'annee derniere": Over(), "le week-end dernier": Over(), "last weekend": Over(),
    "la semaine prochaine": Week(ahead=1), "semaine prochaine": Week(ahead=1), "next week": Week(ahead=1),
    "la semaine qui vient": Week(ahead=1), "cette semaine": Week(ahead=0), "this week": Week(ahead=0),
    "dans la semaine": Week(ahead=0),
    "le mois prochain": Period(), "mois prochain": Period(), "next month": Period(), "le mois qui vient": Period(),
    "ce mois": Period(doubtful=True), "ce mois-ci": Period(doubtful=True), "this month": Period(doubtful=True),
    "dans le mois": Period(doubtful=True), "cette annee": Period(doubtful=True), "this year": Period(doubtful=True),
    "l'annee prochaine": Period(doubtful=True), "l'an prochain": Period(doubtful=True),
    "next year": Period(doubtful=True), "cet ete": Period(doubtful=True), "cet automne": Period(doubtful=True),
    "cet hiver": Period(doubtful=True), "ce printemps": Period(doubtful=True), "l'ete": Period(doubtful=True),
    "l'automne": Period(doubtful=True), "l'hiver": Period(doubtful=True), "le printemps": Period(doubtful=True),
    "la rentree": Period(doubtful=True), "rentree": Period(doubtful=True),
    "ces jours-ci": Period(doubtful=True), "ces prochains jours": Period(doubtful=True),
    "ce week-end": WeekEnd(), "ce weekend": WeekEnd(), "ce week end": WeekEnd(), "this weekend": WeekEnd(),
    "le week-end qui vient": WeekEnd(), "le week-end prochain": WeekEnd(which="next"),
    "week-end prochain": WeekEnd(which="next"), "le weekend prochain": WeekEnd(which="next"),
    "weekend prochain": WeekEnd(which="next"), "next weekend": WeekEnd(which="next"),
    "le week-end de la semaine prochaine": WeekEnd(which="next week"),
})  # fmt: skip


def read_day(line: Line, place: int, *, bare: bool = False) -> ReadDay:
    """The longest day that is said at `place`.

    Args:
        bare: A number alone may be one, because it stands in « du 3 au 5 mars ».
    """
    bare_day = read_calendar(line, place, bare=True) if bare else None
    day = _read_day(line, place)
    return bare_day if bare_day is not None and (day is None or bare_day[1] > day[1]) else day


@remembered
def _read_day(line: Line, place: int) -> ReadDay:
    best: ReadDay = read_calendar(line, place)
    for reading in (_named, _weekday, _nth, _edge, _ahead, _from_now, _ago, _holiday, _shifted, _month, _week_of):
        found = reading(line, place)
        if found is not None and (best is None or found[1] > best[1]):
            best = found
    return best


def _named(line: Line, place: int) -> ReadDay:
    found = _NAMED.read(line, place)
    if found is not None and isinstance(found[0], Ahead):
        weeks = _WEEKS_ON.read(line, found[1])
        if weeks is not None:
            return Ahead(days=found[0].days + 7 * weeks[0]), weeks[1]
    return found


_BEFORE_WEEKDAY = Phrases[Which]({
    "le": "coming", "the": "coming", "on": "coming", "this coming": "coming", "coming": "coming",
    "ce": "this", "cet": "this", "this": "this", "next": "next", "last": "over",
    "la semaine prochaine": "next week", "semaine prochaine": "next week", "next week": "next week",
    "la semaine prochaine le": "next week", "la semaine prochaine,": "next week",
    "cette semaine": "this week", "this week": "this week",
})  # fmt: skip
_BEHIND_WEEKDAY = Phrases[Which]({
    "prochain": "next", "qui vient": "coming", "a venir": "coming",
    "de la semaine prochaine": "next week", "la semaine prochaine": "next week", "semaine prochaine": "next week",
    "de la semaine qui vient": "next week", "of next week": "next week", "next week": "next week",
    "de cette semaine": "this week", "cette semaine": "this week", "this week": "this week",
    "dernier delai": "coming", "dernier": "over", "passe": "over", "precedent": "over", "d'avant": "over",
})  # fmt: skip


def _weekday(line: Line, place: int) -> ReadDay:
    """« jeudi », « ce jeudi », « jeudi prochain », « mardi en huit », « jeudi de la semaine prochaine »."""
    before = _BEFORE_WEEKDAY.read(line, place)
    name_at = before[1] if before else place
    named = read_weekday_name(line, name_at)
    if named is None:
        return None
    spec = Weekday(weekday=named[0], which=before[0] if before else "coming", doubtful=is_short_weekday(line, name_at))
    weeks = _WEEKS_ON.read(line, named[1])
    if weeks is not None:
        return replace(spec, weeks=weeks[0], doubtful=False), weeks[1]
    behind = _BEHIND_WEEKDAY.read(line, named[1])
    if behind is None:
        return spec, named[1]
    # « ce jeudi qui vient » is the coming one; « ce jeudi de la semaine prochaine » is next week's.
    return replace(spec, which=behind[0], doubtful=False), behind[1]


_OF = phrases_of("de", "du", "d'", "de la", "de l'", "of", "of the", "in", "-", "a", "le")
_MONTHS_AHEAD = Phrases({
    "mois": 0, "ce mois": 0, "ce mois-ci": 0, "mois-ci": 0, "mois en cours": 0, "mois courant": 0, "this month": 0,
    "the month": 0, "month": 0, "mois prochain": 1, "next month": 1, "mois qui vient": 1, "mois suivant": 1,
})  # fmt: skip
_MONTH_OF = phrases_of("mois de", "mois d'")


def _nth(line: Line, place: int) -> ReadDay:
    """« le premier lundi de décembre », « le dernier vendredi du mois », « le dernier jour du mois prochain »."""
    start = place + 1 if line.word(place) in ("le", "the") else place
    ordinal = read_ordinal(line, start)
    if ordinal is None:
        return None
    weekday = read_weekday_name(line, ordinal[1])
    if weekday is None and line.word(ordinal[1]) not in ("jour", "day"):
        return None
    spec = Nth(which=ordinal[0], weekday=None if weekday is None else weekday[0])
    end = ordinal[1] + 1 if weekday is None else weekday[1]
    of = _OF.end(line, end)
    month = None if of is None else _some_month(line, of)
    if month is not None:
        return replace(spec, month=month[0], year=month[1]), month[2]
    ahead = None if of is None else _MONTHS_AHEAD.read(line, of)
    return None if ahead is None else (replace(spec, months_ahead=ahead[0]), ahead[1])


def _some_month(line: Line, place: int) -> tuple[int, int | None, int] | None:
    """« mars », « mars 2027 », « mois de mars »: the month, its year, where it ends."""
    place = _MONTH_OF.end(line, place) or place
    month = read_month_name(line, place)
    if month is None:
        return None
    year = read_year(line, month[1])
    return (month[0], year[0], year[1]) if year else (month[0], None, month[1])


_EDGES = Phrases[EdgeOf]({
    "fin": "end", "la fin": "end", "en fin": "end", "a la fin": "end", "end": "end", "the end": "end",
    "debut": "start", "le debut": "start", "au debut": "start", "en debut": "start", "beginning": "start",
    "the beginning": "start", "start": "start", "the start": "start",
    "mi": "middle", "la mi": "middle", "a la mi": "middle", "mid": "middle", "milieu": "middle",
    "le milieu": "middle", "au milieu": "middle", "the middle": "middle",
})  # fmt: skip
_Unit = Literal["week", "month", "year"]
_UNITS_AHEAD = Phrases[tuple[_Unit, int]]({
    "semaine": ("week", 0), "cette semaine": ("week", 0), "la semaine": ("week", 0), "week": ("week", 0),
    "this week": ("week", 0), "the week": ("week", 0), "semaine prochaine": ("week", 1),
    "la semaine prochaine": ("week", 1), "next week": ("week", 1),
    "annee": ("year", 0), "l'annee": ("year", 0), "cette annee": ("year", 0), "year": ("year", 0),
    "the year": ("year", 0), "this year": ("year", 0), "annee prochaine": ("year", 1), "next year": ("year", 1),
    "l'annee prochaine": ("year", 1),
})  # fmt: skip
#: « la fin de l'année scolaire » is another day.
_NO_UNIT_BEHIND = {"scolaire", "civile", "universitaire", "sabbatique"}


def _edge(line: Line, place: int) -> ReadDay:
    """« fin mars », « début avril 2027 », « mi-mai », « la fin du mois prochain », « fin d'année »."""
    edge = _EDGES.read(line, place)
    if edge is None:
        return None
    of = _OF.end(line, edge[1])
    for start in (of, edge[1]):
        if start is None:
            continue
        month = _some_month(line, start)
        if month is not None:
            return Edge(edge=edge[0], of="month", month=month[0], year=month[1]), month[2]
        ahead = _MONTHS_AHEAD.read(line, start)
        if ahead is not None:
            return Edge(edge=edge[0], of="month", ahead=ahead[0]), ahead[1]
        unit = _UNITS_AHEAD.read(line, start)
        if unit is not None and line.word(unit[1]) not in _NO_UNIT_BEHIND:
            year = read_year(line, unit[1]) if unit[0][0] == "year" else None
            spec = Edge(edge=edge[0], of=unit[0][0], ahead=unit[0][1], year=year[0] if year else None)
            return spec, year[1] if year else unit[1]
    return None


_IN = phrases_of(
    "dans", "dans les", "d'ici", "d'ici a", "sous", "sous les", "in", "within", "in the next", "within the next"
)
_FORTNIGHTS = Phrases({
    "huitaine": 7, "une huitaine": 7, "huitaine de jours": 7, "une huitaine de jours": 7,
    "quinzaine": 14, "une quinzaine": 14, "la quinzaine": 14, "quinzaine de jours": 14, "une quinzaine de jours": 14,
    "a fortnight": 14,
})  # fmt: skip
#: « dans huit jours » is the same weekday of next week, « dans quinze jours » that of the week after.
_FRENCH_DAYS = {8: 7, 15: 14}
_HALF = phrases_of("et demi", "et demie", "and a half")
_HALVES = {"month": Ahead(days=15), "year": Ahead(months=6)}


def read_count(line: Line, place: int) -> tuple[Ahead, int] | None:
    """So many days, weeks, months or years: « deux semaines », « 15 jours »."""
    count = line.number(place)
    if count is None or not 0 < count <= 1000:
        return None
    unit_at = place + 1
    if line.word(unit_at) in ("prochains", "prochaines"):
        unit_at += 1
    unit = unit_of(line, unit_at)
    end = unit_at + 1
    half = _HALF.end(line, end)
    if half is not None:
        halves = _HALVES.get(unit or "")
        if halves is None:
            return None
        return Ahead(days=halves.days, months=halves.months + count * (12 if unit == "year" else 1)), half
    if unit == "day":
        french = line.word(unit_at).startswith("jour")
        return Ahead(days=_FRENCH_DAYS.get(count, count) if french else count), end
    if unit == "week":
        return Ahead(days=7 * count), end
    if unit in ("month", "year") and count <= 120:
        return Ahead(months=count * (12 if unit == "year" else 1)), end
    return None


def _ahead(line: Line, place: int) -> ReadDay:
    """« dans deux semaines », « sous huitaine », « d'ici 15 jours »."""
    start = _IN.end(line, place)
    if start is None:
        return None
    fortnight = _FORTNIGHTS.read(line, start)
    return (Ahead(days=fortnight[0]), fortnight[1]) if fortnight else read_count(line, start)


_FROM_NOW = phrases_of("from now", "from today")
_AGO = phrases_of("ago")
_THERE_ARE = phrases_of("il y a")


def _from_now(line: Line, place: int) -> ReadDay:
    """Two weeks from now."""
    count = read_count(line, place)
    end = None if count is None else _FROM_NOW.end(line, count[1])
    return None if count is None or end is None else (count[0], end)


def _ago(line: Line, place: int) -> ReadDay:
    """« il y a trois jours »."""
    start = _THERE_ARE.end(line, place)
    count = read_count(line, start or place)
    end = None if count is None else (count[1] if start else _AGO.end(line, count[1]))
    return None if end is None else (Over(), end)


_SHIFTS = Phrases({
    "la veille de": -1, "la veille du": -1, "la veille de la": -1, "la veille de l'": -1, "veille de": -1,
    "le lendemain de": 1, "le lendemain du": 1, "le lendemain de la": 1, "le lendemain de l'": 1,
    "the day before": -1, "the day after": 1,
})  # fmt: skip
_AWAY = Phrases({"avant": -1, "avant le": -1, "avant la": -1, "avant l'": -1, "before": -1, "apres": 1, "apres le": 1,
                 "apres la": 1, "apres l'": 1, "after": 1})  # fmt: skip
_BEFORE_HOLIDAY = phrases_of("le", "la", "l'", "les", "the", "jour de", "le jour de", "le jour de la", "le jour de l'")


def _holiday(line: Line, place: int) -> ReadDay:
    """« Noël », « le lundi de Pâques 2027 », « l'Ascension »."""
    found = HOLIDAYS.read(line, place)
    if found is None:
        article = _BEFORE_HOLIDAY.end(line, place)
        found = None if article is None else HOLIDAYS.read(line, article)
    if found is None:
        return None
    year = read_year(line, found[1])
    end = year[1] if year else found[1]
    if line.word(end) in ("prochain", "prochaine", "prochaines"):
        end += 1
    return Holiday(day_of=found[0], year=year[0] if year else None), end


def _shifted(line: Line, place: int) -> ReadDay:
    """« la veille de Noël », « trois jours avant le 12/11 », « une semaine après Pâques »."""
    shift = _SHIFTS.read(line, place)
    if shift is None:
        count = read_count(line, place)
        away = None if count is None or count[0].months else _AWAY.read(line, count[1])
        if count is None or away is None:
            return None
        shift = count[0].days * away[0], away[1]
    day = read_calendar(line, shift[1]) or _holiday(line, shift[1]) or _weekday(line, shift[1])
    return None if day is None else (Shifted(day=day[0], days=shift[0]), day[1])


_BEFORE_MONTH = phrases_of("en", "courant", "in", "le mois de", "le mois d'", "au mois de", "au mois d'")


def _month(line: Line, place: int) -> ReadDay:
    """« en mars », « courant mars 2027 »: a period."""
    month = _some_month(line, _BEFORE_MONTH.end(line, place) or place)
    return None if month is None else (Period(month=month[0], year=month[1], doubtful=True), month[2])


_WEEK_OF = Phrases[type[WeekOf] | type[WeekEndOf]]({
    "la semaine du": WeekOf, "semaine du": WeekOf, "the week of": WeekOf, "week of": WeekOf,
    "le week-end du": WeekEndOf, "week-end du": WeekEndOf, "le weekend du": WeekEndOf, "weekend du": WeekEndOf,
})  # fmt: skip
_WEEK_NUMBER = phrases_of("semaine", "la semaine", "week")
_PARTS_OF_MONTH = {"semaine", "quinzaine", "week", "fortnight"}


def _week_of(line: Line, place: int) -> ReadDay:
    """« la semaine du 16 novembre », « le week-end du 14 », « semaine 47 », « la première quinzaine de mars »."""
    found = _WEEK_OF.read(line, place)
    if found is not None:
        day = read_calendar(line, found[1])
        return None if day is None else (found[0](day=day[0]), day[1])
    behind = _WEEK_NUMBER.end(line, place)
    number = None if behind is None else line.digits(behind)
    if behind is not None and number is not None and 1 <= number <= 52:
        return IsoWeek(number=number), behind + 1
    ordinal = read_ordinal(line, place + 1 if line.word(place) in ("la", "the") else place)
    if ordinal is None or line.word(ordinal[1]) not in _PARTS_OF_MONTH:
        return None
    of = _OF.end(line, ordinal[1] + 1)
    month = None if of is None else _some_month(line, of)
    return None if month is None else (Period(), month[2])
