"""The time of day as it is said: « 18 h 30 », « midi », « 8 h du soir », « de 14h à 16h », « 6.30pm ». Pure.

Hours count to 24, as in France: « 8 h » is in the morning. A time is minutes from the beginning of its day; midnight,
said in words, is the end of the day (1440), as everybody means who says « samedi à minuit ».
"""

from dataclasses import dataclass

from passerelle.core.when_model import PartOfDay
from passerelle.core.when_tokens import Line, Phrases, phrases_of, remembered

DAY_MINUTES = 1440

_NAMED = Phrases({
    "midi": 720, "midi et demi": 750, "midi et demie": 750, "midi et quart": 735, "noon": 720, "midday": 720,
    "minuit": DAY_MINUTES, "midnight": DAY_MINUTES,
})  # fmt: skip
_HOUR_WORDS = {"h", "heure", "heures", "hr", "hrs"}
_MINUTE_WORDS = {"min", "mn", "minutes"}
_SPOKEN_MINUTES = Phrases({
    "et demie": 30, "et demi": 30, "et quart": 15, "un quart": 15, "moins le quart": -15, "moins quart": -15,
    "trente": 30, "quinze": 15,
})  # fmt: skip
_HALF_DAYS = Phrases({"am": 0, "a.m.": 0, "a.m": 0, "pm": 12, "p.m.": 12, "p.m": 12})
_O_CLOCK = phrases_of("o'clock")

_PART_WORDS: dict[str, PartOfDay] = {
    "matin": "morning", "matins": "morning", "matinee": "morning", "mat": "morning", "morning": "morning",
    "apres-midi": "afternoon", "apres midi": "afternoon", "aprem": "afternoon", "afternoon": "afternoon",
    "soir": "evening", "soirs": "evening", "soiree": "evening", "evening": "evening", "night": "evening",
}  # fmt: skip
PARTS = Phrases(_PART_WORDS)
_BEFORE_PART = phrases_of(
    "le", "au", "du", "de", "de l'", "l'", "dans l'", "dans la", "en", "en fin de", "in the", "at", "the"
)
#: When a part of the day is over, in minutes.
PART_ENDS: dict[PartOfDay, int] = {"morning": 720, "afternoon": 1140, "evening": DAY_MINUTES}

#: What may stand before an hour and makes `8.30` one.
_HOUR_IS_NEAR = {"a", "at", "vers"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    #: Minutes from the beginning of the day, 0 to 1440.
    begins: int
    ends: int | None = None
    #: « 18h ou 19h »: it has to be asked which.
    other: int | None = None


def read_part(line: Line, place: int) -> tuple[PartOfDay, int] | None:
    """« matin », « du soir », « l'après-midi »."""
    before = _BEFORE_PART.end(line, place)
    return PARTS.read(line, place) or (PARTS.read(line, before) if before else None)


@remembered
def read_clock(line: Line, place: int) -> tuple[Clock, int] | None:
    """A time, or two: « 14h-17h », « de 14h à 16h », « entre 14 et 16h », « 9h du matin »."""
    found = _read_range(line, place)
    if found is None:
        found = _read_single(line, place)
    if found is None:
        return None
    clock, end = found
    part = read_part(line, end)
    # « 9h du matin », never « 9h matin » here: that would take the morning from « demain 9h matin » as well.
    if part is not None:
        placed = place_in_part(clock, part[0])
        if placed is not None:
            return placed, part[1]
    return clock, end


_OR = phrases_of("ou", "ou a", "or", "or at")
_ABOUT = {"precise", "precises", "pile", "environ", "sharp"}


def _read_single(line: Line, place: int) -> tuple[Clock, int] | None:
    single = read_time(line, place)
    if single is None:
        return None
    minutes, end = single
    if line.word(place) == "midi":
        exact = read_time(line, end + 1 if line.word(end) in ("a", "vers") else end)
        if exact is not None and 690 <= exact[0] < 900:
            return Clock(begins=exact[0]), exact[1]
    if line.word(end) in _ABOUT:
        return Clock(begins=minutes), end + 1
    after = _OR.end(line, end)
    other = None if after is None else read_time(line, after)
    return (Clock(begins=minutes), end) if other is None else (Clock(begins=minutes, other=other[0]), other[1])


def place_in_part(clock: Clock, part: PartOfDay) -> Clock | None:
    """« 8 h » in the evening is 20:00; None where it cannot be."""
    begins = _in_part(clock.begins, part)
    if begins is None:
        return None
    ends = clock.ends if clock.ends is None or clock.ends > begins else _in_part(clock.ends, part)
    other = None if clock.other is None else _in_part(clock.other, part)
    if (ends is None and clock.ends is not None) or (other is None and clock.other is not None):
        return None
    return Clock(begins=begins, ends=ends, other=other)


def _in_part(minutes: int, part: PartOfDay) -> int | None:
    noon = 720
    if part == "morning":
        return minutes if minutes <= noon else None
    if part == "afternoon":
        late = minutes + noon if 60 <= minutes < 8 * 60 else minutes
        return late if noon <= late <= 20 * 60 else None
    late = minutes + noon if 4 * 60 <= minutes < noon else minutes
    return late if late >= 16 * 60 else None


_RANGE_BEGINS = {"de": ("a", "-"), "entre": ("et",), "from": ("to", "-"), "between": ("and",)}
_BETWEEN = ("-", "a", "to", "/")
_UNTIL = phrases_of("jusqu'a", "jusque", "until", "till")


def _read_range(line: Line, place: int) -> tuple[Clock, int] | None:
    joins = _RANGE_BEGINS.get(line.word(place))
    start = place + 1 if joins is not None else place
    first = read_time(line, start)
    if first is None:
        return _read_short_range(line, start, joins or ("-",))
    after = _UNTIL.end(line, first[1])
    joined = line.word(first[1]) in (joins or _BETWEEN)
    if after is None and joined and not (joins is None and _is_noon_at(line, start)):
        after = first[1] + 1
    second = None if after is None else read_time(line, after)
    return None if second is None else (Clock(begins=first[0], ends=second[0]), second[1])


def _read_short_range(line: Line, place: int, joins: tuple[str, ...]) -> tuple[Clock, int] | None:
    """« 14-17h », « de 14 à 16h », « 2-4pm »: the second hour says that the first is one."""
    hour = line.digits(place)
    second = read_time(line, place + 2)
    if hour is None or hour > 24 or line.word(place + 1) not in joins or second is None:
        return None
    begins, ends = hour * 60, second[0]
    if begins < 720 <= ends and begins + 720 < ends and _says_half(line, place + 2, second[1]):
        begins += 720
    return (Clock(begins=begins, ends=ends), second[1]) if begins < ends else None


def _is_noon_at(line: Line, place: int) -> bool:
    """« midi à 13h » is one hour; « midi-14h » is two."""
    return line.word(place) == "midi" and line.word(place + 1) == "a"


def _says_half(line: Line, start: int, end: int) -> bool:
    return any(_HALF_DAYS.end(line, place) for place in range(start, end))


def read_time(line: Line, place: int) -> tuple[int, int] | None:
    """One time of day, in minutes."""
    named = _NAMED.read(line, place)
    if named is not None:
        return None if line.word(place - 1) in ("apres", "-") else named
    hour = line.digits(place)
    if hour is None or hour > 24 or len(line.word(place)) > 2:
        return None
    for reading in (_english, _with_colon, _with_h, _with_dot):
        found = reading(line, place, hour)
        if found is not None:
            return found if found[0] <= DAY_MINUTES else None
    return None


def _two_digits(line: Line, place: int) -> int | None:
    number = line.digits(place)
    return number if number is not None and number < 60 and len(line.word(place)) == 2 else None


def _english(line: Line, place: int, hour: int) -> tuple[int, int] | None:
    """9am, 6.30 pm, 6:30pm, 8 o'clock."""
    end, minutes = place + 1, 0
    if line.word(end) in (":", ".") and line.is_glued(end) and line.is_glued(end + 1):
        found = _two_digits(line, end + 1)
        if found is not None:
            end, minutes = end + 2, found
    half = _HALF_DAYS.read(line, end)
    if half is not None and 1 <= hour <= 12:
        return (hour % 12 + half[0]) * 60 + minutes, half[1]
    clock = _O_CLOCK.end(line, end)
    return None if clock is None or minutes else (hour * 60, clock)


def _with_colon(line: Line, place: int, hour: int) -> tuple[int, int] | None:
    minutes = _two_digits(line, place + 2)
    glued = line.is_glued(place + 1) and line.is_glued(place + 2)
    if line.word(place + 1) != ":" or minutes is None or not glued:
        return None
    end = place + 3
    if line.word(end) == ":" and line.is_glued(end) and _two_digits(line, end + 1) is not None:
        end += 2  # 18:30:00
    if line.word(end) == "h" and line.is_glued(end):
        end += 1
    return hour * 60 + minutes, end


def _with_h(line: Line, place: int, hour: int) -> tuple[int, int] | None:
    if line.word(place + 1) not in _HOUR_WORDS:
        return None
    end = place + 2
    if line.word(end) == "." and line.is_glued(end) and line.digits(end + 1) is not None:
        end += 1  # « 18 h. 30 »
    spoken = _SPOKEN_MINUTES.read(line, end)
    if spoken is not None:
        return hour * 60 + spoken[0], spoken[1]
    minutes = _two_digits(line, end)
    if minutes is None or not _are_minutes(line, place, end, minutes):
        return hour * 60, end
    end += 1
    if line.word(end) in _MINUTE_WORDS:
        end += 1
    return hour * 60 + minutes, end


def _are_minutes(line: Line, place: int, behind: int, minutes: int) -> bool:
    """Whether the two digits behind « 18h » belong to it, and are not the day of a date (« 18h 12/11 »)."""
    if line.is_glued(behind):
        return True
    if line.word(behind + 1) in ("/", ".", "-") and line.is_glued(behind + 1) and line.digits(behind + 2) is not None:
        return False
    spread = not line.is_glued(place + 1)
    return spread or minutes % 15 == 0


def _with_dot(line: Line, place: int, hour: int) -> tuple[int, int] | None:
    """« à 18.30 »: only behind a word that hours stand behind."""
    minutes = _two_digits(line, place + 2)
    glued = line.is_glued(place + 1) and line.is_glued(place + 2)
    if line.word(place + 1) != "." or minutes is None or not glued or line.word(place - 1) not in _HOUR_IS_NEAR:
        return None
    if line.word(place + 3) == "." and line.is_glued(place + 3) and line.is_glued(place + 4):
        return None  # 12.11.26
    return hour * 60 + minutes, place + 3
