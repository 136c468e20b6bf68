"""Names of persons inside what was said: « @Léa et @Karim », « Mme Haddad », « Léa, Karim et Paul ». Pure.

Who that is, is found elsewhere: here a name is what looks like one, or what the caller knows as one.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from passerelle.core.folding import fold, words_of

#: Longer "names" are sentences.
_LONGEST = 60
_MOST_WORDS = 5
#: Folded; with their point or without.
TITLES = frozenset({"m", "mr", "mme", "mlle", "mm", "mmes", "dr", "me", "pr", "mrs", "ms", "madame", "monsieur"})
_PARTICLES = frozenset({"de", "du", "des", "d", "la", "le", "van", "von", "der", "den", "ben", "bin", "el", "al", "di"})
#: Words that no list of names has, folded; most begin sentences.
_NO_NAMES = frozenset(
    words_of(
        """je j tu il elle on nous vous ils elles ce c ca cela ceci moi toi lui eux qui que quoi dont ou tout tous toute
        toutes chacun chacune personne quelqu rien un une le la les l des du de d au aux et a en y ne n pas plus non oui
        mais mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs si sans avec pour par dans sur sous chez
        est sont etait etaient sera seront serai ai as avons avez ont suis voici voila bonjour bonsoir salut merci bon
        bonne belle bien cordialement bises amities amicalement
        the this that they we you he she it i a an and or of to for with by is are was will be not no yes hello thanks
        lundi mardi mercredi jeudi vendredi samedi dimanche demain hier aujourd"""
    )
) | {"quelqu'un", "quelqu'une", "d'autres", "l'un", "l'une"}
_WORD = re.compile(r"[^\W\d_]+(?:['’.\-·][^\W\d_]+)*\.?")
_SEPARATOR = re.compile(r"\s*[,;&/+\n]\s*(?:(?:et|and|ainsi que)\s+)?|\s+(?:et|and|ainsi que|puis)\s+", re.IGNORECASE)
_MENTION = re.compile(
    # As some clients write a pill in the plain text.
    r"@?\[(?P<shown>[^\[\]\n]{1,60})\]\(https://matrix\.to/#/(?:@|%40)[^()\s]{1,300}\)"
    # A Matrix ID stays one: whose it is, the caller knows.
    r"|(?<![\w@.])(?P<id>@[\w.=/+\-]+:[\w.\-]+\w)"
    r"|(?<![\w@.])@(?P<name>(?:(?:M|MM|Mr|Mme|Mmes|Mlle|Dr|Me|Mrs|Ms)\.?\s+)?[^\W\d_][\w'’\-]*)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A person's name where it stands: `text[start:end]` holds it with its `@`, if it has one."""

    start: int
    end: int
    name: str
    has_at: bool = True


def is_name(text: str) -> bool:
    """Whether `text` looks like one person's name: a few words, no small word of a sentence among them.

    « Léa », « léa », « Mme Haddad », « Jean-Pierre de La Tour »; not « tout le monde », « je viens », « 12 personnes ».
    """
    text = text.strip()
    if not 0 < len(text) <= _LONGEST:
        return False
    parts = text.split()
    if len(parts) > _MOST_WORDS or not all(_WORD.fullmatch(part) for part in parts):
        return False
    if parts[0][0].isupper() and len(parts) > 1:
        ends_well = parts[-1][0].isupper() and all(map(_is_part_of_name, parts[1:]))
        return ends_well and fold(parts[0]) not in _NO_NAMES
    folded = [fold(part).rstrip(".") for part in parts]
    return len(parts) <= 2 and not _NO_NAMES.intersection(folded) and folded[-1] not in TITLES


def is_proper_name(text: str) -> bool:
    """As `is_name`, with a capital at its beginning, or a title."""
    first = text.strip().split(maxsplit=1)[:1]
    return bool(first) and (first[0][0].isupper() or fold(first[0]).rstrip(".") in TITLES) and is_name(text)


def names_in(text: str) -> tuple[str, ...]:
    """The parts of an enumeration: « Léa, @Karim et Paul » is three, without their `@`. Nothing is judged."""
    parts = (part.strip(" \t.–—-*_@:()") for part in _SEPARATOR.split(text[:2000]))
    return tuple(dict.fromkeys(part for part in parts if part))


def mentions_in(text: str, known: Collection[str] = ()) -> list[Mention]:
    """The names written with `@`, in their order; of a known name all of its words (`@Léa Martin`)."""
    names = sorted(known, key=len, reverse=True)
    return [_widened(text, found, names) for found in _MENTION.finditer(text)]


def known_at(text: str, position: int, known: Collection[str]) -> Mention | None:
    """The known name that begins at `position` of `text` without `@`, the longest one; its first name is enough."""
    if not known or (position and (text[position - 1].isalnum() or text[position - 1] in "@'’-")):
        return None
    for name in _spellings(known):
        end = position + len(name)
        if fold(text[position:end]) == fold(name) and not text[end : end + 1].isalnum() and text[end : end + 1] != "-":
            return Mention(start=position, end=end, name=text[position:end], has_at=False)
    return None


def _widened(text: str, found: re.Match[str], known: list[str]) -> Mention:
    if found["name"] is None:
        return Mention(start=found.start(), end=found.end(), name=(found["shown"] or found["id"]).strip())
    start = found.start("name")
    for name in known:
        end = start + len(name)
        if fold(text[start:end]) == fold(name) and not text[end : end + 1].isalnum():
            return Mention(start=found.start(), end=end, name=text[start:end])
    return Mention(start=found.start(), end=found.end(), name=" ".join(found["name"].split()))


def _spellings(known: Collection[str]) -> Iterator[str]:
    """Whole names and first names, the longest first."""
    firsts = (name.split()[0] for name in known if name.split() and fold(name.split()[0]).rstrip(".") not in TITLES)
    yield from sorted({*known, *firsts} - {""}, key=lambda name: (-len(name), name))


def _is_part_of_name(word: str) -> bool:
    return word[0].isupper() or fold(word).split("'")[0] in _PARTICLES
