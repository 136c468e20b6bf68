"""How each item of a digest is answered: its address, and the token by which an answer is placed.

An answer about a conversation is written to its list: it is a mail like any other, and nothing private is ever passed
on. Everything else is said to the bridge, and so is what somebody says who is not on that list.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import AnswerWay, Quotable, Told, build_mailto, short_token
from passerelle.core.digest_choice import Chosen, Item
from passerelle.core.digest_model import Digest
from passerelle.core.digest_words import ShownDigest, build_shown
from passerelle.core.ids import AssociationName, MailAddress
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_make import MadeDigest, place_of
from passerelle.flows.readers import find_place
from passerelle.mail.html_text import html_to_text
from passerelle.store.threads import last_mail_of_thread

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
    association, person_id = AssociationName(made.association.name), made.reader.person_id
    place = await find_place(ctx, conn, association, person_id) if person_id is not None else None
    titles = {item.key: item.title for part in _shown(ctx, made).parts for item in part.items}
    ways = {}
    for item in filter(is_answered, made.chosen.items):
        token, own = token_of(ctx, made.permalink, item.key), link_of_item(ctx, association, item, link)
        if is_talk(item) and place is not None and place[0].on_list(own.name):
            last = await last_mail_of_thread(conn, association, item.thread_id, limit=1) if item.thread_id else []
            subject = item.title or titles[item.key]
            url = build_mailto(own.list_address, subject, token, in_reply_to=last[-1] if last else None)
            ways[item.key] = AnswerWay(url=url, token=token, to_list=True)
        else:
            url = build_mailto(MailAddress(link.mailbox.address), titles[item.key], token)
            ways[item.key] = AnswerWay(url=url, token=token)
    return ways


def _shown(ctx: FlowContext, made: MadeDigest) -> ShownDigest:
    words, place = ctx.renderer(made.association).words, place_of(ctx, made.association, answers={})
    return build_shown(made.chosen, words, place, kind=made.kind, since=made.since, until=made.until)


def told_of(ctx: FlowContext, link: Link, digest: Digest) -> Told:
    """What a digest said, as an answer to it may quote it."""
    association, words = link.association, ctx.renderer(link.association).words
    chosen = Chosen.from_json(digest.document)
    ways = {
        item.key: AnswerWay(url="", token=token_of(ctx, digest.permalink, item.key))
        for item in chosen.items
        if is_answered(item)
    }
    place = place_of(ctx, association, answers=ways)
    shown = build_shown(chosen, words, place, kind=digest.kind, since=digest.since, until=digest.until)
    items = tuple(
        Quotable(key=item.key, token=item.token, title=item.title, others=(item.reason, item.extract))
        for part in shown.parts
        for item in part.items
        if item.token
    )
    values = {
        "digest": shown, "name": "", "page_url": "", "stop_url": "", "is_answered": True, "association": association,
    }  # fmt: skip
    renderer = ctx.renderer(association)
    text = renderer.letter("mail/digest", **values).text
    html = renderer.letter_html("mail/digest", **values, subject=shown.subject) or ""
    sure = [words("digest_answer"), words("digest_answer_list")]
    return Told(items=items, text="\n".join([text, html_to_text(html), *sure]))
