"""Words of the grammar as people spell them: accents, capitals, inclusive endings, hyphens and apostrophes. Pure."""

import re

from passerelle.core.folding import fold, words_of

#: « présent·e·s », « présent.e.s », « présent-e », « présent/e », « présent(e)s », « décision(s) », folded.
_INCLUSIVE = re.compile(
    r"(?<=[a-z])(?:[·.\-•‧∙⋅/](?:es?(?:[·.\-•‧∙⋅/]s)?|s)|\(e\)(?:\(s\))?|\(es\)|\(s\))(?=s?(?:[^a-z0-9@]|$))"
)
_HYPHENS = re.compile(r"[-‐‑–—_]")
#: What ends no word and means nothing at the end of what was said.
_PUNCTUATION = re.compile(r"[^\w\s'@#/%+|]")


def plain(text: str) -> str:
    """`text` as words of the grammar are compared: folded, masculine, without hyphens, one space between words.

    « Présent·e·s » and « Présents » are one; so are « compte-rendu » and « Compte rendu ». Feminine forms that are
    spelt out (« présente ») stay what they are. Other punctuation stays.
    """
    folded = _INCLUSIVE.sub(_masculine, fold(text))
    return " ".join(_HYPHENS.sub(" ", folded).split())


def bare_words(text: str) -> str:
    """`plain(text)` without punctuation: « Oui, merci ! » is « oui merci ». Apostrophes and digits stay."""
    return " ".join(_PUNCTUATION.sub(" ", plain(text)).split())


def _masculine(ending: re.Match[str]) -> str:
    """The plural's `s` of an inclusive ending, where it stands in it."""
    return "s" if ending.group().rstrip(")").endswith("s") and ending.string[ending.start() - 1] != "s" else ""


#: What may stand between and before numbers: « la 12 et la 14 », « n° 12 ».
_AROUND_NUMBERS = frozenset((*words_of("et and ou le la les n no numero numeros number numbers nos puis"), "l'", "#"))
#: Of entries, meetings and reminders: longer numbers are telephones.
_NUMBER = re.compile(r"#?(\d{1,6})")
_MOST_NUMBERS = 40


def numbers_in(text: str) -> tuple[int, ...]:
    """The numbers of a text that is nothing but numbers: « 12 et 14 », « n° 7 », « #7, #9 »; else ()."""
    words = bare_words(text[:400].replace("°", " ")).split()
    found = [(_NUMBER.fullmatch(word), word) for word in words[:_MOST_NUMBERS]]
    if not all(number or word in _AROUND_NUMBERS for number, word in found):
        return ()
    return tuple(dict.fromkeys(int(number[1]) for number, _ in found if number))
