"""A mail that answers a digest: each part of it goes to the item that it answers.

A word about an entry, a meeting or a question is obeyed as if it answered that. What is said about a conversation came
to the bridge alone, and is private (PEOPLE 1): its author is asked whether everyone may read it. What cannot be placed
is asked back.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About
from passerelle.core.commands import Command, parse_mail_command
from passerelle.core.digest_answers import Quotable, Stretch, take_apart
from passerelle.core.digest_choice import Chosen, Item
from passerelle.core.digest_model import Digest
from passerelle.errors import CommandProblem
from passerelle.flows.actors import actor_of_email
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_addresses import is_talk, link_of_item, told_of
from passerelle.flows.digest_commands import is_about_digest
from passerelle.flows.digest_tokens import digest_of_tokens
from passerelle.flows.privacy_mail import Letter
from passerelle.flows.said import Said
from passerelle.mail.trim import PieceKind, trim
from passerelle.store.digests import find_digest
from passerelle.store.outbox import find_outbox_by_message_id
from passerelle.store.posts import find_post

#: Of a mail that answers a digest no more is read; it holds the whole digest, often twice.
_LONGEST = 200_000
#: Of a chain of References only the end can be what somebody answers.
_NEAREST = 5
_QUOTES = frozenset({PieceKind.QUOTE, PieceKind.FORWARDED})


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerPart:
    """What was said about one item; `item` None: nobody can tell about which."""

    digest: Digest
    item: Item | None
    #: Own words, in the link of the item, about what it is about.
    said: Said
    #: Of the items that it may be about: their titles, in the order of the digest.
    choices: tuple[Quotable, ...]
    #: It answers a question to its author alone, and nothing shows that it is they: a token may have been read on the
    #: list. Only who was asked knows the Message-ID of what asked them.
    needs_word: bool = False

    @property
    def is_talk(self) -> bool:
        """It is a word in a conversation, and no command."""
        return self.item is not None and is_talk(self.item)


async def parts_of_answer(
    ctx: FlowContext, conn: AsyncConnection, said: Said, letter: Letter
) -> tuple[AnswerPart, ...] | None:
    """What a mail to the bridge says about the items of a digest of its author's; None where it answers none, or says
    how often they want theirs."""
    digest = await _digest_answered(conn, said, letter)
    by_token = digest is None
    if digest is None:
        person_id, subject = said.actor.person_id, letter.email.subject
        digest = await digest_of_tokens(ctx, conn, said.link.association_name, person_id, subject)
    if digest is None or said.actor.person_id is None:
        return None
    told = told_of(ctx, said.link, digest, name=said.actor.name)
    pieces = take_apart(stretches_of(letter), told, subject=letter.email.subject, author=letter.author.name)
    if not pieces or (len(pieces) == 1 and _changes_digest(said, pieces[0].text)):
        return None
    items = {item.key: item for item in Chosen.from_json(digest.document).items}
    parts = []
    for number, piece in enumerate(pieces):
        item = items.get(piece.key)
        own = await said_about(ctx, conn, said, item, piece.text, key=f"{said.key}:{number}")
        needs_word = by_token and own.actor.proof == "none" and own.about is not None and own.about.kind == "ask"
        parts.append(AnswerPart(digest=digest, item=item, said=own, choices=told.items, needs_word=needs_word))
    return tuple(parts)


async def _digest_answered(conn: AsyncConnection, said: Said, letter: Letter) -> Digest | None:
    """The digest that a mail answers by its header: one of its author's own."""
    email, association, person_id = letter.email, said.link.association_name, said.actor.person_id
    for message_id in (*email.in_reply_to[:1], *reversed(email.references[-_NEAREST:])):
        ours = await find_outbox_by_message_id(conn, message_id)
        if ours is None or not ours.unique_key.startswith("digest/") or ours.association != association:
            continue
        digest = await find_digest(conn, association, ours.unique_key.split("/")[1])
        is_theirs = (ours.recipient or "").lower() == letter.author.address.lower()
        if digest is not None and (is_theirs or (person_id is not None and digest.person_id == person_id)):
            return digest
    return None


def stretches_of(letter: Letter) -> list[Stretch]:
    """The text of a mail, its author's own lines and others'; without signatures, headers and attributions."""
    pieces = trim((letter.email.text or "")[:_LONGEST]).pieces
    kept = [piece for piece in pieces if piece.kind is PieceKind.OWN or piece.kind in _QUOTES]
    return [Stretch(is_own=piece.kind is PieceKind.OWN, text=piece.text) for piece in kept]


def _changes_digest(said: Said, text: str) -> bool:
    """« stop », « pause 2 semaines »: how often they want theirs; « rattrapage depuis mardi »: another one."""
    kinds = said.link.association.entry_register.kinds
    try:
        found = parse_mail_command("", text, now=said.said_at, zone=said.link.zone, kinds=kinds)
    except CommandProblem:
        return False
    return isinstance(found, Command) and (is_about_digest(said, found) or found.name == "catch_up")


async def said_about(
    ctx: FlowContext, conn: AsyncConnection, said: Said, item: Item | None, text: str, *, key: str
) -> Said:
    """Words about an item, as if they answered what it is about; about nothing where their author has left its link."""
    own = replace(said, text=text, key=key, about=None, answered=None)
    if item is None:
        return own
    link = link_of_item(ctx, said.link.association_name, item, said.link)
    if link.path != said.link.path and said.email is not None and said.author is not None:
        actor = await actor_of_email(ctx, conn, link, said.email, said.author, through_list=False)
        own = replace(own, link=link, actor=actor)
    if not (own.actor.is_participant or own.actor.is_coordinator):
        return own
    answered = await find_post(conn, item.post_id) if item.post_id is not None else None
    return replace(own, about=_about(item), answered=answered)


def _about(item: Item) -> About | None:
    if item.ask_id is not None:
        return About(kind="ask", ids=(item.ask_id,))
    if item.meeting_id is not None:
        step = "minutes" if item.kind == "minutes" else "convocation"
        return About(kind="meeting", ids=(item.meeting_id,), step=step)
    return About(kind="entries", ids=(item.entry_id,)) if item.entry_id is not None else None


def stored_part(part: AnswerPart) -> dict[str, Any]:
    """What an ask keeps of words that were not placed, until their author says where they belong."""
    return {
        "digest": part.digest.permalink,
        "text": part.said.text,
        "said_at": part.said.said_at.isoformat(),
        "keys": [choice.key for choice in part.choices],
        "titles": [choice.title for choice in part.choices],
    }


async def part_of_stored(
    ctx: FlowContext, conn: AsyncConnection, said: Said, stored: dict[str, Any], key: str
) -> AnswerPart | None:
    """The words that waited, now that their author said which item they are about; None where it is there no more.

    Args:
        said: the mail that says so.
    """
    digest = await find_digest(conn, said.link.association_name, str(stored["digest"]))
    if digest is None:
        return None
    item = next((one for one in Chosen.from_json(digest.document).items if one.key == key), None)
    if item is None:
        return None
    own = replace(said, said_at=datetime.fromisoformat(str(stored["said_at"])))
    own = await said_about(ctx, conn, own, item, str(stored["text"]), key=f"{said.key}:placed")
    return AnswerPart(digest=digest, item=item, said=own, choices=())
