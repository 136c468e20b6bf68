"""What an account says of the register: decisions, actions, loans, headcounts, requests, projects. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from passerelle.core.account_facts import AccountEntry, AccountFacts
from passerelle.core.account_model import AccountTable, Row, persons, things
from passerelle.core.account_paths import AccountPaths
from passerelle.core.account_suppression import tell_groups
from passerelle.core.secretary_settings import KindSettings

#: Kinds of which an account says how often they were noted, and no more.
_NOTED = ("question", "idea", "info", "agenda", "booking")
#: Activities side by side in one table by month.
_ABREAST = 4
_MOST_TAGS = 30


def register_tables(facts: AccountFacts, paths: AccountPaths) -> Iterable[AccountTable]:
    """The tables, in their order. What there is nothing of is left out, but decisions and actions."""
    yield _decisions(facts, paths)
    yield _actions(facts, paths)
    yield from _counts(facts, paths)
    yield from _loans(facts, paths)
    for kind in facts.kinds:
        yield from _requests(facts, kind, paths)
    noted = [
        Row(key=f"noted_{kind}", figures=(things(number, paths.register(kind)),))
        for kind in _NOTED
        if (number := len(_of_kind(facts, kind)))
    ]
    if noted:
        yield AccountTable(name="noted", columns=("number",), rows=tuple(noted))
    yield from _tags(facts, paths)


def _of_kind(facts: AccountFacts, kind: str) -> list[AccountEntry]:
    return [entry for entry in facts.entries if entry.kind == kind]


def _moved(facts: AccountFacts, kind: str, state: str) -> int:
    return sum(move.kind == kind and move.state == state for move in facts.moves)


def _decisions(facts: AccountFacts, paths: AccountPaths) -> AccountTable:
    def became(state: str) -> Row:
        path = paths.register("decision", became=state)
        return Row(key=f"decisions_{state}", figures=(things(_moved(facts, "decision", state), path),))

    proposed = things(len(_of_kind(facts, "decision")), paths.register("decision"))
    rows = (
        Row(key="decisions_proposed", figures=(proposed,)),
        became("adopted"),
        became("dropped"),
        Row(key="decisions_objected", figures=(things(facts.objected, paths.register("decision", became="objected")),)),
    )
    return AccountTable(name="decisions", columns=("number",), rows=rows)


def _actions(facts: AccountFacts, paths: AccountPaths) -> AccountTable:
    done = [move for move in facts.moves if move.kind == "action" and move.state == "done"]
    late = sum(move.due_on is not None and move.on > move.due_on for move in done)
    path = paths.register("action", became="done")
    rows = (
        Row(key="actions_noted", figures=(things(len(_of_kind(facts, "action")), paths.register("action")),)),
        Row(key="actions_done", figures=(things(len(done), path),)),
        Row(key="actions_late", figures=(things(late, path),)),
        Row(key="actions_overdue", figures=(things(facts.overdue.get("action", 0), paths.overdue("action", "open")),)),
    )
    return AccountTable(name="actions", columns=("number",), rows=rows)


def _loans(facts: AccountFacts, paths: AccountPaths) -> Iterable[AccountTable]:
    lent, returned, overdue = (
        len(_of_kind(facts, "loan")), _moved(facts, "loan", "returned"), facts.overdue.get("loan", 0),
    )  # fmt: skip
    if not lent and not returned and not overdue:
        return
    out = sum(entry.state == "out" for entry in _of_kind(facts, "loan"))
    rows = (
        Row(key="loans_lent", figures=(things(lent, paths.register("loan")),)),
        Row(key="loans_returned", figures=(things(returned, paths.register("loan", became="returned")),)),
        Row(key="loans_out", figures=(things(out, paths.register("loan", state="out")),)),
        Row(key="loans_overdue", figures=(things(overdue, paths.overdue("loan", "out")),)),
    )
    yield AccountTable(name="loans", columns=("number",), rows=rows)


def _requests(facts: AccountFacts, kind: KindSettings, paths: AccountPaths) -> Iterable[AccountTable]:
    found = _of_kind(facts, kind.name)
    if not found:
        return
    counted = Counter(entry.state for entry in found)
    rows = [
        Row(label=state, figures=(things(counted[state], paths.register(kind.name, state=state)),))
        # States that the configuration has no more stand behind those that it has.
        for state in dict.fromkeys((*kind.states, *sorted(counted)))
    ]
    total = Row(key="total", figures=(things(len(found), paths.register(kind.name)),), is_total=True)
    yield AccountTable(name="requests", about=kind.words[-1], columns=("number",), rows=(*rows, total))


# ------------------------------------------------------------ headcounts (« fréquentation »)


def _counts(facts: AccountFacts, paths: AccountPaths) -> Iterable[AccountTable]:
    """Persons by activity, and by activity and month: two levels, hidden as such."""
    found = [entry for entry in _of_kind(facts, "count") if entry.state == "kept" and entry.quantity is not None]
    if not found:
        return
    names = {entry.label_folded: entry.label for entry in reversed(found)}
    activities = sorted(names)
    months = facts.scope.period.months
    below, total = tell_groups(
        {name: _monthly([e for e in found if e.label_folded == name], months) for name in activities}
    )
    rows = [
        Row(
            key="" if names[name] else "no_activity",
            label=names[name],
            figures=(
                things(
                    sum(entry.label_folded == name for entry in found),
                    paths.register("count", state="kept", label=names[name]),
                ),
                persons(below[name].total),
            ),
        )
        for name in activities
    ]
    all_of_them = Row(
        key="total", figures=(things(len(found), paths.register("count", state="kept")), persons(total)), is_total=True
    )
    yield AccountTable(name="counts", columns=("noted", "persons"), rows=(*rows, all_of_them), chart="bars", drawn=(1,))
    if len(months) < 2:
        return
    for start in range(0, len(activities), _ABREAST):
        abreast = activities[start : start + _ABREAST]
        yield AccountTable(
            name="counts_by_month",
            columns=tuple(f":{names[name]}" if names[name] else "no_activity" for name in abreast),
            rows=(
                *(
                    Row(label=month, figures=tuple(persons(below[name].parts[place]) for name in abreast))
                    for place, month in enumerate(months)
                ),
                Row(key="total", figures=tuple(persons(below[name].total) for name in abreast), is_total=True),
            ),
            chart="bars",
            drawn=tuple(range(len(abreast))),
            is_by_month=True,
        )


def _monthly(entries: Sequence[AccountEntry], months: Sequence[str]) -> list[int]:
    counted: Counter[str] = Counter()
    for entry in entries:
        counted[f"{entry.said_on:%Y-%m}"] += max(entry.quantity or 0, 0)
    return [counted[month] for month in months]


# ------------------------------------------------------------ projects


def _tags(facts: AccountFacts, paths: AccountPaths) -> Iterable[AccountTable]:
    """Of each tag: conversations, and entries of the register. The most used first."""
    entries = Counter(tag for entry in facts.entries for tag in entry.tags)
    found = {tag: (facts.tagged_threads.get(tag, 0), entries[tag]) for tag in {*facts.tagged_threads, *entries}}
    if facts.scope.tag:
        return
    tags = sorted(found, key=lambda tag: (-sum(found[tag]), tag))
    rows = tuple(
        Row(label=f"#{tag}", figures=(things(found[tag][0]), things(found[tag][1], paths.labelled(tag))))
        for tag in tags[:_MOST_TAGS]
    )
    if rows:
        yield AccountTable(
            name="tags", columns=("threads", "entries"), rows=rows, more=max(len(tags) - _MOST_TAGS, 0)
        )  # fmt: skip
