"""What people offer to help with: how the bridge knows one offer from another, and how a list of them reads. Pure."""

from collections.abc import Iterable, Sequence

from passerelle.core.digest_model import Offer
from passerelle.core.folding import words_of
from passerelle.core.wording import Words

#: Of one person; who says more of them is told nothing less, the oldest go first.
MOST_OFFERS = 12


def is_same_offer(one: str, other: str) -> bool:
    """Whether two texts offer the same, accents, capitals and punctuation apart."""
    return words_of(one) == words_of(other)


def find_ended(offers: Sequence[Offer], text: str) -> list[Offer]:
    """Which offers somebody ends by `text`: the same; else those that hold all of its words; all of them for none.

    « je ne peux plus aider pour : vélo » ends « réparer un vélo ».
    """
    wanted = set(words_of(text))
    if not wanted:
        return list(offers)
    same = [offer for offer in offers if is_same_offer(offer.text, text)]
    return same or [offer for offer in offers if wanted <= set(words_of(offer.text))]


def offers_in_words(offers: Iterable[tuple[str, str]], words: Words) -> str:
    """« écrivain public (Léa) ; vélo (Karim) » of texts and names."""
    return " ; ".join(f"{text} ({name})" if name else text for text, name in offers) or words("offers_none")
