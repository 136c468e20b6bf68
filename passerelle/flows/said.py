"""What somebody said to the bridge or to everyone, by mail or in the room: one value for both media."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from passerelle.core.about import About
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import EventId
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.core.permissions import Actor
from passerelle.core.register_model import Medium
from passerelle.flows.context import FlowContext
from passerelle.matrix.events import RoomLine


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """One mail, line or reaction, before it is looked up who they are that said it.

    Most of what is said asks nothing of the secretary, and then it need not be known.
    """

    link: Link
    #: Their own words, without what they quote and without signature.
    text: str = field(repr=False)
    #: Aware.
    said_at: datetime
    #: What tells it from all others: an event ID, or `inbox:<id>`. Part of the unique keys of what answers it.
    key: str
    #: What it answers of the bridge's own notices, or of what entries were read out of.
    about: About | None = None
    #: The post that it answers, where it answers one.
    answered: Post | None = None
    #: The post that it is; None for what is obeyed and not relayed.
    post: Post | None = None
    #: In the room: the line, to answer beneath it.
    line: RoomLine | None = field(default=None, repr=False)
    #: In the room: the reaction, where it is one.
    sign: EventId | None = None
    #: By mail: the email and its author, to answer it.
    email: Email | None = field(default=None, repr=False)
    author: Mailbox | None = None

    #: Nobody else reads it, nor what answers it: a mail to the bridge's address, a line of a direct room.
    is_private: bool = False

    @property
    def medium(self) -> Medium:
        return "mail" if self.line is None and self.sign is None else "room"

    def said_by(self, actor: Actor) -> "Said":
        """The same, said by somebody."""
        return Said(actor=actor, **{one.name: getattr(self, one.name) for one in fields(Heard)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Said(Heard):
    """One mail, line or reaction, as the secretary's flows are given it."""

    actor: Actor

    @property
    def medium(self) -> Medium:
        return self.actor.medium


def said_key_hash(ctx: FlowContext, said: Said) -> str | None:
    """By what a line of the room that is no post, or a sign, is found again, should it be taken back; None for all
    else."""
    event_id = said.line.event_id if said.line is not None else said.sign
    if event_id is None or said.post is not None or said.is_private:
        return None
    return key_hash_of(ctx, said.link, event_id)


def key_hash_of(ctx: FlowContext, link: Link, event_id: EventId) -> str:
    """Keyed, and of the link as well: a redaction in one room takes back nothing that was said in another."""
    return ctx.hashed("said", link.path, event_id)
