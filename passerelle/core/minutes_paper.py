"""Minutes as they are printed: anyone may find a sheet of paper (PEOPLE 9). Pure."""

from dataclasses import replace

from passerelle.core.minutes_model import Minutes


def for_paper(minutes: Minutes) -> Minutes:
    """The minutes as they are printed: who is absent without a word is not held up to anybody.

    Present, represented and excused are what an assembly has to prove (PEOPLE 16).
    """
    return replace(minutes, presence=replace(minutes.presence, absent=(), absent_count=0))
