"""Minutes in the words of a language: what every form of them shows, mail and page, room and paper. Pure.

`core.minutes_words` makes it. Each field is text that is ready to be shown, never markup; members' own words stand in
fields of their own, so that a form may set them apart (`dir="auto"`).
"""

from dataclasses import dataclass

from passerelle.core.wording import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """« Lieu : local de l’Épeule »."""

    label: str
    text: str
    #: Where it leads; "" nowhere.
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PresenceGroup:
    """« Personnes présentes (3) : Monique, Léa, Mme Haddad (par téléphone) »."""

    label: str
    count: int
    #: One a person, with what is to be said of them in brackets; empty where names are left out.
    people: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetLine:
    """One entry: a decision, an action item, a loan."""

    #: What members call it: « Décision 12 ».
    label: str
    number: int
    #: A member's words.
    text: str
    #: Of an action item or loan: by whom, by when; "" where that was not said.
    who: str = ""
    due: str = ""
    #: What became of it, in a sentence or a word; "" where there is nothing to say.
    state: str = ""
    #: Further sentences: objections, votes, who passed it on.
    notes: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetSection:
    title: str
    lines: tuple[SheetLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetItem:
    """An item of the agenda."""

    text: str
    #: « traité », « reporté », or "".
    state: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetExcerpt:
    author: str
    clock: str
    text: str
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetTopic:
    title: str
    excerpts: tuple[SheetExcerpt, ...]
    #: « 34 autres messages »; "" where all is shown.
    more: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    role: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MinutesSheet:
    """All of it. What is empty is not shown."""

    language: Language
    association: str
    #: « Compte rendu », « Procès-verbal », « Réunion annulée ».
    kind: str
    title: str
    #: « Compte rendu à relire : réunion du bureau, jeudi 12 novembre ».
    subject: str
    #: « jeudi 12 novembre 2026, de 18 h 30 à 20 h 15 ».
    when: str
    is_draft: bool
    is_assembly: bool
    was_held: bool
    #: « À relire, version 1 », « Version 3, approuvée le 20 novembre 2026 ».
    status: str
    facts: tuple[Fact, ...] = ()
    presence: tuple[PresenceGroup, ...] = ()
    #: What is to be known of presence: the quorum, proxies without effect.
    presence_notes: tuple[str, ...] = ()
    decisions: tuple[SheetLine, ...] = ()
    actions: tuple[SheetLine, ...] = ()
    #: Loans, counts, information, questions, ideas, configured kinds.
    sections: tuple[SheetSection, ...] = ()
    #: Votes that belong to no decision: what was voted on in `text`, the count in `notes`.
    votes: tuple[SheetLine, ...] = ()
    agenda: tuple[SheetItem, ...] = ()
    topics: tuple[SheetTopic, ...] = ()
    open_before: tuple[SheetLine, ...] = ()
    #: What was asked to be corrected, and was not.
    corrections: tuple[str, ...] = ()
    next_meeting: str = ""
    #: Until when corrections are taken, in words; "" where they are not.
    corrections_until: str = ""
    signatures: tuple[Signature, ...] = ()
    #: The permanent address of these minutes; "" without a web.
    url: str = ""
