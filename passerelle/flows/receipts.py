"""The receipt of an erasure in the words of the association: what was done, and what lies outside our reach."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from passerelle.core.settings import AssociationSettings
from passerelle.flows.context import FlowContext

#: What is counted, in the order in which it is told.
_TOLD = {
    "posts": "erased_posts",
    "originals": "erased_originals",
    "files": "erased_files",
    "quotes": "erased_quotes",
    "originals_dropped": "erased_originals_dropped",
    "events": "erased_events",
    "mailbox": "erased_mailbox",
    "mails_not_sent": "erased_mails_not_sent",
    "deliveries": "erased_deliveries",
    "addresses": "erased_addresses",
    "entries": "erased_entries",
    "names_in_decisions": "erased_names_in_decisions",
    "names_in_minutes": "erased_names_in_minutes",
}
#: What a coordinator kept.
_KEPT = {"decisions": "kept_decisions", "minutes": "kept_minutes"}


def receipt_text(
    ctx: FlowContext,
    association: AssociationSettings,
    receipt: Mapping[str, Any],
    *,
    number: int,
    done_at: datetime,
) -> str:
    """A receipt to be printed or sent. Raises ConfigError where the template cannot be rendered."""
    renderer = ctx.renderer(association)
    counts: Mapping[str, int] = receipt.get("counts", {})
    done = [renderer.words.count(key, counts[what]) for what, key in _TOLD.items() if counts.get(what)]
    kept = [
        (renderer.words.count(_KEPT[one["what"]], one["count"]), one["reason"]) for one in receipt.get("retained", [])
    ]
    return renderer.render(
        "privacy_receipt",
        association=association,
        number=number,
        done_at=done_at,
        done=done,
        kept=kept,
        still_member=bool(receipt.get("still_member")),
        mailbox_not_reached=bool(counts.get("mailbox_not_reached")),
        mailbox_left=bool(counts.get("mailbox_left")),
        pages_whole=bool(receipt.get("pages_whole", True)),
        dialect=receipt.get("dialect", "sqlite"),
    )
