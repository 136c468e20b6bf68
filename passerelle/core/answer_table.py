"""How people answer: one table, read by the parser and by the documents. Pure.

docs/commands.md and docs/fr/registre.md show the examples (`scripts/write_docs.py`); tests hold that each of them is
understood. What an answer does is said by the catalogues, as `answer_<name>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from passerelle.core import answer_phrases as said
from passerelle.core.answer_model import AnswerKind
from passerelle.core.meeting_model import RsvpAnswer
from passerelle.core.phrases import Phrases

RowName = Literal[
    "coming", "not_coming", "perhaps", "yes", "no", "objection", "withdraw", "done", "returned", "adopt", "drop",
    "its_a", "correction", "approve", "choice", "quiet", "state",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """Ways to say one thing."""

    phrases: Phrases
    #: They count only where nothing else was said before them.
    first_only: bool = False
    #: « nous venons », « on vient », « présents ».
    counts_both: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRow:
    """One thing that may be answered."""

    name: RowName
    kind: AnswerKind
    french: tuple[str, ...]
    english: tuple[str, ...]
    #: None of what is read otherwise than by phrases.
    ways: tuple[Ways, ...] = ()
    rsvp: RsvpAnswer | None = None
    says_yes: bool | None = None


def _ways(anywhere: str = "", both: str = "", first: str = "", first_both: str = "") -> tuple[Ways, ...]:
    blocks = ((anywhere, False, False), (both, False, True), (first, True, False), (first_both, True, True))
    return tuple(
        Ways(phrases=Phrases(block, said.SLOTS), first_only=first_only, counts_both=counts_both)
        for block, first_only, counts_both in blocks
        if block
    )


#: In the order in which they are looked for.
ANSWERS: tuple[AnswerRow, ...] = (
    AnswerRow(
        name="perhaps",
        kind="rsvp",
        rsvp="maybe",
        ways=_ways(said.PERHAPS, said.PERHAPS_BOTH, said.PERHAPS_FIRST, said.PERHAPS_FIRST_BOTH),
        french=("peut-être", "je ne sais pas encore", "je vais essayer de venir"),
        english=("maybe", "I don't know yet"),
    ),
    AnswerRow(
        name="not_coming",
        kind="rsvp",
        rsvp="no",
        ways=_ways(said.NOT_COMING, said.NOT_COMING_BOTH, said.NOT_COMING_FIRST, said.NOT_COMING_FIRST_BOTH),
        french=("je ne viens pas", "je ne pourrai pas", "excusez-moi", "excusée", "nous ne pourrons pas"),
        english=("I can't come", "not coming", "excused"),
    ),
    AnswerRow(
        name="coming",
        kind="rsvp",
        rsvp="yes",
        ways=_ways(said.COMING, said.COMING_BOTH, said.COMING_FIRST, said.COMING_FIRST_BOTH),
        french=("je viens", "je viendrai", "présent·e", "j'y serai", "nous venons", "Mme Haddad viendra"),
        english=("I'll come", "I'll be there", "we are coming"),
    ),
    AnswerRow(
        name="withdraw",
        kind="withdraw",
        ways=_ways(said.WITHDRAW, first=said.WITHDRAW_FIRST),
        french=("je retire mon objection", "objection levée"),
        english=("I withdraw my objection",),
    ),
    AnswerRow(
        name="approve",
        kind="approve",
        ways=_ways(first=said.APPROVE),
        french=("approuvé", "rien à redire", "pas de correction"),
        english=("approved", "no corrections"),
    ),
    AnswerRow(
        name="objection",
        kind="objection",
        ways=_ways(said.OBJECTION, first=said.OBJECTION_FIRST),
        french=("objection", "je m'oppose, c'est trop cher", "pas d'accord", "pour Mme Haddad : objection"),
        english=("objection", "I object, it is too expensive", "I disagree"),
    ),
    AnswerRow(
        name="done",
        kind="done",
        ways=_ways(first=said.DONE),
        french=("fait", "c'est fait", "fait 12 et 14"),
        english=("done", "done 12 and 14"),
    ),
    AnswerRow(
        name="returned",
        kind="returned",
        ways=_ways(first=said.RETURNED),
        french=("rendu", "je l'ai rendu", "rendu 12"),
        english=("returned", "returned 12"),
    ),
    AnswerRow(
        name="adopt",
        kind="adopt",
        ways=_ways(first=said.ADOPT),
        french=("adoptée", "on adopte", "adoptée 7"),
        english=("adopted", "adopted 7"),
    ),
    AnswerRow(
        name="drop",
        kind="drop",
        ways=_ways(first=said.DROP),
        french=("abandonnée", "on laisse tomber", "abandonnée 7"),
        english=("dropped", "dropped 7"),
    ),
    AnswerRow(
        name="quiet",
        kind="quiet",
        ways=_ways(said.QUIET, first=said.QUIET_FIRST),
        french=("plus de rappels", "arrêter les rappels", "stop rappels"),
        english=("no more reminders", "stop reminders"),
    ),
    AnswerRow(
        name="yes",
        kind="yes",
        rsvp="yes",
        says_yes=True,
        ways=_ways(first=said.YES, first_both=said.YES_BOTH),
        french=("oui", "d'accord", "je confirme", "ok pour moi"),
        english=("yes", "ok", "I confirm"),
    ),
    AnswerRow(
        name="no",
        kind="no",
        rsvp="no",
        says_yes=False,
        ways=_ways(first=said.NO, first_both=said.NO_BOTH),
        french=("non", "non merci"),
        english=("no",),
    ),
    AnswerRow(
        name="its_a",
        kind="its_a",
        french=("c'est une décision", "c'est une action pour @Léa avant le 12/11"),
        english=("this is a decision", "this is an action for @Léa"),
    ),
    AnswerRow(
        name="correction",
        kind="correction",
        french=("s/150 €/180 €/", "remplacer « Lea » par « Léa »"),
        english=("s/€150/€180/", "replace “Lea” by “Léa”"),
    ),
    AnswerRow(
        name="choice",
        kind="choice",
        french=("12", "le 12", "jeudi 12", "le 19 novembre"),
        english=("12", "the 12th", "Thursday 12"),
    ),
    AnswerRow(name="state", kind="state", french=("acceptée", "acceptée 12"), english=("acceptée", "acceptée 12")),
)

Said = Literal["maybe", "no", "yes", "objection"]
#: What somebody says of others, behind their names: « Mme Haddad viendra ».
OF_OTHERS: Mapping[Said, Phrases] = {
    "maybe": Phrases(said.OTHERS_PERHAPS, said.SLOTS),
    "no": Phrases(said.OTHERS_NOT_COMING, said.SLOTS),
    "yes": Phrases(said.OTHERS_COMING, said.SLOTS),
    "objection": Phrases(said.OTHERS_OBJECT, said.SLOTS),
}
#: The same of others and themselves: « Annie et moi viendrons ».
TOGETHER: Mapping[Said, Phrases] = {
    "maybe": Phrases(said.TOGETHER_PERHAPS, said.SLOTS),
    "no": Phrases(said.TOGETHER_NOT_COMING, said.SLOTS),
    "yes": Phrases(said.TOGETHER_COMING, said.SLOTS),
    "objection": Phrases(said.TOGETHER_OBJECT, said.SLOTS),
}
TAILS = Phrases(said.TAILS, {**said.SLOTS, **said.DAYS})
#: « le 12 », « jeudi 12 novembre à 18h », « the 12th ».
CHOICES = Phrases(said.CHOICES, {**said.SLOTS, **said.DAYS})
