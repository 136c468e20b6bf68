"""The register in a digest: decisions taken and open to objection, what is due, questions without an answer. Pure.

What has a deadline or names somebody leaves for both sides by a notice of its own (PEOPLE 14, `flows.register_notice`).
A digest only repeats it, and so knows nothing of it before that notice has left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from passerelle.core.digest_facts import EntryFact
from passerelle.core.digest_items import Item, ItemKind, Reason, ReasonCode, Section
from passerelle.core.digest_telling import LONGEST_TITLE, Telling, cut_line
from passerelle.core.digest_weights import DUE_WITHIN, WEIGHTS
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import TOLD_KINDS, is_overdue

#: Kinds that a digest names, and where.
_KINDS: dict[str, ItemKind] = {"decision": "decision", "action": "action", "loan": "loan", "question": "question"}
#: What became of a decision, as it is told once.
_SETTLED: dict[str, ReasonCode] = {"adopted": "adopted", "replaced": "replaced", "dropped": "dropped"}
#: Reasons by which something is asked of this reader.
_ASKED: frozenset[ReasonCode] = frozenset({"own_overdue", "own_due", "own_open", "own_objection"})
_SECTIONS: dict[ItemKind, Section] = {
    "decision": "decisions", "action": "actions", "loan": "actions", "question": "questions",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Why:
    """Why an entry is told. `stands`: it may be told again in the same state."""

    reason: Reason
    stands: bool


def entry_items(telling: Telling) -> Iterator[Item]:
    """What the register gives this digest."""
    for fact in telling.facts.entries:
        if is_untold(fact.entry) or fact.entry.kind not in _KINDS:
            continue
        why = _why(telling, fact)
        if why is not None:
            yield _item(telling, fact, why)


def is_untold(entry: Entry) -> bool:
    """Whether an entry's notice has not left yet: it would stand in a digest only."""
    return entry.kind in TOLD_KINDS and entry.announce_state in ("wanted", "telling")


def _why(telling: Telling, fact: EntryFact) -> _Why | None:
    if fact.entry.kind == "decision":
        return _decision(telling, fact)
    if fact.entry.kind == "question":
        return _question(telling, fact.entry)
    return _due(telling, fact)


def _decision(telling: Telling, fact: EntryFact) -> _Why | None:
    entry = fact.entry
    if entry.state == "objected":
        code: ReasonCode = "own_objection" if fact.reader_objects else "objected"
        return _Why(reason=Reason(code=code, count=fact.objections), stands=True)
    if entry.state == "proposed":
        if entry.open_until is None:
            return None
        code = "open_to_objection" if telling.until < entry.open_until else "to_decide"
        return _Why(reason=Reason(code=code, at=entry.open_until), stands=True)
    if entry.state == "adopted" and entry.review_on is not None and entry.review_on <= telling.today + DUE_WITHIN:
        return _Why(reason=Reason(code="to_review", day=entry.review_on), stands=True)
    if entry.state in _SETTLED and telling.is_in_time(entry.changed_at):
        return _Why(reason=Reason(code=_SETTLED[entry.state]), stands=False)
    return None


def _question(telling: Telling, entry: Entry) -> _Why | None:
    waited = telling.until - entry.said_at
    if entry.state != "open" or waited < timedelta(days=telling.unanswered_days):
        return None
    return _Why(reason=Reason(code="unanswered", days=waited.days), stands=True)


def _due(telling: Telling, fact: EntryFact) -> _Why | None:
    """Of an action or a loan; nothing of what is done, and of what nobody has to do by a day, only whoever is named."""
    entry, is_own = fact.entry, _names(fact, telling.person_id)
    if entry.state not in ("open", "out"):
        return None
    if is_overdue(entry, telling.today) and entry.due_on is not None:
        late = Reason(
            code="own_overdue" if is_own else "overdue", day=entry.due_on, days=(telling.today - entry.due_on).days
        )
        return _Why(reason=late, stands=True)
    if entry.due_on is not None and entry.due_on <= telling.today + DUE_WITHIN:
        due = Reason(code="own_due" if is_own else "due", day=entry.due_on, clock=entry.due_at)
        return _Why(reason=due, stands=True)
    return _Why(reason=Reason(code="own_open", day=entry.due_on), stands=True) if is_own else None


def _names(fact: EntryFact, person_id: int | None) -> bool:
    return person_id is not None and any(one.person_id == person_id for one in fact.people)


def _item(telling: Telling, fact: EntryFact, why: _Why) -> Item:
    entry, code = fact.entry, why.reason.code
    kind = _KINDS[entry.kind]
    urgency = telling.urgency(day=entry.due_on, at=entry.open_until if code == "open_to_objection" else None)
    return Item(
        key=f"entry:{entry.id}",
        section="asked" if code in _ASKED else _SECTIONS[kind],
        kind=kind,
        # The day moves, the delay ends, an objection comes: each is another state, and told.
        state=f"{entry.state}:{code}:{fact.objections}:{entry.due_on or ''}",
        title=cut_line(entry.text, LONGEST_TITLE),
        reason=why.reason,
        weight=WEIGHTS[code] + urgency,
        link=entry.link,
        stands=why.stands,
        entry_id=entry.id,
        thread_id=fact.thread_id,
        post_id=entry.post_id,
        number=entry.number,
        path=fact.path,
        # Who is late is not shown to others (PEOPLE 9): neither whom it names, nor its author, who may be the same.
        author="" if code == "overdue" else entry.author_name,
        names=() if code == "overdue" else tuple(one.name for one in fact.people),
        due_on=entry.due_on,
        due_at=entry.due_at,
        at=entry.open_until if entry.state == "proposed" else None,
        happened_at=entry.changed_at,
    )
