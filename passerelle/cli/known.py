"""Whom an administrator means by what they typed."""

from passerelle.core.ids import AssociationName
from passerelle.core.settings import AssociationSettings
from passerelle.errors import PasserelleError
from passerelle.flows.context import FlowContext
from passerelle.i18n import _
from passerelle.store.privacy import KnownPerson, find_persons


class Unclear(PasserelleError):
    """Nobody or nothing is meant, or several are."""


async def known_person(ctx: FlowContext, association: AssociationSettings, who: str) -> KnownPerson:
    """The person of that address, account, whole name or number. Raises Unclear with a sentence."""
    async with ctx.store.read() as conn:
        found = await find_persons(conn, AssociationName(association.name), who)
    if not found:
        raise Unclear(_("Nobody is known by that address, account, name or number."))
    if len(found) > 1:
        kinds = {True: _("mail"), False: _("chat")}
        numbers = ", ".join(f"{one.id} ({kinds[bool(one.addresses)]})" for one in found)
        raise Unclear(_("Several persons are meant; say which by number: {numbers}.").format(numbers=numbers))
    return found[0]
