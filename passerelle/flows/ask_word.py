"""What somebody says in another's name counts only where it is proved who says it: else they are asked first.

A proxy is a vote, and « excusée : Annie » takes her « je viens » away. A mail that nothing proves may say neither; who
wrote it is asked at the address that we know, and their « oui » lets that one thing be done (`flows.confirm_act`).
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.meeting_model import Meeting, RsvpAnswer
from passerelle.core.said_names import is_proper_name
from passerelle.flows.confirm_act import Unconfirmed, ask_to_confirm
from passerelle.flows.context import FlowContext
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.said import Said
from passerelle.flows.who_is_named import known_names

#: Where the author was asked; they are told nothing beside the question.
ASKED_FOR_WORD = "asked_for_word"


async def ask_for_answer(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, names: Sequence[str], answer: RsvpAnswer
) -> Outcome:
    """Ask the author of a mail whether they pass on that others come, or do not; what they are told beside that.

    The question is made of names alone: why somebody does not come is kept nowhere (PEOPLE 9). So a word without a
    capital, which may be a reason, is no name unless somebody is called so.
    """
    words = ctx.renderer(said.link.association).words
    known = [one.name for one in await known_names(conn, said.link)]
    called = {fold(name) for whole in known for name in (whole, *whole.split())}
    meant = [name for name in names if is_proper_name(name) or fold(name) in called]
    if not meant:
        return sentence("rsvp_nobody", words("rsvp_nobody"), is_private=True)
    return await _ask(ctx, conn, said, meeting, words(f"ask_word_{answer}", names=", ".join(meant)))


async def ask_for_proxy(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, giver: str, holder: str
) -> Outcome:
    """The same of a proxy."""
    words = ctx.renderer(said.link.association).words
    return await _ask(ctx, conn, said, meeting, words("ask_word_proxy", giver=giver, holder=holder))


async def _ask(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, line: str) -> Outcome:
    """`line` is what « oui » lets be done, understood anew then."""
    about = {"kind": "meeting", "ids": [meeting.id], "step": said.about.step if said.about is not None else ""}
    command = {"text": line, "said_at": said.said_at.isoformat(), "about": about}
    act = Unconfirmed(link=said.link, actor=said.actor, words=line, command=command)
    if await ask_to_confirm(ctx, conn, act, email=said.email) == "too_long":
        words = ctx.renderer(said.link.association).words
        return sentence("confirm_too_long", words("confirm_too_long"), is_private=True)
    return Outcome(reason=ASKED_FOR_WORD)
