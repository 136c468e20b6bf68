"""« mon prénom : oui »: whether one's first name may stand on the printed page.

A « oui » is proved, or confirmed; a « non » counts at once.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import ConsentArguments
from passerelle.core.consents import FIRST_NAME
from passerelle.core.first_names import first_name
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_commands import person_of
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.consents import find_consent, give_consent, withdraw_consent


async def consent_command(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: ConsentArguments) -> Outcome:
    """Note it, and say in one sentence what holds from now on, to who said it alone."""
    if wanted.given and (refused := await may(ctx, said, "consent")) is not None:
        return refused
    words, name = ctx.renderer(said.link.association).words, said.link.association_name
    person_id = await person_of(ctx, conn, said)
    if person_id is None:
        return sentence("consent_stranger", words("digest_stranger"), is_private=True)
    if wanted.given is None:
        found = await find_consent(conn, name, person_id, FIRST_NAME)
        is_given = found is not None and found.given
    else:
        is_given = wanted.given
        if is_given:
            await give_consent(conn, name, person_id, FIRST_NAME, now=ctx.now())
        else:
            await withdraw_consent(conn, name, person_id, FIRST_NAME, now=ctx.now())
    shown = first_name(said.actor.name)
    if not is_given:
        told = words("first_name_not_given")
    elif said.link.association.digests.first_names == "never":
        told = words("first_name_never")
    else:
        told = words("first_name_given", name=shown) if shown else words("first_name_unknown")
    reaction = NOTED if wanted.given is not None else ""
    return sentence("first_name", told, reaction=reaction, is_private=True)
