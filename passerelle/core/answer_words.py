"""What one clause answers, whoever it is for. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from passerelle.core.answer_model import Answer
from passerelle.core.answer_table import ANSWERS, CHOICES, OF_OTHERS, TAILS, TOGETHER, AnswerRow, Said
from passerelle.core.phrases import Phrases, part_of
from passerelle.core.polite_words import without_fillers
from passerelle.core.register_line_words import kind_of_word
from passerelle.core.said_names import is_proper_name, mentions_in, names_in
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.spoken_words import bare_words, numbers_in, plain

#: No clause that answers has more words.
_MOST_WORDS = 40
_MOST_NAME_WORDS = 8
_MOST_TAIL_WORDS = 5
_MOST_TAILS = 5

#: « c'est une décision », « ceci est une action pour Léa ».
_ITS_A = re.compile(
    r"\s*(?:c['’]est|ceci est|cela est|il s['’]agit d['’]|voilà|c['’]était|this is|that is|that['’]s|it['’]s"
    r"|à noter comme|noter comme|notez comme|à (?:mettre|inscrire))"
    r"\s*(?:aussi\s+|bien\s+|also\s+)?(?:une?|an|a|pour)?\s+(?P<rest>\S.{0,300})",
    re.IGNORECASE,
)
#: Kinds of which nobody says « c'est une idée » without meaning to have it noted.
_SAID_OF = frozenset({"decision", "action", "info", "agenda", "loan", "booking"})
#: « j'viens »
_FAMILIAR = re.compile(r"\bj'(?=[bcdfgjklmnpqrstvwxz])")
_NO_DAY = re.compile(r"[€$%£]")
#: Signs that are answers by themselves; of whatever colour of skin.
_AROUND_SIGNS = " .!\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_SIGNS = {sign: Answer(kind="yes", rsvp="yes", says_yes=True) for sign in "👍👌✅✔🆗"} | {
    sign: Answer(kind="no", rsvp="no", says_yes=False) for sign in "👎❌✖"
}
_FOR_OTHERS = re.compile(
    r"(?P<what>.{1,120}?)\s(?P<how>pour|de la part de|de la part d['’]|au nom de|de|avec|for|from|with)\s*"
    r"(?P<names>[^\W\d_].{0,80})",
    re.IGNORECASE,
)
_FOR_WHOM = re.compile(r"(?:pour|à|for|to)\s+(?=\S)", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}")
_AND_ME = re.compile(r"\s+(?:et|and|&)\s+(?:moi(?:-même)?|me|I)$|^(?:moi|me)\s+(?:et|and|&)\s+", re.IGNORECASE)


def read_clause(text: str, *, is_first: bool, kinds: Sequence[KindSettings] = ()) -> Answer | None:
    """What a whole clause answers; None where it answers nothing, or says more than an answer.

    Args:
        is_first: nothing was said before it but what is polite: single words count only there.
    """
    if not 0 < len(text.split()) <= _MOST_WORDS:
        return None
    sign = _SIGNS.get(text.strip(_AROUND_SIGNS))
    if sign is not None:
        return replace(sign) if is_first else None
    bare = _FAMILIAR.sub("je ", bare_words(text))
    words = without_fillers(bare)
    return (
        _by_rows(text, bare, is_first=is_first)
        or (_by_rows(text, words, is_first=is_first) if words != bare else None)
        or (_choice(text, words) if is_first else None)
        or (_state(bare, kinds) if is_first else None)
        or (_of_others(text) if text.lstrip("( ")[:1].isupper() else None)
        or _for_others(text, is_first=is_first)
        or _its_a(text, kinds)
    )


def _by_rows(text: str, words: str, *, is_first: bool) -> Answer | None:
    """By the phrases of the table; « avec plaisir » or « jeudi soir » at its end changes nothing."""
    for shorter in _without_tails(words):
        for row in ANSWERS:
            for ways in row.ways:
                found = ways.phrases.match(shorter) if is_first or not ways.first_only else None
                if found:
                    answer = _of_row(row, found, words[len(shorter) :].strip())
                    answer = replace(answer, reason=text.strip()) if part_of(found, "rest") else answer
                    return replace(answer, counts_both=ways.counts_both or answer.counts_both)
    return None


def _of_row(row: AnswerRow, found: re.Match[str], tail: str) -> Answer:
    answer = Answer(
        kind=row.kind,
        rsvp=row.rsvp,
        says_yes=row.says_yes,
        numbers=_numbers(part_of(found, "n")),
        counts_both=row.rsvp is not None and _says_both(tail),
    )
    # « oui, le 12 »
    chosen = _choice(tail, tail) if row.says_yes is not None else None
    return answer if chosen is None else replace(answer, choice=chosen.choice, choice_number=chosen.choice_number)


def _says_both(tail: str) -> bool:
    return any(words in tail for words in ("les deux", "tous deux", "toutes deux", "a deux", "ensemble"))


def _numbers(words: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(word.lstrip("#")) for word in words.split() if word.lstrip("#").isdecimal()))


def _without_tails(words: str) -> list[str]:
    """`words`, then without what was taken off its end, piece by piece."""
    found = [words]
    for _ in range(_MOST_TAILS):
        parts = words.split()
        size = next(
            (n for n in range(min(_MOST_TAIL_WORDS, len(parts) - 1), 0, -1) if TAILS.match(" ".join(parts[-n:]))), 0
        )
        if not size:
            break
        words = " ".join(parts[:-size])
        found.append(words)
    return found


def _choice(text: str, words: str) -> Answer | None:
    if not CHOICES.match(words) or _NO_DAY.search(text):
        return None
    number = _NUMBER.search(words)
    return Answer(
        kind="choice", choice=" ".join(text.split()).strip(" .!"), choice_number=int(number.group()) if number else None
    )


def _state(words: str, kinds: Sequence[KindSettings]) -> Answer | None:
    """« acceptée », « c'est accepté », « 12 refusée », of configured kinds; the ending does not count."""
    parts = words.removeprefix("c'est ").removeprefix("demande ").split()
    said = " ".join(part for part in parts if not part.lstrip("#").isdecimal())
    numbers = numbers_in(" ".join(part for part in parts if part.lstrip("#").isdecimal()))
    matching = [(kind.name, state) for kind in kinds for state in kind.states if said in _endings(plain(state))]
    if not said or not matching:
        return None
    kinds_of = tuple(name for name, state in matching if state == matching[0][1])
    return Answer(kind="state", state=matching[0][1], state_kinds=kinds_of, numbers=numbers)


def _endings(word: str) -> set[str]:
    """A word in both genders and numbers: « acceptée », « acceptés »."""
    return {stem + ending for stem in (word, word.removesuffix("e")) for ending in ("", "e", "s", "es")}


def _of_others(text: str) -> Answer | None:
    """« Mme Haddad viendra », « Annie et moi ne pourrons pas »: names begin with a capital."""
    tokens = text.split()
    for count in range(min(_MOST_NAME_WORDS, len(tokens) - 1), 0, -1):
        who = " ".join(tokens[:count])
        others = _AND_ME.sub("", who)
        names = tuple(names_in(others))
        if not names or not all(map(is_proper_name, names)):
            continue
        together = others != who
        found, has_reason = _said_of(bare_words(" ".join(tokens[count:])), TOGETHER if together else OF_OTHERS)
        if found == "objection":
            reason = text.strip() if has_reason else ""
            return Answer(kind="objection", said_for=names, for_self=together, reason=reason)
        if found is not None:
            return Answer(kind="rsvp", rsvp=found, said_for=names, for_self=together)
    return None


def _said_of(words: str, table: Mapping[Said, Phrases]) -> tuple[Said | None, bool]:
    """What is said, and whether the phrase goes on: « s'oppose à cette dépense »."""
    for shorter in _without_tails(words):
        for said, ways in table.items():
            found = ways.match(shorter)
            if found:
                return said, bool(part_of(found, "rest"))
    return None, False


def _for_others(text: str, *, is_first: bool) -> Answer | None:
    """« oui pour Mme Haddad », « objection de la part de Mme Haddad », « je viens avec Annie »."""
    found = _FOR_OTHERS.fullmatch(text.strip())
    names = names_in(found["names"]) if found else ()
    if found is None or not names or not all(map(is_proper_name, names)):
        return None
    answer = _by_rows(found["what"], without_fillers(bare_words(found["what"])), is_first=is_first)
    along = found["how"].lower() in ("avec", "with")
    if answer is None or answer.kind not in (("rsvp",) if along else ("yes", "no", "objection")):
        return None
    return replace(answer, said_for=names, for_self=along) if not along or answer.rsvp == "yes" else None


def _its_a(text: str, kinds: Sequence[KindSettings]) -> Answer | None:
    """« c'est une action pour @Léa avant le 12/11 »; what stands behind the names is `detail`."""
    found = _ITS_A.fullmatch(text)
    if not found:
        return None
    tokens = found["rest"].split()
    for count in range(min(5, len(tokens)), 0, -1):
        kind = kind_of_word(" ".join(tokens[:count]).strip(" .,:!"), kinds)
        if kind in _SAID_OF or any(kind == own.name for own in kinds):
            return _with_names(str(kind), " ".join(tokens[count:]).strip(" .,:!"))
    return None


def _with_names(kind: str, rest: str) -> Answer | None:
    mentioned = mentions_in(rest)
    whom = _FOR_WHOM.match(rest)
    if mentioned:
        end = mentioned[-1].end
        return Answer(
            kind="its_a", entry_kind=kind, names=tuple(m.name for m in mentioned), detail=rest[end:].strip(" ,:")
        )
    if whom:
        tokens = rest[whom.end() :].split()
        for count in range(min(_MOST_NAME_WORDS, len(tokens)), 0, -1):
            names = names_in(" ".join(tokens[:count]))
            if names and all(map(is_proper_name, names)):
                return Answer(kind="its_a", entry_kind=kind, names=names, detail=" ".join(tokens[count:]))
        return Answer(kind="its_a", entry_kind=kind, detail=rest)
    # « c'est une décision difficile » says something else.
    return Answer(kind="its_a", entry_kind=kind) if not rest else None
