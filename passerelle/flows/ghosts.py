"""On whose behalf an event is sent, where the homeserver lets us have ghosts."""

from passerelle.core.email import Mailbox
from passerelle.flows.context import FlowContext


def ghost_of(ctx: FlowContext, author: Mailbox | None) -> dict[str, str] | None:
    """`localpart` and `display_name` of an author's ghost; None in bot mode, and for an author nobody can name.

    The local part is the configured prefix and a keyed hash: an address never reaches the homeserver.
    """
    appservice = ctx.settings.matrix.appservice
    if appservice is None or author is None:
        return None
    localpart = appservice.ghost_prefix + ctx.hashed("ghost", author.address.lower())
    return {"localpart": localpart, "display_name": author.name}
