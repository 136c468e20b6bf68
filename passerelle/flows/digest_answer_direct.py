"""A line of a direct room that answers the digest told there: it begins with an item's number, or quotes its line.

Who says something about a conversation there is told that nobody else reads it: the room is one step away.
"""

import re

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import Stretch, Told, take_apart
from passerelle.core.digest_choice import Chosen, Item
from passerelle.core.model import OutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_addresses import is_talk, told_of
from passerelle.flows.digest_answers import said_about
from passerelle.flows.obey import obey
from passerelle.flows.outcome import sentence, tell_outcome
from passerelle.flows.said import Said
from passerelle.store.digests import find_digest

#: « 2 je viens », « 3. fait ».
_NUMBERED = re.compile(r"\s*([0-9]{1,2})\s?(?:[.):,–-]\s*|\s)(?=\S)")


async def take_direct_answer(ctx: FlowContext, conn: AsyncConnection, said: Said, ours: OutboxRow | None) -> bool:
    """Act on a line that answers an item of the digest which `ours` told; whether it did."""
    if ours is None or not ours.unique_key.startswith("digest/") or said.actor.person_id is None:
        return False
    digest = await find_digest(conn, said.link.association_name, ours.unique_key.split("/")[1])
    if digest is None or digest.person_id != said.actor.person_id:
        return False
    told = told_of(ctx, said.link, digest, name=said.actor.name)
    items = {item.key: item for item in Chosen.from_json(digest.document).items}
    parts = _parts(said.text, told, items)
    for number, (item, text) in enumerate(parts):
        own = await said_about(ctx, conn, said, item, text, key=f"{said.key}:{number}")
        if is_talk(item) or not await obey(ctx, conn, own):
            words = ctx.renderer(said.link.association).words
            outcome = sentence("digest_answer_direct", words("digest_answer_direct"), is_private=True)
            await tell_outcome(ctx, conn, own, outcome)
    return bool(parts)


def _parts(text: str, told: Told, items: dict[str, Item]) -> list[tuple[Item, str]]:
    """Of each answered item, what was said; nothing where a line names none."""
    found = _NUMBERED.match(text)
    if found is not None and 1 <= int(found[1]) <= len(told.items):
        return [(items[told.items[int(found[1]) - 1].key], text[found.end() :].strip())]
    lines = [Stretch(is_own=not line.startswith(">"), text=line) for line in text.splitlines()]
    if all(line.is_own for line in lines):
        return []
    return [(items[piece.key], piece.text) for piece in take_apart(lines, told) if piece.key in items]
