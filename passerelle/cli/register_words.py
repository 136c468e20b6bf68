"""What an administrator may call kinds and states of the register, and how its days are said. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

import typer

from passerelle.core.folding import fold
from passerelle.core.register_moves import FIRST_STATES, MOVES
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.wording import Language, Words
from passerelle.i18n import _
from passerelle.render import load_words

#: The states of each kind that every register has.
STATES = {
    kind: tuple(dict.fromkeys((first, *(state for m in MOVES if m.kind == kind for state in (*m.before, m.after)))))
    for kind, first in FIRST_STATES.items()
}
_LANGUAGES: tuple[Language, ...] = ("en", "fr")


def kind_called(name: str, kinds: Sequence[KindSettings]) -> str:
    """The kind of that name, as the register has it (`loan`) or in words (« prêt »). Raises typer.BadParameter.

    Args:
        kinds: the configured ones.
    """
    called = {kind: [kind, *(load_words(language)(f"kind_{kind}") for language in _LANGUAGES)] for kind in STATES}
    called |= {kind.name: [kind.name, *kind.words] for kind in kinds}
    found = next((kind for kind, names in called.items() if _is_one(name, names)), None)
    if found is None:
        raise typer.BadParameter(
            _("there is no kind {name}; there is {all}").format(name=name, all=", ".join(called))
        )  # fmt: skip
    return found


def state_called(name: str, of: Sequence[str], kinds: Sequence[KindSettings]) -> tuple[str, ...]:
    """The states of that name in the kinds `of`, in any where none is given. Raises typer.BadParameter.

    A word may mean several: « abandonnée » of a decision and of an action.
    """
    own = {kind.name: kind.states for kind in kinds}
    among = {kind: states for kind, states in (STATES | own).items() if not of or kind in of}
    found = {state for kind, states in among.items() for state in states if _is_one(name, _called(kind, state))}
    if not found:
        every = dict.fromkeys(state for states in among.values() for state in states)
        raise typer.BadParameter(
            _("there is no state {name}; there is {all}").format(name=name, all=", ".join(every))
        )  # fmt: skip
    return tuple(sorted(found))


def _called(kind: str, state: str) -> Iterable[str]:
    yield state
    if kind in FIRST_STATES:
        for language in _LANGUAGES:
            yield load_words(language)(f"state_{kind}_{state}")


def _is_one(name: str, names: Iterable[str]) -> bool:
    return fold(name).strip() in {fold(one) for one in names}


def day_and_clock(day: date | None, clock: time | None, words: Words) -> str:
    """« 12 novembre 2026 à 18 h 30 », without a time the day alone; "" for no day."""
    if day is None:
        return ""
    if clock is None:
        return words.calendar_day(day, weekday=False, year=True)
    return words.moment(datetime.combine(day, clock, words.zone), year=True)
