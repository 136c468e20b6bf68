"""Answers in plain words: « je viens », « oui », « objection », « c'est fait », in a mail or in the room. Pure.

What is answered, the caller knows: « oui » to an invitation is not « oui » to a question. The table of what may be
said: `core.answer_table`. For members: docs/fr/registre.md.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from passerelle.core.answer_model import Answer, AnswerKind
from passerelle.core.answer_pieces import Sentence, cut_reply, says_nothing_more
from passerelle.core.answer_words import read_clause
from passerelle.core.folding import fold, words_of
from passerelle.core.polite_words import is_polite
from passerelle.core.register_line_heads import ON_BEHALF
from passerelle.core.replacements import parse_replacements
from passerelle.core.said_names import is_proper_name, names_in
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.spoken_words import bare_words, plain

__all__ = ["Answer", "AnswerKind", "parse_answer", "parse_answers"]

#: Of an objection.
LONGEST_REASON = 600
#: More answers in one reply are a letter.
_MOST = 20
#: What these join takes a bare yes back: « oui, mais … ».
_RESERVES = frozenset({"mais", "sauf", "sauf si", "si", "à condition", "sous réserve", "but", "if", "except"})
_CONDITIONS = frozenset({"si", "sauf si", "à condition", "sous réserve", "if"})
#: A colon may stand behind these, and what it was about behind the colon.
_EXPLAINED_KINDS = frozenset({"objection", "withdraw", "done", "returned", "its_a", "yes", "no", "adopt", "drop"})
#: Before a colon, and nobody's name.
_NO_PERSONS = frozenset(
    words_of("reponse vote rsvp ps nb objet sujet subject date oui non answer moi nous present excuse")
)
_EXCUSES = frozenset({"excusez moi", "excuse moi", "je m'excuse", "excusez nous"})
#: « Excusez-moi, je suis … »: who says so is excused; plain, as `fold` leaves it.
_IS_AWAY = re.compile(
    r"(?:je (?:suis|serai)|i am|i'm|i'll be|i will be) (?!pas |not )(?:\w{1,20} )?"
    r"(?:hospitali[sz]ee?d?|malade|souffrante?|alitee?|operee?|empechee?|absente?|indisponible|retenue?|a l'hopital"
    r"|en deplacement|en voyage|ill|sick|away|unavailable)\b"
)
_REASONS = frozenset({"car", "parce que", "parce qu'", "parce qu’", "puisque", "because"})
_LOOSE_COMMA = re.compile(r"\s,")
_RESERVED_KINDS = frozenset({"yes", "no", "choice", "approve", "adopt", "done", "returned", "drop", "quiet"})
#: Who says so speaks of themselves.
_OWN_WORDS = frozenset({"je", "nous", "on", "i", "we"})


def parse_answer(text: str, *, kinds: Sequence[KindSettings] = ()) -> Answer | None:
    """The first answer of `parse_answers`; it is not bare where there are more."""
    answers = parse_answers(text, kinds=kinds)
    if not answers:
        return None
    return answers[0] if len(answers) == 1 else replace(answers[0], is_bare=False)


def parse_answers(text: str, *, kinds: Sequence[KindSettings] = ()) -> tuple[Answer, ...]:
    """What the own words of a reply answer, in their order. Never raises.

    Where somebody both comes and does not, neither counts: a human has to read it. `is_bare` of each says that nothing
    else was said but these answers and polite words.

    Args:
        text: without quotes; a signature may stand in it.
        kinds: the association's own: words of their states are answers.
    """
    replacements, others = parse_replacements(text)
    reply = cut_reply(others, lambda line: read_clause(line, is_first=True, kinds=kinds) is not None)
    reading = _Reading(kinds=kinds, says_more=reply.is_longer)
    for place, sentence in enumerate(reply.sentences):
        rest = " ".join(later.text for later in reply.sentences[place + 1 :])
        if not reading.read(sentence, rest):
            break
    answers = [one for one in reading.answers if not reading.says_more or one not in reading.weak]
    answers = _settled(answers)
    if replacements:
        answers = [Answer(kind="correction", replacements=replacements), *answers]
    is_bare = not reading.says_more and bool(answers)
    return tuple(replace(answer, signed=reply.signed, is_bare=is_bare) for answer in answers)


@dataclass(slots=True)
class _Reading:
    """A reply while it is read."""

    kinds: Sequence[KindSettings]
    #: Something was said that is neither an answer nor polite.
    says_more: bool = False
    answers: list[Answer] = field(default_factory=list)
    #: What is an answer only where nothing else was said: « Excusez-moi, je n'ai pas compris » is none, nor is « Le 12,
    #: la salle est fermée ».
    weak: list[Answer] = field(default_factory=list)

    def read(self, sentence: Sentence, rest: str) -> bool:
        """Take one sentence; False where the reply has ended, since all that follows is the reason of an objection."""
        if len(self.answers) >= _MOST:
            self.says_more = True
            return False
        if self.answers and self.answers[-1].kind in _RESERVED_KINDS and _begins_with_reserve(sentence.text):
            # « Oui. Mais pas jeudi. »
            self.answers.pop()
            self.says_more = True
        if sentence.is_question:
            self.says_more = self.says_more or not says_nothing_more(sentence.text)
            return True
        return self._read_clauses(sentence, rest)

    def _read_clauses(self, sentence: Sentence, rest: str) -> bool:
        """The longest run of clauses that is an answer, then what follows it."""
        first, count = 0, len(sentence.ends)
        begins = (0, *sentence.starts[:-1])
        said_for: tuple[str, ...] = ()
        while first < count:
            clause = sentence.text[begins[first] : sentence.ends[first]]
            last, answer = self._longest(sentence, begins[first], first)
            names = _passed_on(clause) if answer is None and sentence.joints[first] == ":" else ()
            if answer is None:
                said_for = names
                if not names:
                    self._skip(clause)
            else:
                joint = sentence.joints[last]
                answer = replace(answer, said_for=said_for, for_self=False) if said_for else answer
                self._take(answer, joint, clause, said=sentence.text[begins[first] : sentence.ends[last]])
                if answer.kind == "objection":
                    self._give_reason(f"{sentence.text[sentence.ends[last] :]} {rest}")
                    return False
                if joint in _CONDITIONS or (joint in _RESERVES and answer.kind in _RESERVED_KINDS):
                    self.says_more = True
                    return True
            first = last + 1
        return True

    def _take(self, answer: Answer, joint: str, clause: str, *, said: str) -> None:
        """An answer, unless what follows it takes it back: « oui, mais … », « présente : Mme Haddad »."""
        if bare_words(clause) in _EXCUSES or (answer.kind == "choice" and joint not in _REASONS):
            self.weak.append(answer)
        is_reserved = joint in _RESERVES and answer.kind in _RESERVED_KINDS
        if is_reserved or (joint == ":" and answer.kind not in _EXPLAINED_KINDS and not _is_excused(answer, said)):
            self.says_more = True
        else:
            self.answers.append(
                replace(answer, rsvp="maybe") if joint in _CONDITIONS and answer.rsvp == "yes" else answer
            )

    def _longest(self, sentence: Sentence, begin: int, first: int) -> tuple[int, Answer | None]:
        is_first = not self.says_more
        found: tuple[int, Answer | None] = (first, None)
        for last in range(len(sentence.ends) - 1, first - 1, -1):
            answer = read_clause(sentence.text[begin : sentence.ends[last]], is_first=is_first, kinds=self.kinds)
            if answer is not None and answer.kind != "objection":
                return last, answer
            # Of an objection the shortest: what follows is its reason.
            found = (last, answer) if answer is not None else found
        return found

    def _skip(self, clause: str) -> None:
        if _IS_AWAY.match(fold(clause[:200]).replace("’", "'").strip()):
            # « Excusez-moi, je suis hospitalisée » is an answer, with its reason.
            self.weak = [answer for answer in self.weak if answer.kind != "rsvp"]
        self.says_more = self.says_more or not is_polite(clause)

    def _give_reason(self, text: str) -> None:
        """All that follows an objection is its reason."""
        reason = " ".join(f"{self.answers[-1].reason} {text}".split())
        reason = "" if is_polite(reason) else _LOOSE_COMMA.sub(",", reason).strip(" :,;–—-()")[:LONGEST_REASON]
        self.answers[-1] = replace(self.answers[-1], reason=reason)


def _is_excused(answer: Answer, said: str) -> bool:
    """« Je ne pourrai pas venir : … » says why; « excusée : … » says who."""
    is_own = answer.for_self and not _OWN_WORDS.isdisjoint(words_of(said))
    return is_own and answer.kind == "rsvp" and answer.rsvp == "no"


def _begins_with_reserve(text: str) -> bool:
    return text.split(maxsplit=1)[0].lower().rstrip(",") in _RESERVES


def _passed_on(clause: str) -> tuple[str, ...]:
    """Of « Mme Haddad : oui », or « de la part de Mme Haddad : oui »: who."""
    behalf = ON_BEHALF.fullmatch(f"{clause.strip()}:")
    who = behalf["name"] if behalf else clause
    names = names_in(who)
    is_names = bool(names) and all(map(is_proper_name, names)) and plain(who) not in _NO_PERSONS
    return names if is_names else ()


def _settled(answers: list[Answer]) -> list[Answer]:
    """« Oui. Je viens » is one answer; who comes and does not come has answered nothing."""
    if any(answer.kind not in ("yes", "no") and answer.for_self for answer in answers):
        answers = [answer for answer in answers if answer.kind not in ("yes", "no") or answer.said_for]
    explicit = [answer for answer in answers if answer.kind == "rsvp" and answer.for_self]
    if explicit:
        # « Je viens donc jeudi. »
        answers = [answer for answer in answers if answer.kind != "choice"]
    if len({answer.rsvp for answer in explicit}) > 1:
        answers = [answer for answer in answers if answer not in explicit]
    return list(dict.fromkeys(answers))
