"""Who gets a digest, and when: coordinators by the configuration, everyone else as they wish (PEOPLE 11)."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_model import Subscription
from passerelle.core.digest_rhythm import next_due
from passerelle.core.ids import AssociationName, MailAddress, UserId
from passerelle.core.readership import named_alike
from passerelle.core.settings import AssociationSettings, Coordinator, Settings
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import association_of, find_place
from passerelle.flows.sign_in import people_at
from passerelle.store.digests import end_subscription, find_subscription, list_subscriptions, put_subscription
from passerelle.store.meta import find_meta, set_meta
from passerelle.store.people import find_or_insert_person
from passerelle.store.readers import find_person_of

log = logging.getLogger(__name__)

#: In `meta`: for which configuration coordinators were last subscribed, and when.
_FOR = "digests_for"
_LOOK_AGAIN_AFTER = timedelta(days=1)
#: Associations that one transaction is about: nothing else is written meanwhile.
_AT_ONCE = 50


def configured_digests(ctx: FlowContext, settings: Settings) -> str:
    """What of a configuration decides who gets a digest by it: the same where nothing of that changed."""
    parts = [
        f"{one.name} {one.timezone} {one.digests.model_dump_json()}"
        f" {[coordinator.model_dump_json() for coordinator in one.coordinators]}"
        for one in settings.associations
    ]
    return ctx.hashed("digests_for", *parts)


async def next_subscribing_at(ctx: FlowContext, configured: str) -> datetime:
    """When coordinators are looked at next: now where the configuration is another, otherwise once a day, since who
    never wrote may be known by another name tomorrow."""
    async with ctx.store.read() as conn:
        known_for, _, at = (await find_meta(conn, _FOR) or "").partition("@")
    return ctx.now() if known_for != configured else datetime.fromisoformat(at) + _LOOK_AGAIN_AFTER


async def subscribe_coordinators(ctx: FlowContext, configured: str) -> int:
    """Give every coordinator of the configuration their digest, and who is none any more none; how many changed.

    Who said by themselves what they want keeps that.
    """
    changed = 0
    async with ctx.store.read() as conn:
        known = {(one.association, one.person_id): one for one in await list_subscriptions(conn)}
    wanted: set[tuple[AssociationName, int]] = set()
    associations = [one for one in ctx.settings.associations if one.digests.coordinators == "weekly"]
    for begin in range(0, len(associations), _AT_ONCE):
        async with ctx.store.write() as conn:
            for association in associations[begin : begin + _AT_ONCE]:
                for coordinator in association.coordinators:
                    person_id = await _person_of(ctx, conn, association, coordinator)
                    if person_id is not None:
                        wanted.add((AssociationName(association.name), person_id))
                        changed += await _subscribe(ctx, conn, association, coordinator, person_id, known)
    async with ctx.store.write() as conn:
        for (name, person_id), one in known.items():
            if one.kind == "coordinator" and (name, person_id) not in wanted:
                await end_subscription(conn, name, person_id)
                changed += 1
        await set_meta(conn, _FOR, f"{configured}@{ctx.now().isoformat()}")
    if changed:
        log.info("Coordinators' digests follow the configuration", extra={"changed": changed})
    return changed


async def _person_of(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, coordinator: Coordinator
) -> int | None:
    name = AssociationName(association.name)
    if coordinator.matrix is not None:
        found = await find_person_of(conn, name, UserId(coordinator.matrix))
        if found is not None:
            return found
    if coordinator.address is not None:
        people = [person for person, _ in await people_at(ctx, conn, association, MailAddress(coordinator.address))]
        alike = [person.id for person in people if named_alike(coordinator.name, person.name)]
        takes_part = [person_id for person_id in alike if await _takes_part(ctx, conn, name, person_id)]
        return next(iter([*takes_part, *alike]), None)
    if coordinator.matrix is None:
        return None
    user_id = UserId(coordinator.matrix)
    return await find_or_insert_person(conn, name, name=coordinator.name, user_id=user_id, now=ctx.now())


async def _takes_part(ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int) -> bool:
    """Whether a person is on a list or in a room, and not only in the configuration."""
    place = await find_place(ctx, conn, association, person_id)
    return place is not None and any(place[0].takes_part(link.name) for link in ctx.links)


async def _subscribe(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationSettings,
    coordinator: Coordinator,
    person_id: int,
    known: Mapping[tuple[AssociationName, int], Subscription],
) -> bool:
    name = AssociationName(association.name)
    before = known.get((name, person_id))
    if before is not None and before.kind == "member":
        return False
    wanted = Subscription(
        association=name,
        person_id=person_id,
        kind="coordinator",
        rhythm="weekly",
        at=association.digests.at,
        medium="mail" if coordinator.address is not None else "room",
        told_until=before.told_until if before is not None else None,
        changed_at=ctx.now(),
    )
    wanted = _timed(ctx, association, wanted)
    if before is not None and before.next_at is not None and before.next_at <= ctx.now():
        return False  # it is on its way
    if before is not None and wanted == replace(before, changed_at=wanted.changed_at):
        return False
    await put_subscription(conn, wanted)
    return True


def _timed(ctx: FlowContext, association: AssociationSettings, wanted: Subscription) -> Subscription:
    return replace(wanted, next_at=next_due(wanted, association.digests, association.timezone, after=ctx.now()))


# ------------------------------------------------------------ one's own wish


async def wish(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    changes: Mapping[str, Any],
) -> Subscription:
    """Note what a person wants, in the place of what they had or of nothing; what `changes` does not name stays.

    From now on it is their own wish, and no configuration's.
    """
    settings = association_of(ctx, association)
    assert settings is not None  # the link of a command is configured
    before = await find_subscription(conn, association, person_id)
    if before is None:
        before = Subscription(
            association=association,
            person_id=person_id,
            kind="member",
            rhythm="weekly",
            at=settings.digests.at,
            changed_at=ctx.now(),
        )
    wanted = replace(before, **{"kind": "member", "changed_at": ctx.now(), **changes})
    wanted = _timed(ctx, settings, wanted)
    await put_subscription(conn, wanted)
    return wanted


async def stop_subscription(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int
) -> None:
    """A person wants none any more; a coordinator neither."""
    await wish(ctx, conn, association, person_id, {"rhythm": "off", "paused_until": None})


def following(ctx: FlowContext, one: Subscription, *, after: datetime) -> datetime | None:
    """When a subscription is due next, after `after`; None where its association is configured no more."""
    settings = association_of(ctx, one.association)
    return None if settings is None else next_due(one, settings.digests, settings.timezone, after=after)
