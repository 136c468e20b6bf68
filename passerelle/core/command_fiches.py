"""Commands about fiches: make one, complete it, publish it, take it back. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from passerelle.core.command_arguments import Arguments, FicheArguments
from passerelle.core.command_reading import Asked
from passerelle.core.fiche import Audience, Heading
from passerelle.core.polite_words import is_polite, without_greeting
from passerelle.core.spoken_words import plain

#: How a heading is called by whoever writes under it; without accents and capitals.
_HEADINGS: Mapping[str, Heading | Literal["title", "licence"]] = {
    "titre": "title", "title": "title",
    "contexte": "context", "context": "context",
    "fait": "done", "ce que nous avons fait": "done", "ce qui a ete fait": "done", "done": "done",
    "what we did": "done",
    "resultat": "results", "resultats": "results", "result": "results", "results": "results",
    "a refaire": "again", "ce que nous referions": "again", "again": "again", "what we would do again": "again",
    "conseil": "advice", "conseils": "advice", "advice": "advice",
    "licence": "licence", "license": "licence",
}  # fmt: skip
_LINE = re.compile(r"\s{0,8}(?:[-*•]\s)?(?P<heading>[^\W\d_][^:：\n]{0,40}?)\s?[:：]\s*(?P<text>.*)")
_NUMBERED = r"(?:n[°ºo]\s?)?(?P<number>\d{1,9})\b\s*[,:：]?\s*(?P<rest>.*)"
_NUMBER = re.compile(rf"(?:la |the )?(?:fiche |sheet )?{_NUMBERED}", re.IGNORECASE | re.DOTALL)
_MEETING = re.compile(rf"(?:la |the )?(?:réunion|reunion|meeting)\s{_NUMBERED}", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"[#＃](?P<tag>[^\W\d_][\w\-]{0,40})\s*[:：]?\s*(?P<rest>.*)", re.DOTALL)
_NETWORK = re.compile(r"\b(?:reseau|network)\b")
#: What one heading holds at the most, and how many lines of a reply are read.
LONGEST_TEXT = 2000
_MOST_LINES = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What somebody wrote for a heading of a fiche, or which licence they name."""

    heading: Heading | Literal["title", "licence"]
    text: str


def parse_written(text: str) -> tuple[Written, ...]:
    """« contexte : … », « conseil : … »: each until the next such line; () where the text does not begin with one."""
    found: list[Written] = []
    for line in text.splitlines()[:_MOST_LINES]:
        match = _LINE.fullmatch(line)
        heading = _HEADINGS.get(plain(match["heading"])) if match else None
        if match and heading is not None:
            found.append(Written(heading=heading, text=match["text"].strip()))
        elif found and not line.lstrip().startswith(">"):
            found[-1] = Written(heading=found[-1].heading, text=f"{found[-1].text}\n{line.strip()}")
        elif line.strip() and not line.lstrip().startswith(">") and not _is_polite(line):
            return ()
    texts = [(one.heading, one.text.strip()[:LONGEST_TEXT]) for one in found]
    return tuple(Written(heading=heading, text=text) for heading, text in texts if text)


def _is_polite(line: str) -> bool:
    return not without_greeting(line).strip() or is_polite(line)


def read_fiche(asked: Asked) -> Arguments:
    """Nothing; « réunion 4 », « #jardin : titre », « : titre »; « 3 », « 3 contexte : … »."""
    rest = asked.rest.strip()
    for kind, pattern, name in (("meeting", _MEETING, "number"), ("tag", _TAG, "tag")):
        found = pattern.fullmatch(rest)
        if found:
            source: Literal["meeting", "tag"] = "meeting" if kind == "meeting" else "tag"
            number = int(found["number"]) if kind == "meeting" else None
            return FicheArguments(source=source, number=number, tag=found[name] if kind == "tag" else "",
                                  title=_line(found["rest"]))  # fmt: skip
    found = _NUMBER.fullmatch(rest)
    if found:
        return FicheArguments(number=int(found["number"]), text=found["rest"].strip())
    if rest and not asked.head.has_colon:
        asked.problem("fiche_unclear")
    return FicheArguments(title=_line(rest))


def read_fiche_number(asked: Asked) -> Arguments:
    """« 3 », « 3 dans le réseau »; nothing in answer to what the bridge wrote about it."""
    found = _NUMBER.fullmatch(asked.rest.strip())
    rest = found["rest"] if found else asked.rest
    audience: Audience = "network" if _NETWORK.search(plain(rest)) else "association"
    if not found and asked.rest.strip() and audience == "association":
        asked.problem("number_unclear", "3", words=asked.rest[:60])
    return FicheArguments(number=int(found["number"]) if found else None, audience=audience)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


FICHE_READERS: Mapping[str, Callable[[Asked], Arguments]] = {
    "fiche": read_fiche,
    "fiche_publish": read_fiche_number,
    "fiche_withdraw": read_fiche_number,
    "fiche_disagree": read_fiche_number,
}
