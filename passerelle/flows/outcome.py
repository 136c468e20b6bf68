"""What comes of a command or an answer, and how its author is told: quietly, and in the medium it came from.

In the room a reaction says « noted »; what was asked for is answered beneath the line; what was not understood is told
to its author alone. By mail a short private answer goes to its author, and only where one is needed (PEOPLE 12, 13).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Mailbox
from passerelle.core.ids import UserId
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message, insert_reaction
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.room_notice import ANSWER_WITHIN, RoomAnswer, insert_room_notice
from passerelle.flows.said import Said
from passerelle.store.sessions import count_try

#: Answers a day to an address of which nothing proves that it asked: whoever writes in another's name must not fill
#: their mailbox by our hand.
MOST_ANSWERS = 20
_DAY = timedelta(days=1)
#: The signs by which the bridge says that it noted something.
NOTED = "✅"
DECISION, ACTION = "📌", "☑️"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of it."""

    #: For the inbox row and the tally: `noted`, `adopted`, `not_understood` …
    reason: str
    #: The sign put on the line in the room; "" for none. A mail gets none.
    reaction: str = ""
    #: A template of `templates/mail` and `templates/room`; "" where nothing is said.
    template: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    #: Said to its author alone, in the room too.
    is_private: bool = False
    #: Said in the room beside the sign: what everyone there should read. Elsewhere a sign is enough.
    speaks_up: bool = False
    #: A mail is answered as well. Where it is False, who wrote a mail hears nothing more.
    answers_mail: bool = True


def sentence(reason: str, text: str, *, reaction: str = "", is_private: bool = False) -> Outcome:
    """An outcome that is told by one sentence or a few, already in the reader's language."""
    return Outcome(
        reason=reason, reaction=reaction, template="answer", variables={"sentence": text}, is_private=is_private
    )


async def tell_outcome(ctx: FlowContext, conn: AsyncConnection, said: Said, outcome: Outcome) -> None:
    """Tell the author of a command or answer what came of it; once, however often it is asked."""
    if said.line is not None:
        await _tell_in_room(ctx, conn, said, outcome)
    elif not outcome.template:
        return
    elif said.email is not None and said.author is not None:
        if outcome.answers_mail:
            await _tell_by_mail(ctx, conn, said, said.author, outcome)
    elif said.actor.user_id is not None:
        await _tell_directly(ctx, conn, said, said.actor.user_id, outcome)


async def _tell_by_mail(ctx: FlowContext, conn: AsyncConnection, said: Said, to: Mailbox, outcome: Outcome) -> None:
    if said.actor.proof == "none":
        who = ctx.hashed("answer", to.address.lower())
        if await count_try(conn, "answer", who, now=ctx.now(), window=_DAY) > MOST_ANSWERS:
            return
    await insert_personal_email(
        ctx,
        conn,
        said.link,
        Personal(
            to=to,
            template=outcome.template,
            unique_key=f"answer:{said.key}:{outcome.reason}",
            answers=said.email,
            variables={"name": said.actor.name, **outcome.variables},
        ),
    )


async def _tell_directly(ctx: FlowContext, conn: AsyncConnection, said: Said, to: UserId, outcome: Outcome) -> None:
    await insert_direct_message(
        ctx,
        conn,
        said.link,
        DirectMessage(
            to=to,
            template=outcome.template,
            unique_key=f"answer:{said.key}:{outcome.reason}",
            variables={"name": said.actor.name, **outcome.variables},
        ),
    )


async def _tell_in_room(ctx: FlowContext, conn: AsyncConnection, said: Said, outcome: Outcome) -> None:
    line, room_id = said.line, ctx.links.room_of(said.link)
    if line is None or room_id is None or said.said_at < ctx.now() - ANSWER_WITHIN:
        return
    if outcome.reaction:
        await insert_reaction(
            ctx,
            conn,
            said.link,
            room_id=room_id,
            target=line.event_id,
            key=outcome.reaction,
            unique_key=f"noted:{line.event_id}:{outcome.reaction}",
        )
    # Where a sign says it all, nothing more is said.
    if not outcome.template or (outcome.reaction and not outcome.is_private and not outcome.speaks_up):
        return
    if outcome.is_private:
        await _tell_directly(ctx, conn, said, line.sender, outcome)
        return
    variables = {"name": said.actor.name, **outcome.variables}
    answer = RoomAnswer(purpose=f"answer:{outcome.reason}", template=outcome.template, variables=variables)
    await insert_room_notice(ctx, conn, said.link, line, answer)
