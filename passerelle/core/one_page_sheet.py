"""The one page on paper: everybody may read it, so it names nobody who did not agree, and reaches nobody. Pure.

A line whose words name somebody who did not agree is not printed; it is counted with the rest, and stands on the page.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from passerelle.core.first_names import first_name
from passerelle.core.folding import fold, words_of
from passerelle.core.one_page import OnePage, PageLine, PageSection, PageWay, SectionKey
from passerelle.core.register_model import NamedPerson
from passerelle.core.said_names import TITLES
from passerelle.core.wording import Words

_WORD = re.compile(r"[^\W\d_]+")
#: Small words of names, folded: they name nobody.
_PARTICLES = frozenset(words_of("de du des la le les van von der den ben bin el al di et ou"))


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetLine:
    text: str
    #: Behind the text, softer: when, where, what is to be done about it.
    about: str = ""
    #: « Léa et 2 autres », « une personne »; "" where nothing is said.
    who: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetSection:
    key: SectionKey
    title: str
    lines: tuple[SheetLine, ...]
    #: How many more there are that are not on the sheet.
    more: int
    #: In words; the sheet says the right one of them where it is cut further: `more_words[n]` for `n` more.
    more_words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    association: str
    day: str
    sections: tuple[SheetSection, ...]
    ways: tuple[PageWay, ...]
    url: str


# ------------------------------------------------------------ names


class KnownNames:
    """Words that name somebody who did not agree to be named.

    `public`: texts whose words are no names, whoever is called so: what the association itself is called.
    """

    def __init__(self, known: Iterable[NamedPerson], consenting: frozenset[int], public: Iterable[str] = ()) -> None:
        #: Folded. The first names are known however they are written; of the others « petit » is a word, « Petit » not.
        self._anyhow: set[str] = set()
        self._capital: set[str] = set()
        agreed: set[str] = set()
        for person in known:
            first = _pieces(first_name(person.name))
            others = _pieces(person.name) - first
            self._capital |= others
            if person.person_id in consenting:
                agreed |= first
            else:
                self._anyhow |= first
        # « Léa » who agreed is not told from « Léa » who did not.
        self._capital -= agreed - self._anyhow
        for text in public:
            self._anyhow -= _pieces(text)
            self._capital -= _pieces(text)

    def stand_in(self, text: str) -> bool:
        """Whether `text` names one of them."""
        # What is not seen parts no word.
        seen = "".join(character for character in text if unicodedata.category(character) != "Cf")
        for found in _WORD.findall(seen):
            folded = fold(found)
            if folded in self._anyhow or (folded in self._capital and not found[0].islower()):
                return True
        return False


def _pieces(name: str) -> set[str]:
    """The folded words of a name, without titles and small words; a single letter names nobody."""
    folded = {fold(piece) for piece in _WORD.findall(name)}
    return {one for one in folded if len(one) > 1 and one not in TITLES and one not in _PARTICLES}


# ------------------------------------------------------------ the sheet


def build_sheet(page: OnePage, words: Words) -> Sheet:
    """The page as it may hang on a wall."""
    names = known_names(page)
    sections = []
    for section in page.sections:
        lines = [line for line in (_printed(one, names, section.key, page, words) for one in section.lines) if line]
        more = section.more + len(section.lines) - len(lines)
        if lines or more:
            sections.append(_section(section, tuple(lines), more, words))
    return Sheet(
        association=page.association, day=page.day, sections=tuple(sections), ways=page.ways, url=page.url
    )  # fmt: skip


def _section(section: PageSection, lines: tuple[SheetLine, ...], more: int, words: Words) -> SheetSection:
    if not lines:
        return SheetSection(
            key=section.key, title=words(f"now_{section.key}"), lines=(), more=more,
            more_words=(words("now_more_only"),),
        )  # fmt: skip
    counted = range(more, more + len(lines) + 1)
    return SheetSection(
        key=section.key,
        title=words(f"now_{section.key}"),
        lines=lines,
        more=more,
        more_words=tuple(words.count("now_more", number) if number else "" for number in counted),
    )


def known_names(page: OnePage) -> KnownNames:
    """The names that must not stand on paper: of everyone known, and of whom the page itself names."""
    named = [person for section in page.sections for line in section.lines for person in line.people]
    public = [page.association, *(way.title for way in page.ways)]
    return KnownNames([*page.known, *named], page.consenting, public)


def _printed(line: PageLine, names: KnownNames, key: SectionKey, page: OnePage, words: Words) -> SheetLine | None:
    masked = words("masked_address")
    text = line.instead if names.stand_in(line.text) or masked in line.text else line.text
    if not text or names.stand_in(text):
        return None
    hidden_place = bool(line.place) and (names.stand_in(line.place) or masked in line.place)
    place = words("now_place_on_page") if hidden_place else line.place
    about = ", ".join(part for part in (line.when, place, line.note) if part and not names.stand_in(part))
    return SheetLine(text=text, about=about, who=_who(line.people, key, page.consenting, words))


def _who(people: tuple[NamedPerson, ...], key: SectionKey, consenting: frozenset[int], words: Words) -> str:
    """First names of who agreed; the others are counted, but of who offers something: they are found on the list."""
    named = tuple(
        dict.fromkeys(
            first for one in people if one.person_id in consenting and (first := first_name(one.name))
        )
    )  # fmt: skip
    rest = sum(1 for one in people if one.person_id not in consenting or not first_name(one.name))
    if not rest:
        return words.names(named)
    if named:
        return words.count("names_and_others", rest, names=", ".join(named))
    return words.count("now_persons", rest) if key != "offers" else ""
