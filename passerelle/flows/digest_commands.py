"""Commands about one's digest: how often, a pause, no more; told in one sentence, to its author alone."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import DigestArguments, DigestPauseArguments
from passerelle.core.command_row import CommandName
from passerelle.core.commands import Command
from passerelle.core.digest_model import Subscription
from passerelle.core.digest_rhythm import days_of
from passerelle.core.email import Email
from passerelle.core.permissions import Act
from passerelle.core.recurrence import instant_of
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_wishes import wish
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.digests import find_subscription
from passerelle.store.outbox import find_outbox_by_message_id
from passerelle.store.people import find_or_insert_person

DIGEST_COMMANDS: frozenset[CommandName] = frozenset({"digest", "digest_pause", "digest_resume", "digest_stop"})


def is_about_digest(said: Said, command: Command) -> bool:
    """Whether a command is the digest's: « pause » and « reprendre » are a meeting's only in its room."""
    return command.name in DIGEST_COMMANDS or (said.is_private and command.name in ("pause", "resume"))


async def run_digest_command(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome:
    """Do it, and say what holds from now on."""
    words, arguments = ctx.renderer(said.link.association).words, command.arguments
    changes = _changes(said, command)
    act: Act = "remind" if isinstance(arguments, DigestArguments) and changes else "search"
    if (refused := await may(ctx, said, act)) is not None:
        return refused
    person_id, name = await person_of(ctx, conn, said), said.link.association_name
    if person_id is None:
        return sentence("digest_stranger", words("digest_stranger"), is_private=True)
    if command.name == "pause":
        told = f"{words('command_wrong_pause_unclear')} {words('command_for_example', example='pause 2 semaines')}"
        return sentence("digest_pause", told, is_private=True)
    if not changes:
        return _told(said, words, await find_subscription(conn, name, person_id), noted=False)
    return _told(said, words, await wish(ctx, conn, name, person_id, changes), noted=True)


async def answers_digest(conn: AsyncConnection, email: Email) -> bool:
    """Whether a mail answers a digest: its first line may then be a command, whatever its subject."""
    ours = await find_outbox_by_message_id(conn, email.in_reply_to[0]) if email.in_reply_to else None
    return ours is not None and ours.unique_key.startswith("digest/")


async def person_of(ctx: FlowContext, conn: AsyncConnection, said: Said) -> int | None:
    """Whose digest it would be; who is in the room and has not said anything yet is made known here."""
    actor = said.actor
    if actor.person_id is not None or actor.user_id is None or not actor.is_participant:
        return actor.person_id
    name = said.link.association_name
    return await find_or_insert_person(conn, name, name=actor.name, user_id=actor.user_id, now=ctx.now())


def _changes(said: Said, command: Command) -> Mapping[str, Any]:
    arguments = command.arguments
    if isinstance(arguments, DigestPauseArguments):
        begins = datetime.combine(arguments.until, time(0))
        return {"paused_until": instant_of(begins, said.link.association.timezone)}
    if isinstance(arguments, DigestArguments):
        return _wished(said, arguments)
    return {"digest_stop": {"rhythm": "off", "paused_until": None}}.get(command.name, {"paused_until": None})


def _wished(said: Said, arguments: DigestArguments) -> Mapping[str, Any]:
    changes = arguments.wish.changes() if arguments.wish is not None else {}
    if changes and "medium" not in changes and "rhythm" in changes:
        # Where they ask is where they read.
        changes["medium"] = "room" if said.medium == "room" else "mail"
    return changes


def _told(said: Said, words: Words, subscription: Subscription | None, *, noted: bool) -> Outcome:
    told = subscription_in_words(said, words, subscription)
    return sentence("digest_wish", told, reaction=NOTED if noted else "", is_private=True)


def subscription_in_words(said: Said, words: Words, subscription: Subscription | None) -> str:
    """What somebody gets, in a sentence or two."""
    if subscription is None:
        return words("digest_wish_none")
    if subscription.rhythm == "off" or subscription.next_at is None:
        return words("digest_wish_off")
    if subscription.paused_until is not None and subscription.paused_until > said.said_at:
        return words("digest_wish_paused", day=words.day(subscription.paused_until, weekday=True))
    numbers = days_of(subscription, said.link.association.digests)
    days = words.names(tuple(words(f"weekday_{number}") for number in numbers))
    return words(
        "digest_wish_told",
        rhythm=words(f"digest_wish_{subscription.rhythm}", days=days),
        whole=words("digest_wish_whole") if subscription.whole else "",
        moment=words.moment(subscription.next_at, weekday=True),
    )
