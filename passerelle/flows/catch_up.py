"""Catching up on demand: told to who asked, and to nobody else, with the rights that they have at this moment.

Whatever was asked where, the answer is private: a mail for a mail, a direct message for a line. It is kept as a digest
is, so that it is exported, hidden and erased as one; it changes neither what later digests tell nor when they come.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.catch_up import BEGINNING, choose_catch_up
from passerelle.core.command_arguments import CatchUpArguments
from passerelle.core.digest_model import NewDigest
from passerelle.core.ids import AssociationName, UserId
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_addresses import answer_ways
from passerelle.flows.digest_commands import person_of
from passerelle.flows.digest_facts import digest_reader, gather_of
from passerelle.flows.digest_make import MadeDigest, variables_of
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.readers import association_of
from passerelle.flows.register_acts import may
from passerelle.flows.room_notice import ANSWER_WITHIN
from passerelle.flows.said import Said
from passerelle.store.catch_up import find_last_known_at
from passerelle.store.digest_facts import LONGEST_READ
from passerelle.store.digests import insert_digest
from passerelle.store.posts import is_any_gone
from passerelle.store.sessions import count_try

#: Who was neither told nor wrote anything before catches up on so much.
_AT_FIRST = timedelta(days=14)
#: Catch-ups that one person gets in a day.
MOST_A_DAY = 10
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


async def make_catch_up(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    *,
    since: datetime | None,
) -> MadeDigest | None:
    """What a person missed since then (aware) until now; None where they read nothing here. Nothing is noted.

    Args:
        since: `core.catch_up.BEGINNING` for all there is; None: since their last digest or what they wrote last, or
            two weeks.
    """
    settings, until = association_of(ctx, association), ctx.now()
    me = await digest_reader(ctx, conn, association, person_id)
    if settings is None or me.reader.person_id is None:
        return None
    if since is None:
        since = await find_last_known_at(conn, association, person_id) or until - _AT_FIRST
    since = min(since, until)
    facts = await gather_of(ctx, conn, me, since=since, until=until)
    chosen = choose_catch_up(
        facts,
        reader=me.reader,
        since=since,
        until=until,
        unanswered_days=settings.digests.unanswered_days,
        longest_text=LONGEST_READ,
    )
    return MadeDigest(
        association=settings,
        kind="catch_up",
        reader=me.reader,
        chosen=chosen,
        since=since,
        until=until,
        posts=tuple(sorted({one.post_id for item in chosen.items for one in item.sentences})),
        lists=frozenset(filter(me.standing.on_list, me.links)),
    )


def nothing_new(made: MadeDigest, words: Words) -> str:
    """« Rien de nouveau depuis mardi : vous êtes à jour. »"""
    return words("catch_up_nothing", since=_since(made, words))


def _since(made: MadeDigest, words: Words) -> str:
    since, until = made.since.astimezone(words.zone), made.until.astimezone(words.zone)
    if made.since == BEGINNING:
        return words("catch_up_from_beginning")
    if since.date() == until.date():
        is_midnight = (since.hour, since.minute) == (0, 0)
        return words("catch_up_from_today") if is_midnight else words("catch_up_from_clock", clock=words.clock(since))
    if until.date() - since.date() < _WEEK:
        return words("catch_up_from_weekday", day=words(f"weekday_{since.weekday()}"))
    return words("catch_up_from_day", day=words.day(since, year=since.year != until.year))


# ------------------------------------------------------------ asked by a word


async def catch_up_command(ctx: FlowContext, conn: AsyncConnection, said: Said, arguments: CatchUpArguments) -> Outcome:
    """Tell who asked what they missed: by mail, or in a direct room. One answer for each command."""
    words = ctx.renderer(said.link.association).words
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    if said.line is not None and said.said_at < ctx.now() - ANSWER_WITHIN:
        return Outcome(reason="catch_up_too_late")
    person_id = await person_of(ctx, conn, said)
    if person_id is None:
        return sentence("catch_up_stranger", words("catch_up_stranger"), is_private=True)
    who = ctx.hashed("catch_up", said.link.association_name, str(person_id))
    if await count_try(conn, "catch_up", who, now=ctx.now(), window=_DAY) > MOST_A_DAY:
        return sentence("catch_up_too_often", words("catch_up_too_often"), is_private=True)
    made = await make_catch_up(ctx, conn, said.link.association_name, person_id, since=arguments.since)
    if made is not None and await is_any_gone(conn, made.told_posts):
        # Somebody hid a post while this was being read.
        made = await make_catch_up(ctx, conn, said.link.association_name, person_id, since=arguments.since)
    if made is None:
        return sentence("catch_up_stranger", words("catch_up_stranger"), is_private=True)
    if made.chosen.is_empty:
        return sentence("catch_up_nothing", nothing_new(made, words), is_private=True)
    if await _keep(ctx, conn, made) and not await _send(ctx, conn, said, made):
        return Outcome(reason="catch_up_unsent")
    return Outcome(reason="catch_up", reaction=NOTED)


async def _keep(ctx: FlowContext, conn: AsyncConnection, made: MadeDigest) -> bool:
    """Whether this one is new: asked twice in the same instant, it is told once."""
    new = NewDigest(
        association=AssociationName(made.association.name),
        kind=made.kind,
        person_id=made.reader.person_id,
        since=made.since,
        until=made.until,
        document=made.chosen.to_json(),
        permalink=made.permalink,
        made_at=ctx.now(),
    )
    return await insert_digest(conn, new) is not None


async def _send(ctx: FlowContext, conn: AsyncConnection, said: Said, made: MadeDigest) -> bool:
    """Whether it leaves: never for the room, nor for the list."""
    if said.email is not None and said.author is not None:
        mail = Personal(
            to=said.author,
            template="catch_up",
            unique_key=f"digest/{made.permalink}/mail",
            variables=variables_of(ctx, made, answers=await answer_ways(ctx, conn, said.link, made)),
            html=True,
            answers=said.email,
        )
        return await insert_personal_email(ctx, conn, said.link, mail) is not None
    to: UserId | None = said.line.sender if said.line is not None else said.actor.user_id
    if to is None:
        return False
    key = f"digest/{made.permalink}/room"
    message = DirectMessage(to=to, template="catch_up", unique_key=key, variables=variables_of(ctx, made))
    return await insert_direct_message(ctx, conn, said.link, message) is not None
