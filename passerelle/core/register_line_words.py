"""The words that begin a line of the grammar: one table, read by the parser and by the documents. Pure.

docs/commands.md and docs/fr/registre.md are written from it (`scripts/write_docs.py`); what each kind is for is said by
the catalogues, as `line_<kind>`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from passerelle.core.secretary_settings import KindSettings
from passerelle.core.spoken_words import plain

LineKind = Literal[
    "decision", "action", "info", "question", "idea", "agenda", "loan", "returned", "booking", "count",
    "present", "excused", "absent", "represented", "proxy", "vote", "chair", "secretary", "quorum",
    "offer", "offer_end",
]  # fmt: skip
#: Kinds that say who was there and how the meeting went; several of them may share a line.
MEETING_KINDS: frozenset[str] = frozenset(
    {"present", "excused", "absent", "represented", "proxy", "chair", "secretary", "quorum"}
)
#: Kinds that are lists of names.
PRESENCE_KINDS: frozenset[str] = frozenset({"present", "excused", "absent", "represented"})
#: What somebody can help with.
OFFER_KINDS: frozenset[str] = frozenset({"offer", "offer_end"})
#: The longest of the table has this many words.
MOST_WORDS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class LineRow:
    """One kind of line. Accents, capitals, hyphens and inclusive endings do not matter in its words."""

    kind: LineKind
    #: The first of them is how the documents call it.
    french: tuple[str, ...]
    english: tuple[str, ...]
    example_french: str
    example_english: str


def _row(kind: LineKind, french: str, english: str, example_french: str, example_english: str) -> LineRow:
    return LineRow(
        kind=kind,
        french=tuple(word.strip() for word in french.split("|")),
        english=tuple(word.strip() for word in english.split("|")),
        example_french=example_french,
        example_english=example_english,
    )


LINES: tuple[LineRow, ...] = (
    _row(
        "decision",
        "décision | décisions | décidé | décidée | décision prise | décisions prises | relevé de décisions"
        " | relevé des décisions",
        "agreed | agree | decided | decision | decisions",
        "décision : louer la salle des fêtes pour 150 €",
        "agreed: we hire the hall for €150",
    ),
    _row(
        "action",
        "action | actions | à faire | action à faire | actions à faire | tâche | tâches",
        "action | actions | action item | action items | todo | to do",
        "action : @Léa relancer la mairie pour le 12/11",
        "action: @Léa call the town hall by 12 November",
    ),
    _row(
        "info",
        "info | infos | information | informations | à savoir",
        "info | information",
        "info : la salle est fermée en août",
        "info: the hall is closed in August",
    ),
    _row(
        "question",
        "question | questions",
        "question | questions",
        "question : qui a les clés du local ?",
        "question: who has the keys?",
    ),
    _row(
        "idea",
        "idée | idées",
        "idea | ideas",
        "idée : un composteur au fond du jardin #jardin",
        "idea: a compost heap at the back #garden",
    ),
    _row(
        "agenda",
        "ordre du jour | odj | à l'ordre du jour | point à l'ordre du jour | points à l'ordre du jour"
        " | point pour l'ordre du jour | points pour l'ordre du jour"
        " | point de l'ordre du jour | points de l'ordre du jour",
        "agenda | topic | topics | agenda item | agenda items",
        "ordre du jour : budget de la fête",
        "agenda: budget of the party",
    ),
    _row(
        "loan",
        "prêt | prêts | prêté | prêtée | prêtés | prêtées",
        "loan | loans | lent",
        "prêt : vidéoprojecteur à Karim jusqu'au 3 mars",
        "loan: projector to Karim until 3 March",
    ),
    _row(
        "returned",
        "rendu | rendue | rendus | rendues | retour | retours",
        "returned",
        "rendu : vidéoprojecteur",
        "returned: projector",
    ),
    _row(
        "booking",
        "réserver | réservation | réservations | réservé | réservée | réservés | réservées",
        "booking | bookings | book | booked | reservation",
        "réserver : grande salle samedi 14h-17h",
        "booking: large hall 14 March 2pm-5pm",
    ),
    _row(
        "count",
        "fréquentation | fréquentations",
        "headcount | visitors",
        "fréquentation : 14 personnes, atelier CAF",
        "headcount: 14 people, CAF workshop",
    ),
    _row(
        "present",
        "présent | présente | présents | présentes | présents et présentes | présentes et présents | étaient présents"
        " | étaient présentes | sont présents | sont présentes | membres présents | personnes présentes | participant"
        " | participante | participants | participantes",
        "present | attendees | attending | attended",
        "présente : Mme Haddad, par téléphone",
        "present: Mrs Haddad, by phone",
    ),
    _row(
        "excused",
        "excusé | excusée | excusés | excusées | étaient excusés | étaient excusées | sont excusés | sont excusées"
        " | absent excusé | absente excusée | absents excusés | absentes excusées | membres excusés",
        "excused | apologies | regrets",
        "excusée : Annie",
        "excused: Annie",
    ),
    _row(
        "absent",
        "absent | absente | absents | absentes | étaient absents | étaient absentes | sont absents | sont absentes"
        " | membres absents",
        "absent",
        "absents : Jean et Aminata",
        "absent: Jean and Aminata",
    ),
    _row(
        "represented",
        "représenté | représentée | représentés | représentées | étaient représentés | sont représentés"
        " | membres représentés",
        "represented",
        "représentée : Annie (par Paul)",
        "represented: Annie (by Paul)",
    ),
    _row(
        "proxy",
        "pouvoir | pouvoirs | procuration | procurations",
        "proxy | proxies",
        "pouvoir : Annie à Paul",
        "proxy: Annie to Paul",
    ),
    _row(
        "vote",
        "vote | votes",
        "vote | votes",
        "vote : budget, pour 12, contre 1, abstention 2",
        "vote: budget, for 12, against 1, abstained 2",
    ),
    _row(
        "chair",
        "présidence | président | présidente | président de séance | présidente de séance | présidence de séance"
        " | animation | animateur | animatrice",
        "chair | chaired by",
        "présidence : Monique",
        "chair: Monique",
    ),
    _row(
        "secretary",
        "secrétaire | secrétaires | secrétaire de séance | secrétariat | prise de notes",
        "secretary | minutes by | scribe",
        "secrétaire : Paul",
        "secretary: Paul",
    ),
    _row("quorum", "quorum", "quorum", "quorum : 25, atteint", "quorum: 25, reached"),
    _row(
        "offer",
        "je peux aider pour | je peux aider à | je peux aider en | je peux aider | je propose mon aide pour"
        " | je propose mon aide | je propose d'aider pour | je peux donner un coup de main",
        "I can help with | I can help | I offer help with | happy to help with",
        "je peux aider pour : écrivain public",
        "I can help with: letters and forms",
    ),
    _row(
        "offer_end",
        "je ne peux plus aider pour | je ne peux plus aider à | je ne peux plus aider en | je ne peux plus aider"
        " | je n'aide plus pour",
        "I can no longer help with | I can no longer help",
        "je ne peux plus aider pour : écrivain public",
        "I can no longer help with: letters and forms",
    ),
)

_KINDS: Mapping[str, LineKind] = {plain(word): row.kind for row in LINES for word in (*row.french, *row.english)}


def kind_of_word(word: str, kinds: Sequence[KindSettings] = ()) -> str | None:
    """The kind that a word of one language or the other begins; a configured kind's word goes before ours."""
    said = plain(word)
    own = next((kind.name for kind in kinds if said in map(plain, kind.words)), None)
    return own or _KINDS.get(said)
