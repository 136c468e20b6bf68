"""The command about one's first name on the printed page. Pure."""

from collections.abc import Callable, Mapping

from passerelle.core.command_arguments import Arguments, ConsentArguments
from passerelle.core.command_reading import Asked, read_nothing
from passerelle.core.polite_words import without_thanks
from passerelle.core.spoken_words import plain

_YES = frozenset({"oui", "ok", "d'accord", "je suis d'accord", "j'accepte", "yes", "i agree"})
_NO = frozenset({"non", "plus", "retirer", "retire", "retirez", "je refuse", "je n'accepte pas", "no", "remove"})


def parse_yes_or_no(text: str) -> bool | None:
    """Whether « oui » or « non » was said; None for anything else."""
    said = plain(without_thanks(text).strip(" .,!"))
    return True if said in _YES else False if said in _NO else None


def read_first_name(asked: Asked) -> Arguments:
    """« oui », « non »; nothing: what holds now."""
    if not asked.rest.strip(" ?"):
        return ConsentArguments(given=None)
    given = parse_yes_or_no(asked.rest)
    if given is None:
        asked.problem("yes_or_no", asked.in_language(": oui", ": yes"))
    return ConsentArguments(given=given)


CONSENT_READERS: Mapping[str, Callable[[Asked], Arguments]] = {
    "first_name": read_first_name,
    "offers": read_nothing,
}
