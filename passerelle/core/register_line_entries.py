"""What a line says for the register: decisions, actions, loans, bookings, counts and the rest. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from passerelle.core.folding import fold
from passerelle.core.register_line_cutting import Item
from passerelle.core.register_line_notes import EntryNote, ReturnNote
from passerelle.core.register_line_parts import (
    Said,
    Setting,
    says_something,
    take_due,
    take_names,
    take_other_names,
    take_said_for,
    take_tag,
    tidied,
    without_at,
)
from passerelle.core.said_names import is_proper_name, known_at, mentions_in, names_in
from passerelle.core.spoken_words import numbers_in

#: More is not read: an entry's words are cut sooner.
_LONGEST = 1200
#: « … à Karim », « … to Karim », « … à la mairie », up to a comma or the end.
_TO = re.compile(r"\s(?:à|chez|to)\s+(?=(?P<who>[^\s,;():][^,;():]{0,60}))", re.IGNORECASE)
_TO_A_PLACE = re.compile(r"\s(?=(?P<who>(?:à la|à l['’]|aux?|to the)\s*[^\s,;():][^,;():]{0,40}))", re.IGNORECASE)
_FOR = re.compile(r"\s(?:pour|par|for|by)\s+(?=(?P<who>[^\s,;():][^,;():]{0,60}))", re.IGNORECASE)
_PREPOSITION = re.compile(r"(?:à|au)\s+(?=la\b|l\b|x\b)?|to\s+", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:(?:le|la|les|un|une|des|du|the|a|an)\s+|l['’])(?=\S)", re.IGNORECASE)

_ABOUT = {
    "dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30, "quarantaine": 40,
    "cinquantaine": 50, "soixantaine": 60, "centaine": 100,
}  # fmt: skip
_PERSONS = (
    r"(?:personnes?|pers|adultes?|enfants?|ados?|adolescent\w*|jeunes?|femmes?|hommes?|familles?|participant\w*"
    r"|visiteu\w*|usager\w*|adherent\w*|habitant\w*|seniors?|aines?|benevoles?|presents?|people|persons?|adults?"
    r"|children|visitors?|attendees|kids|women|men)\b\.?"
)
#: On folded text.
_COUNTED = re.compile(
    rf"(?P<number>\d{{1,6}})\s+{_PERSONS}|(?:une?\s+)?(?P<about>{'|'.join(_ABOUT)})(?:\s+de\s+{_PERSONS})?"
)
#: « Retour : la mairie dit oui » tells something.
_TELLS = re.compile(
    r"\b(?:dit|dis|est|sont|etait|a|ont|va|vont|sera|seront|on|je|j'|nous|il|elle|ils|c'est|is|was|we|i)\b"
)
#: Fields of reports on delivery (RFC 3464 §2.3.3) and of alarms (RFC 5545 §3.8.6.1) that somebody pasted.
_OF_PROGRAMS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded", "display", "audio", "email"})
_CLOCK = re.compile(r"(?:à\s+|vers\s+)?\d{1,2}\s?(?:h|:)\s?(?:\d{2})?\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d/:.,])\d{1,6}(?![\d/:.]|\s?h\b|,\d)")


def read_entry(item: Item, setting: Setting) -> EntryNote | ReturnNote | None:
    """The entry that an item notes; None where nothing is left to note."""
    item = replace(item, text=item.text[:_LONGEST])
    said = take_said_for(Said(text=item.text, names=item.head.names, said_for=item.head.said_for, tag=item.head.label))
    return _READERS.get(item.head.kind, _read_words)(item, said, setting)


def _read_words(item: Item, said: Said, setting: Setting) -> EntryNote | None:
    """A decision, a question …: its words stay as they were said."""
    said = take_tag(said)
    names = (*said.names, *(mention.name for mention in mentions_in(said.text, setting.names_known)))
    text = without_at(said.text, setting.names_known)
    return _note(item, replace(said, text=text, names=tuple(dict.fromkeys(names))), label=said.tag)


def _read_action(item: Item, said: Said, setting: Setting) -> EntryNote | None:
    said = take_names(take_tag(said), setting)
    said = take_due(replace(said, text=_loosened(said.text)), setting)
    # « … (@Léa) pour le 12 » names at its end only once the date is out.
    said = take_names(replace(said, text=_loosened(said.text)), setting)
    if fold(said.text).strip(" .()") in _OF_PROGRAMS:
        return None
    return _note(item, take_other_names(said, setting), label=said.tag)


def _read_loan(item: Item, said: Said, setting: Setting) -> EntryNote | None:
    """« vidéoprojecteur à Karim jusqu'au 3 mars ». « Prêt » also means « ready »: a loan names somebody, or a day."""
    said = take_due(said, setting, anywhere=True)
    said = _take_whom(replace(said, text=tidied(said.text)), setting)
    if not said.names and said.due is None:
        return None
    return _thing(item, said)


def _read_booking(item: Item, said: Said, setting: Setting) -> EntryNote | None:
    said = take_due(said, setting, anywhere=True)
    said = replace(said, text=tidied(said.text))
    found = next((f for f in _FOR.finditer(said.text) if _is_somebody(f["who"], setting)), None)
    if found is not None:
        text = said.text[: found.start()] + said.text[found.end("who") :]
        said = replace(said, text=text, names=(*said.names, *names_in(found["who"])))
    else:
        said = take_other_names(take_names(said, setting), setting)
    return _thing(item, said)


def _read_return(item: Item, said: Said, setting: Setting) -> ReturnNote | None:
    numbers = numbers_in(said.text)
    if numbers:
        return ReturnNote(numbers=numbers, line=item.line)
    said = take_due(said, setting)
    found = next((f for f in _FOR.finditer(said.text) if _is_somebody(f["who"], setting)), None)
    names = names_in(found["who"]) if found else ()
    text = said.text[: found.start()] + said.text[found.end("who") :] if found else said.text
    said = take_names(replace(said, text=tidied(text), names=(*said.names, *names)), setting)
    said = take_other_names(said, setting)
    label = _label(tidied(said.text))
    # « Retour : 18h30 » says when a bus comes back.
    is_thing = any(char.isalpha() for char in label) and not _CLOCK.match(label) and not _TELLS.search(fold(label))
    return ReturnNote(label=label, names=said.names, line=item.line) if is_thing else None


def _read_count(item: Item, said: Said, setting: Setting) -> EntryNote | None:
    """« 14 personnes, atelier CAF »: how many, and of what; nameless."""
    whole = tidied(said.text)
    folded = fold(whole)
    counted = list(_COUNTED.finditer(folded)) if len(folded) == len(whole) else []
    if counted:
        quantity = sum(int(f["number"]) if f["number"] else _ABOUT[f["about"]] for f in counted)
        spans = [f.span() for f in counted]
    else:
        number = _NUMBER.search(whole)
        if number is None:
            return None
        quantity, spans = int(number.group()), [number.span()]
    rest = whole
    for start, end in reversed(spans):
        rest = f"{rest[:start]} ; {rest[end:]}"
    left = take_due(replace(said, text=rest), setting, anywhere=True)
    label = item.head.topic or _label(_without_links(tidied(left.text.replace(";", ","))))
    return EntryNote(
        kind=item.head.kind, text=whole, label=label, quantity=quantity, due=left.due, due_text=left.due_text,
        said_for=said.said_for, line=item.line,
    )  # fmt: skip


def _take_whom(said: Said, setting: Setting) -> Said:
    """Who has what was lent: behind the last « à » that stands before a name, or written with `@`."""
    if said.names:
        return said
    if mentions_in(said.text, setting.names_known):
        named = take_other_names(take_names(said, setting), setting)
        # « … à @Karim »
        return replace(named, text=_without_last(named.text, named.names))
    found = [f for f in _TO.finditer(said.text) if _is_somebody(f["who"], setting)]
    places = [f for f in _TO_A_PLACE.finditer(said.text) if len(f["who"].split()) <= 4]
    for whom in (*reversed(found), *reversed(places)):
        who = whom["who"].strip()
        text = said.text[: whom.start()] + said.text[whom.start("who") + len(whom["who"]) :]
        names = names_in(who) if whom in found else (_of_place(who),)
        return replace(said, text=text, names=names)
    return said


def _without_last(text: str, names: tuple[str, ...]) -> str:
    """`text` without « à Karim », where that is how it names who has it."""
    for name in names:
        at = fold(text).rfind(f" a {fold(name)}")
        if at >= 0 and len(fold(text)) == len(text):
            text = text[:at] + text[at + len(name) + 3 :]
    return text


def _of_place(who: str) -> str:
    """« la mairie » of « à la mairie », « le club » of « au club »."""
    first, _, rest = who.partition(" ")
    if fold(first) in ("au", "aux"):
        return f"{'le' if fold(first) == 'au' else 'les'} {rest.strip()}"
    return rest.strip() if fold(first) in ("a", "to") else who


def _is_somebody(who: str, setting: Setting) -> bool:
    names = names_in(who)
    return bool(names) and all(is_proper_name(n) or known_at(n, 0, setting.names_known) for n in names)


def _thing(item: Item, said: Said) -> EntryNote | None:
    return _note(item, said, label=_label(tidied(said.text)))


def _label(text: str) -> str:
    """The thing: up to the first comma or bracket, without its article."""
    thing = re.split(r"[,;(]", text, maxsplit=1)[0].strip()
    return _ARTICLE.sub("", thing, count=1) if _ARTICLE.match(thing) else thing


def _without_links(text: str) -> str:
    return re.sub(r"^(?:à|a|au|aux|pour|lors de|pendant|de|du|at|for)\s+", "", text.strip(" ,"), flags=re.IGNORECASE)


def _loosened(text: str) -> str:
    """Without the colon or comma that joined what was cut out."""
    return text.strip(" \t\u00a0\u202f,;:–—")


def _note(item: Item, said: Said, *, label: str) -> EntryNote | None:
    text = tidied(said.text)
    if not says_something(text):
        return None
    return EntryNote(
        kind=item.head.kind, text=text, names=said.names, label=label, due=said.due, due_text=said.due_text,
        said_for=said.said_for, line=item.line,
    )  # fmt: skip


_READERS: Mapping[str, Callable[[Item, Said, Setting], EntryNote | ReturnNote | None]] = {
    "action": _read_action,
    "loan": _read_loan,
    "booking": _read_booking,
    "returned": _read_return,
    "count": _read_count,
}
