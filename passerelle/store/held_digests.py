"""What is held of one person as a reader of digests, and of what they offer, agreed to and wrote down for others."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.digest_tables import consent, digest, digest_shown, digest_subscription, fiche, offer

_WHO: BindParameter[int] = bindparam("who")

_SUBSCRIPTIONS = select(
    digest_subscription.c.kind, digest_subscription.c.rhythm, digest_subscription.c.weekdays, digest_subscription.c.at,
    digest_subscription.c.medium, digest_subscription.c.whole, digest_subscription.c.paused_until,
    digest_subscription.c.next_at, digest_subscription.c.changed_at,
).where(digest_subscription.c.person_id == _WHO)  # fmt: skip
_SHOWN = (
    select(digest_shown.c.item_key, digest_shown.c.state, digest_shown.c.shown_at)
    .where(digest_shown.c.person_id == _WHO)
    .order_by(digest_shown.c.shown_at, digest_shown.c.item_key)
)
_DIGESTS = (
    select(digest.c.kind, digest.c.since, digest.c.until, digest.c.made_at, digest.c.permalink, digest.c.document)
    .where(digest.c.person_id == _WHO)
    .order_by(digest.c.until, digest.c.id)
)
_OFFERS = select(offer.c.text, offer.c.said_at, offer.c.ended_at).where(offer.c.person_id == _WHO).order_by(offer.c.id)
_CONSENTS = (
    select(consent.c.what, consent.c.asked_at, consent.c.answered_at, consent.c.given, consent.c.withdrawn_at)
    .where(consent.c.person_id == _WHO)
    .order_by(consent.c.id)
)
_FICHES = (
    select(fiche.c.link, fiche.c.state, fiche.c.audience, fiche.c.licence, fiche.c.permalink, fiche.c.document)
    .where(fiche.c.made_by_person_id == _WHO)
    .order_by(fiche.c.id)
)
_HELD = {
    "digest_subscriptions": _SUBSCRIPTIONS,
    "digests": _DIGESTS,
    "digest_shown": _SHOWN,
    "offers": _OFFERS,
    "consents": _CONSENTS,
    "fiches": _FICHES,
}


async def digests_of(conn: AsyncConnection, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """How a person wants their digests, which they got (of each, the titles), what they offer, agreed to, wrote as
    fiches: JSON values."""
    held = {
        what: [
            {name: _plain(value) for name, value in row._mapping.items()}
            for row in await conn.execute(statement, {"who": person_id})
        ]
        for what, statement in _HELD.items()
    }
    for one in held["digests"]:
        one["titles"] = _titles(one.pop("document"))
    return held


def _titles(document: Mapping[str, Any]) -> list[str]:
    """What a digest told of: others' words are theirs, and their names stay out of it."""
    return [item["title"] for item in document.get("items", ()) if item.get("title")]


def _plain(value: Any) -> Any:
    """Times and instants as ISO 8601."""
    return value.isoformat() if hasattr(value, "isoformat") else value
