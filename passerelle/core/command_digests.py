"""Commands about one's digest: how often, a pause, no more. Pure.

« pause » alone in the room is a meeting's; with a duration it is the digest's, and by mail it always is.
"""

import re
from collections.abc import Callable, Mapping

from passerelle.core.command_arguments import Arguments, DigestArguments, DigestPauseArguments
from passerelle.core.command_reading import Asked, read_nothing
from passerelle.core.digest_wishes import Wish, parse_wish
from passerelle.core.spoken_words import plain
from passerelle.core.when import find_when

#: « pendant 2 semaines ».
_FOR = re.compile(r"^(?:pendant|durant|pour|for)\s+", re.IGNORECASE)
_WHOLE = frozenset({"tout en un", "all in one"})


def read_digest(asked: Asked) -> Arguments:
    """« hebdomadaire », « lundi et jeudi », « tout en un »; nothing: what there is."""
    if plain(asked.head.word) in _WHOLE and not asked.rest:
        return DigestArguments(wish=Wish(whole=True))
    if not asked.rest:
        return DigestArguments(wish=None)
    wish = parse_wish(asked.rest if plain(asked.head.word) not in _WHOLE else f"{asked.head.word} {asked.rest}")
    if wish is None:
        asked.problem("digest_unclear", words=asked.rest[:60])
    return DigestArguments(wish=wish)


def read_digest_pause(asked: Asked) -> Arguments:
    """« 2 semaines », « jusqu'au 3 mars »."""
    rest = _FOR.sub("", asked.rest)
    for text in (rest, f"dans {rest}", f"in {rest}"):
        found = find_when(text, now=asked.now, zone=asked.zone) if rest else None
        if found is not None and found.when is not None:
            return DigestPauseArguments(until=found.when.day)
    asked.problem("pause_unclear", asked.in_language("2 semaines", "2 weeks"))


DIGEST_READERS: Mapping[str, Callable[[Asked], Arguments]] = {
    "digest": read_digest,
    "digest_pause": read_digest_pause,
    "digest_resume": read_nothing,
    "digest_stop": read_nothing,
}
