"""What an answer in plain words says, as a value. Pure. Who reads it: `core.answers`."""

from dataclasses import dataclass
from typing import Literal

from passerelle.core.meeting_model import RsvpAnswer
from passerelle.core.replacements import Replacement

AnswerKind = Literal[
    "yes", "no",  # a word that anything may be answered with: says_yes, and rsvp where an invitation is answered
    "rsvp",  # « je viens », « Mme Haddad viendra »
    "objection", "withdraw",
    "done", "returned", "adopt", "drop",
    "its_a",  # « c'est une décision »
    "correction",  # `s/ancien/nouveau/`
    "approve",
    "quiet",  # « plus de rappels »
    "choice",  # « le 12 », « jeudi 12 »
    "state",  # a state of a configured kind
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One thing that was answered. Why somebody comes or does not is never kept (PEOPLE 9)."""

    kind: AnswerKind
    #: Of `rsvp`; of `yes` and `no`, what they mean in answer to an invitation.
    rsvp: RsvpAnswer | None = None
    #: Whether it confirms or declines what was asked; None where it does neither.
    says_yes: bool | None = None
    #: « nous venons »: from an address that two share, both.
    counts_both: bool = False
    #: Whose word is passed on, or who comes along.
    said_for: tuple[str, ...] = ()
    #: Whether it is the author's own answer, too: « Annie et moi viendrons », not « Annie viendra ».
    for_self: bool = True
    #: « fait 12 et 14 », « adoptée 7 ».
    numbers: tuple[int, ...] = ()
    #: Of an objection.
    reason: str = ""
    #: Of `its_a`: the kind of entry, whom it names, and what else was said (« avant le 12/11 »).
    entry_kind: str = ""
    names: tuple[str, ...] = ()
    detail: str = ""
    replacements: tuple[Replacement, ...] = ()
    #: Of a choice: the words, and the number in them (the day of a month).
    choice: str = ""
    choice_number: int | None = None
    #: Of a configured kind: the state as it is configured, and the kinds that have it.
    state: str = ""
    state_kinds: tuple[str, ...] = ()
    #: The names at the end of the text: of two who share an address, who says it.
    signed: str = ""
    #: Nothing else was said but polite words: such a mail to the list is obeyed and not relayed.
    is_bare: bool = False
