"""How each item of a digest is answered: its address, and the token by which an answer is placed.

An answer about a conversation is written to its list: it is a mail like any other, and nothing private is ever passed
on. Everything else is said to the bridge, and so is what somebody says who is not on that list.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import AnswerWay, Quotable, Told, build_mailto, short_token
from passerelle.core.digest_choice import Chosen, Item
from passerelle.core.digest_model import Digest
from passerelle.core.digest_words import build_shown, title_in_words
from passerelle.core.ids import AssociationName, MailAddress
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_make import MadeDigest, place_of
from passerelle.mail.html_text import html_to_text
from passerelle.store.posts import list_message_ids

#: What is answered by a word to everyone.
_TALK = frozenset({"thread", "question", "file"})
#: Of these nothing can be said that the bridge could take anywhere.
_UNANSWERED = frozenset({"newcomers", "held", "failed", "bounce"})


def token_of(ctx: FlowContext, permalink: str, key: str) -> str:
    """The token of an item in the digest of that permalink."""
    return short_token(ctx.hashed("digest_answer", permalink, key))


def is_answered(item: Item) -> bool:
    """Whether an item has an address of its own."""
    return item.kind not in _UNANSWERED


def is_talk(item: Item) -> bool:
    """Whether an answer to it is a word in a conversation, for everyone."""
    return item.kind in _TALK


def link_of_item(ctx: FlowContext, association: AssociationName, item: Item, otherwise: Link) -> Link:
    """The link that an item stands in."""
    return ctx.links.find(f"{association}/{item.link}") or otherwise


async def answer_ways(ctx: FlowContext, conn: AsyncConnection, link: Link, made: MadeDigest) -> Mapping[str, AnswerWay]:
    """By item key, how its reader answers it.

    Args:
        link: whose mailbox the digest leaves from.
    """
    association, words = AssociationName(made.association.name), ctx.renderer(made.association).words
    place, items = place_of(ctx, made.association, answers={}), list(filter(is_answered, made.chosen.items))
    answered = await list_message_ids(conn, {i.post_id for i in items if is_talk(i) and i.post_id is not None})
    ways = {}
    for item in items:
        token, own = token_of(ctx, made.permalink, item.key), link_of_item(ctx, association, item, link)
        labelled = title_in_words(item, words, place)
        title = item.title or labelled
        if is_talk(item) and own.name in made.lists:
            last = answered.get(item.post_id) if item.post_id is not None else None
            url = build_mailto(own.list_address, title, token, in_reply_to=last)
            ways[item.key] = AnswerWay(url=url, token=token, to_list=True)
        else:
            url = build_mailto(MailAddress(link.mailbox.address), labelled, token)
            ways[item.key] = AnswerWay(url=url, token=token)
    return ways


def numbered_ways(made: MadeDigest) -> dict[str, AnswerWay]:
    """By item key, the number by which it is answered where it is told by a message, in the order of the message."""
    answered = [item for name in made.chosen.sections for item in made.chosen.section(name) if is_answered(item)]
    return {item.key: AnswerWay(url="", token=str(number)) for number, item in enumerate(answered, 1)}


def told_of(ctx: FlowContext, link: Link, digest: Digest, *, name: str) -> Told:
    """What a digest said, as an answer to it may quote it; `name` is its reader's."""
    association, words = link.association, ctx.renderer(link.association).words
    chosen = Chosen.from_json(digest.document)
    ways = {
        item.key: AnswerWay(url="", token=token_of(ctx, digest.permalink, item.key))
        for item in chosen.items
        if is_answered(item)
    }
    place = place_of(ctx, association, answers=ways)
    shown = build_shown(chosen, words, place, kind=digest.kind, since=digest.since, until=digest.until)
    meetings = {item.key for item in chosen.items if item.kind == "meeting"}
    items = tuple(
        Quotable(
            key=item.key,
            token=item.token,
            title=item.title,
            others=(item.reason, item.extract),
            is_meeting=item.key in meetings,
        )
        for part in shown.parts
        for item in part.items
        if item.token
    )
    values = {
        "digest": shown, "name": name, "page_url": "", "stop_url": "", "association": association,
    }  # fmt: skip
    renderer = ctx.renderer(association)
    text = renderer.letter("mail/digest", **values).text
    html = renderer.letter_html("mail/digest", **values, subject=shown.subject) or ""
    labels = [words("digest_answer"), words("digest_answer_list")]
    links = [f"{label} {words('digest_token', token=item.token)}" for item in items for label in labels]
    return Told(items=items, text="\n".join([text, html_to_text(html), *labels, *links]))
