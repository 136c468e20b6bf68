"""Words around a date: « pour le », « avant », « jusqu'au », « d'ici », « à partir de »; « au plus tard ». Pure."""

from passerelle.core.when_tokens import Line, Phrases, phrases_of

#: By then: what such a word introduces is when something is due, given back or over.
DEADLINES = phrases_of(
    "pour", "pour le", "pour la", "pour l'", "pour les", "pour dans", "avant", "avant le", "avant la", "avant les",
    "jusqu'au", "jusqu'a", "jusqu'a la", "jusqu'a l'", "jusqu'en", "jusque", "d'ici", "d'ici le", "d'ici la", "d'ici a",
    "d'ici au", "d'ici l'", "au plus tard", "au plus tard le", "au plus tard a", "until", "until the", "till", "by",
    "by the", "before", "before the", "no later than", "due", "due on",
)  # fmt: skip
#: On that day.
DAYS = phrases_of("le", "la", "les", "l'", "ce", "on", "on the", "the", "au")
#: At that hour, or from then on.
HOURS = phrases_of(
    "a", "au", "vers", "vers le", "des", "des le", "a partir de", "a partir du", "a partir d'", "a compter de",
    "a compter du", "at", "from", "around", "starting", "starting on", "aux alentours de", "aux alentours du",
    "pour a",
)  # fmt: skip
#: Behind a date: whether it says « by then ».
CLOSERS = Phrases({
    "au plus tard": True, "dernier delai": True, "delai de rigueur": True, "maximum": True, "max": True,
    "grand maximum": True, "at the latest": True, "latest": True,
    "inclus": False, "inclusive": False, "included": False,
})  # fmt: skip


def lead_ends(line: Line, place: int) -> list[int]:
    """Where what may introduce a date at `place` ends, the longest first."""
    return sorted({end for leads in (DEADLINES, DAYS, HOURS) for end in leads.ends(line, place)}, reverse=True)
