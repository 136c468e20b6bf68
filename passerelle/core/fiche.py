"""A fiche: experience worth keeping, made of verbatim quotations and of what its authors wrote for it. Pure.

What it holds is stored as JSON in one shape: every text stands in an object with who said it and what it stands on
(`post_id`, `entry_id`, `person_id`), so that hiding and erasing find it (`core.digest_forgetting`, `core.pseudonyms`).
What a reader sees of it is decided each time, by who agrees then: a quotation is there while all those agree whom it is
by or names, and at no other time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from passerelle.core.consents import fiche_consent
from passerelle.core.first_names import first_name
from passerelle.core.ids import AssociationName, FicheId, LinkName

Heading = Literal["context", "done", "results", "again", "advice"]
HEADINGS: tuple[Heading, ...] = get_args(Heading)
FicheState = Literal["draft", "asked", "published", "withdrawn"]
Audience = Literal["association", "network"]
#: `quote`: somebody's own words in a post; `record`: a line of the register; `written`: what an author wrote for it.
PartKind = Literal["quote", "record", "written"]
SourceKind = Literal["thread", "meeting", "tag"]

#: Named licences, as they are written.
LICENCES = ("CC BY-SA 4.0", "CC BY 4.0", "CC0 1.0", "CC BY-NC-SA 4.0", "CC BY-NC 4.0")
DEFAULT_LICENCE = LICENCES[0]
LICENCE_URLS: Mapping[str, str] = {
    "CC BY-SA 4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY-NC-SA 4.0": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "CC BY-NC 4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
}
#: Earlier wordings that are kept.
_MOST_VERSIONS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One text of a fiche."""

    heading: Heading | Literal["title"]
    kind: PartKind
    text: str
    #: Who said or wrote it, as they were called then.
    author: str
    said_at: datetime
    person_id: int | None
    #: Whose agreement it needs: who says or wrote it, and whom a line of the register names. Empty: nobody's.
    asks: tuple[int, ...] = ()
    post_id: int | None = None
    entry_id: int | None = None
    #: The short permalink of the post; "" where it stands in none.
    permalink: str = ""
    #: Of a line of the register: what members call it.
    number: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is stored; what is None is left out: an erasure looks for numbers of entries."""
        found: dict[str, Any] = {
            "heading": self.heading, "kind": self.kind, "text": self.text, "author": self.author,
            "said_at": self.said_at.isoformat(), "asks": list(self.asks), "permalink": self.permalink,
        }  # fmt: skip
        more = {"person_id": self.person_id, "post_id": self.post_id, "entry_id": self.entry_id, "number": self.number}
        return found | {key: value for key, value in more.items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Part":
        """Raises KeyError or ValueError for what is none."""
        return cls(
            heading=value["heading"],
            kind=value["kind"],
            text=value["text"],
            author=value["author"],
            said_at=datetime.fromisoformat(value["said_at"]),
            person_id=value.get("person_id"),
            asks=tuple(value["asks"]),
            post_id=value.get("post_id"),
            entry_id=value.get("entry_id"),
            permalink=value["permalink"],
            number=value.get("number"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What a fiche was made from; `name`: a meeting's number, a tag."""

    kind: SourceKind
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What stands in a fiche, whoever may read it."""

    source: Source
    #: The title is among them.
    parts: tuple[Part, ...] = ()
    #: For whom it is to be published once everybody has answered; None where that was not asked for.
    wanted: Audience | None = None
    #: What was written in an author's part before, the oldest first.
    versions: tuple[Part, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "source": {"kind": self.source.kind, "name": self.source.name},
            "parts": [part.to_json() for part in self.parts],
            "wanted": self.wanted or "",
            "versions": [part.to_json() for part in self.versions],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Content":
        """What was stored; a text that erasing left without what a part needs is not shown."""
        source = value.get("source") or {}
        return cls(
            source=Source(kind=source.get("kind", "thread"), name=source.get("name", "")),
            parts=_parts(value.get("parts")),
            wanted=value.get("wanted") or None,
            versions=_parts(value.get("versions")),
        )

    def of(self, heading: str) -> tuple[Part, ...]:
        """The parts under a heading, in their order."""
        return tuple(part for part in self.parts if part.heading == heading)

    def asked(self) -> frozenset[int]:
        """Everybody whose agreement something in it needs: persons' ids."""
        return frozenset(id for part in self.parts for id in part.asks)

    def authors(self) -> frozenset[int]:
        """Who is quoted, named or wrote in it: persons' ids."""
        return self.asked() | {part.person_id for part in self.parts if part.person_id is not None}

    def seen_by(self, agreed: Collection[int]) -> "Content":
        """What a reader sees of it where these persons agree. Never a word of anybody else's without their yes."""
        return replace(self, parts=tuple(part for part in self.parts if set(part.asks) <= set(agreed)), versions=())

    def written(self, part: Part) -> "Content":
        """With what an author wrote for a heading: in place of what an author had written there, beside quotations.

        A title stands alone.
        """
        replaced = [
            one
            for one in self.parts
            if one.heading == part.heading and (one.kind == "written" or one.heading == "title")
        ]
        kept = tuple(one for one in self.parts if one not in replaced)
        earlier = (*self.versions, *(one for one in replaced if one.kind == "written"))
        return replace(self, parts=(*kept, part), versions=earlier[-_MOST_VERSIONS:])

    @property
    def title(self) -> str:
        """ "" where nobody gave one, or whoever did does not agree."""
        return next((part.text for part in self.of("title")), "")


def _parts(values: Any) -> tuple[Part, ...]:
    found: list[Part] = []
    for value in values if isinstance(values, list) else ():
        try:
            found.append(Part.from_json(value))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFiche:
    association: AssociationName
    link: LinkName
    #: What members call it: « publier fiche 3 ». Counted in each association, never reused.
    number: int
    state: FicheState
    audience: Audience
    document: Mapping[str, Any]
    licence: str
    permalink: str
    made_by_person_id: int | None
    #: These are aware.
    made_at: datetime
    published_at: datetime | None = None
    changed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Fiche(NewFiche):
    id: FicheId

    @property
    def content(self) -> Content:
        return Content.from_json(self.document)


def consents_for(id: FicheId, audience: Audience) -> tuple[str, ...]:
    """Which consents let a quotation be seen: a yes to the network is one to the association, not the reverse."""
    return (network_consent(id),) if audience == "network" else (fiche_consent(id), network_consent(id))


def asked_consent(id: FicheId, audience: Audience) -> str:
    """Which consent somebody is asked for."""
    return network_consent(id) if audience == "network" else fiche_consent(id)


def network_consent(id: FicheId) -> str:
    """What a consent to a fiche in the network is called."""
    return f"{fiche_consent(id)}:network"


def licence_named(text: str) -> str | None:
    """The licence that is meant: « cc by-sa », « CC BY-SA 4.0 », « cc0 »; None where it is none of those there are."""
    said = _letters(text)
    return next((one for one in LICENCES if said in (_letters(one), _letters(one.rpartition(" ")[0]))), None)


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum() or c == ".")


def who(content: Content, agreed: Collection[int]) -> tuple[str, ...]:
    """First names of those who agree and have a part in it, in the order of their parts; each once."""
    named = [
        first_name(part.author)
        for part in content.parts
        if part.heading != "title" and part.person_id is not None and part.person_id in agreed
    ]
    return tuple(dict.fromkeys(name for name in named if name))


def without_words_of(document: Mapping[str, Any], person_id: int) -> dict[str, Any]:
    """A fiche as it is stored, without what a person said, wrote or is named in: all of it is theirs to take away."""

    def is_theirs(part: Any) -> bool:
        return isinstance(part, dict) and (part.get("person_id") == person_id or person_id in part.get("asks", ()))

    kept = {key: [one for one in document.get(key) or () if not is_theirs(one)] for key in ("parts", "versions")}
    return {**document, **{key: parts for key, parts in kept.items() if key in document}}
