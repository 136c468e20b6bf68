"""The days of the year that France calls by a name. Pure."""

from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter

from passerelle.core.when_tokens import Phrases


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _from_easter(days: int) -> Callable[[int], date]:
    return lambda year: easter(year) + timedelta(days=days)


#: Names without their articles.
_DAYS: tuple[tuple[Callable[[int], date], str], ...] = (
    (_fixed(1, 1), "jour de l'an,premier de l'an,nouvel an,new year's day,new year"),
    (_fixed(1, 6), "epiphanie"),
    (_fixed(2, 2), "chandeleur"),
    (_fixed(2, 14), "saint-valentin,saint valentin,st valentin,st-valentin,valentine's day"),
    (_from_easter(-47), "mardi gras,mardi-gras"),
    (_from_easter(-7), "dimanche des rameaux,rameaux"),
    (_from_easter(-2), "vendredi saint,good friday"),
    (_from_easter(0), "paques,dimanche de paques,easter,easter sunday"),
    (_from_easter(1), "lundi de paques,easter monday"),
    (_fixed(5, 1), "fete du travail"),
    (_from_easter(39), "ascension,jeudi de l'ascension"),
    (_from_easter(49), "pentecote,dimanche de pentecote"),
    (_from_easter(50), "lundi de pentecote"),
    (_fixed(6, 21), "fete de la musique"),
    (_fixed(7, 14), "fete nationale"),
    (_fixed(8, 15), "assomption"),
    (_fixed(11, 1), "toussaint"),
    (_fixed(11, 11), "armistice"),
    (_fixed(12, 25), "noel,christmas,christmas day"),
    (_fixed(12, 24), "christmas eve,reveillon de noel"),
    (_fixed(12, 31), "saint-sylvestre,saint sylvestre,st sylvestre,reveillon du nouvel an,new year's eve"),
)

#: Which day of a given year each name means.
HOLIDAYS = Phrases({name: day_of for day_of, names in _DAYS for name in names.split(",")})
