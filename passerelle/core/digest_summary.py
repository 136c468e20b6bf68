"""What a digest holds in a sentence, and how long it takes to read: before anybody decides to read it. Pure."""

from collections.abc import Iterable
from math import ceil

from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_items import Section
from passerelle.core.wording import Words

#: What asks for care; conversations and news are told below.
_COUNTED: tuple[Section, ...] = ("asked", "decisions", "actions", "questions", "meetings")
#: Words that somebody reads in a minute who takes their time (Brysbaert 2019 found 238 for prose read silently).
_WORDS_A_MINUTE = 200


def build_summary(chosen: Chosen, words: Words, texts: Iterable[str]) -> str:
    """« Deux choses pour vous, une décision et une question. Une minute de lecture. »

    Args:
        texts: all that is read of it.
    """
    numbers = {name: len(chosen.section(name)) + chosen.counted.get(name, 0) for name in _COUNTED}
    things = words.names(
        tuple(words.count(f"digest_count_{name}", number) for name, number in numbers.items() if number)
    )
    minutes = max(1, ceil(sum(len(text.split()) for text in texts) / _WORDS_A_MINUTE))
    reading = words.count("digest_minutes", minutes)
    told = [words("digest_summary", things=things)] if things else []
    return " ".join([*told, reading])
