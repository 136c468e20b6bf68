"""« je peux aider pour : écrivain public »: what people offer, said to everyone, until they say otherwise.

A line noted in an accepted post needs no proof: it promises nothing but its author's time, and its author can end it.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_model import NewOffer, Offer
from passerelle.core.ids import EventId
from passerelle.core.links import Link
from passerelle.core.model import Post, Side
from passerelle.core.names import mask_contacts, safe_name
from passerelle.core.offers import MOST_OFFERS, find_ended, is_same_offer, offers_in_words
from passerelle.core.register_line_notes import OfferNote
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_commands import person_of
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said, key_hash_of, said_key_hash
from passerelle.store.offers import (
    delete_offers_said,
    end_offer,
    insert_offer,
    list_offers_of,
    list_offers_of_post,
    list_shown_offers,
)
from passerelle.store.people import note_participant


async def take_offer(
    ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post | None, note: OfferNote
) -> list[Outcome]:
    """Keep an offer, or end it; what is told: a sign beneath a post, a sentence of what was said to the bridge."""
    person_id = (post.person_id if post is not None else None) or await person_of(ctx, conn, said)
    if person_id is None:
        return []
    before = await list_offers_of(conn, said.link.association_name, person_id)
    words = ctx.renderer(said.link.association).words
    if note.ends:
        ended = find_ended(before, note.text)
        for offer in ended:
            await end_offer(conn, offer.id, ctx.now())
        if not ended:
            mine = offers_in_words(((offer.text, "") for offer in before), words)
            return [] if post is not None else [sentence("offer_unknown", words("offer_unknown", offers=mine))]
        return [_told(post, words("offer_ended", text=ended[0].text))]
    if not any(is_same_offer(offer.text, note.text) for offer in before):
        await _keep(ctx, conn, said, post, note, person_id, before)
    return [_told(post, words("offer_noted", text=note.text))]


def _told(post: Post | None, text: str) -> Outcome:
    if post is not None:
        return Outcome(reason="noted", reaction=NOTED)
    return sentence("offer", text, reaction=NOTED)


async def _keep(
    ctx: FlowContext,
    conn: AsyncConnection,
    said: Said,
    post: Post | None,
    note: OfferNote,
    person_id: int,
    before: Sequence[Offer],
) -> None:
    if post is None and said.actor.is_participant:
        # Who is in the room and has not said anything yet is not known to take part.
        side: Side = "room" if said.actor.user_id is not None and said.email is None else "list"
        await note_participant(conn, said.link.association_name, said.link.name, person_id, side, ctx.now())
    for oldest in before[: len(before) + 1 - MOST_OFFERS]:
        await end_offer(conn, oldest.id, ctx.now())
    await insert_offer(
        conn,
        NewOffer(
            association=said.link.association_name,
            person_id=person_id,
            text=note.text,
            said_at=post.said_at if post is not None else said.said_at,
            post_id=post.id if post is not None else None,
            said_key_hash=said_key_hash(ctx, said) if post is None else None,
        ),
    )


async def retake_offers(
    ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post, notes: Sequence[OfferNote]
) -> None:
    """A line reads otherwise than before: what it offered follows."""
    offered = [note.text for note in notes if not note.ends]
    for offer in await list_offers_of_post(conn, post.id):
        if not any(is_same_offer(offer.text, text) for text in offered):
            await end_offer(conn, offer.id, ctx.now())
    for note in notes:
        await take_offer(ctx, conn, said, post, note)


async def take_offers_back(ctx: FlowContext, conn: AsyncConnection, link: Link, event_id: EventId) -> bool:
    """Whether a line of the room that was no post, and was taken back, had offered something: then it goes."""
    return await delete_offers_said(conn, key_hash_of(ctx, link, event_id))


async def offers_command(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome:
    """`!offres`: who can help with what, to who takes part."""
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    words = ctx.renderer(said.link.association).words
    if not (said.actor.is_participant or said.actor.is_coordinator):
        return sentence("offers", words("digest_stranger"), is_private=True)
    found = await list_shown_offers(conn, said.link.association_name, [said.link.name])
    mask = words("masked_address")
    listed = [(mask_contacts(one.offer.text, mask), safe_name(one.name)) for one in found]
    return sentence("offers", words("offers_told", offers=offers_in_words(listed, words)))
