"""On whose behalf an event is sent, where the homeserver lets us have ghosts."""

from collections.abc import Sequence

from passerelle.core.email import Mailbox
from passerelle.core.links import Link
from passerelle.core.names import imitates, list_author_name
from passerelle.flows.context import FlowContext


def ghost_of(ctx: FlowContext, link: Link, author: Mailbox | None, names: Sequence[str]) -> dict[str, str] | None:
    """`localpart` and `display_name` of an author's ghost; None in bot mode, and for an author nobody can name.

    The local part is the configured prefix and a keyed hash: an address never reaches the homeserver. A name that looks
    like one of `names`, those of the link's other participants, carries the sign that says so.
    """
    appservice = ctx.settings.matrix.appservice
    if appservice is None or author is None:
        return None
    localpart = appservice.ghost_prefix + ctx.hashed("ghost", author.address.lower())
    words = ctx.renderer(link.association).words
    name = list_author_name(author.name, words)
    other = imitates(author.name, names) if author.name else None
    shown = name if other is None else f"{name} {words('looks_like', other=other)}"
    return {"localpart": localpart, "display_name": shown}
