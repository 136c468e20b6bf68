"""Newcomers in a digest; and for coordinators what was held, failed or came back. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from passerelle.core.digest_facts import NewcomerFact, ServiceFact
from passerelle.core.digest_items import Item, ItemKind, Reason
from passerelle.core.digest_telling import Telling
from passerelle.core.digest_weights import NAMED_NEWCOMERS, WEIGHTS
from passerelle.core.ids import LinkName


def newcomer_items(telling: Telling) -> Iterator[Item]:
    """Who takes part since the digest's time, link by link; the first few by name, all of them counted."""
    links: defaultdict[LinkName, dict[int, NewcomerFact]] = defaultdict(dict)
    for fact in sorted(telling.facts.newcomers, key=lambda fact: (fact.since, fact.person_id, fact.side)):
        if telling.is_in_time(fact.since):
            links[fact.link].setdefault(fact.person_id, fact)
    for link, people in sorted(links.items()):
        names = tuple(fact.name for fact in people.values() if fact.name)
        newest = max(fact.since for fact in people.values())
        yield Item(
            key=f"newcomers:{link}",
            section="newcomers",
            kind="newcomers",
            state=newest.isoformat(),
            reason=Reason(code="newcomers", count=len(people)),
            weight=WEIGHTS["newcomers"],
            link=link,
            names=names[:NAMED_NEWCOMERS],
            happened_at=newest,
        )


def service_items(telling: Telling) -> Iterator[Item]:
    """What went wrong, once for each link and kind of trouble; again where something new went wrong."""
    groups: defaultdict[tuple[ItemKind, str], list[ServiceFact]] = defaultdict(list)
    for fact in sorted(telling.facts.service, key=lambda fact: (fact.at, fact.key)):
        if fact.at < telling.until and (fact.is_open or telling.is_in_time(fact.at)):
            groups[(fact.what, fact.link)].append(fact)
    for (what, _), troubles in sorted(groups.items()):
        yield _trouble(what, troubles)


def _trouble(what: ItemKind, troubles: list[ServiceFact]) -> Item:
    last = troubles[-1]
    # Each of these kinds is a reason of the same name.
    code = next(code for code in ("held", "failed", "bounce") if code == what)
    return Item(
        key=f"{what}:{last.link}",
        section="service",
        kind=what,
        state=last.key,
        reason=Reason(code=code, count=len(troubles), at=last.at),
        weight=WEIGHTS[code],
        link=last.link,
        extract=last.detail,
        happened_at=last.at,
    )
