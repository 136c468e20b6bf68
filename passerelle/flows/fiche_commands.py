"""Commands about fiches, by mail and in the room; and answers to what the bridge wrote about one."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import FicheArguments
from passerelle.core.command_fiches import Written, parse_written
from passerelle.core.command_row import CommandName
from passerelle.core.fiche import Fiche
from passerelle.core.ids import FicheId
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_make import complete_fiche, fiche_url, make_fiche, tell_draft, title_of
from passerelle.flows.fiche_publish import disagree_with_fiche, publish_fiche, withdraw_fiche
from passerelle.flows.fiche_read import is_author, seen_by
from passerelle.flows.fiche_sources import Found, from_meeting, from_tag, from_thread
from passerelle.flows.meeting_meant import meeting_answered, meeting_meant
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.readers import reader_of
from passerelle.flows.register_acts import may
from passerelle.flows.said import Heard, Said
from passerelle.store.fiches import find_fiche, find_fiche_by_number, list_fiches

FICHE_COMMANDS: frozenset[CommandName] = frozenset({"fiche", "fiche_publish", "fiche_withdraw", "fiche_disagree"})
#: Fiches that one answer lists.
_SHOWN = 15


async def run_fiche_command(
    ctx: FlowContext, conn: AsyncConnection, said: Said, name: CommandName, arguments: FicheArguments
) -> Outcome:
    """Do a command about fiches, and say what came of it."""
    if (name == "fiche" and arguments.number is None) or arguments.source is not None:
        return await _make_or_list(ctx, conn, said, arguments)
    fiche = await _meant(conn, said, arguments.number)
    if fiche is None:
        words = ctx.renderer(said.link.association).words
        return sentence("fiche_unknown", words("fiche_unknown"), is_private=True)
    match name:
        case "fiche_publish":
            return await publish_fiche(ctx, conn, said, fiche, arguments.audience)
        case "fiche_withdraw":
            return await withdraw_fiche(ctx, conn, said, fiche)
        case "fiche_disagree":
            return await disagree_with_fiche(ctx, conn, said, fiche)
    return await _show_or_complete(ctx, conn, said, fiche, arguments.text)


def is_about_fiche(heard: Heard) -> bool:
    """Whether something answers a draft: the first line of such a mail may be a command, whatever its subject."""
    return heard.about is not None and heard.about.kind == "fiche"


async def take_fiche_reply(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome | None:
    """« contexte : … » in answer to a draft; None where it is no such thing."""
    if said.about is None or not is_about_fiche(said):
        return None
    written = parse_written(said.text)
    return await complete_fiche(ctx, conn, said, FicheId(said.about.id), written) if written else None


async def _meant(conn: AsyncConnection, said: Said, number: int | None) -> Fiche | None:
    """The fiche of that number; without one, the one that is answered."""
    if number is not None:
        return await find_fiche_by_number(conn, said.link.association_name, number)
    if said.about is not None and is_about_fiche(said):
        return await find_fiche(conn, FicheId(said.about.id))
    return None


async def _make_or_list(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: FicheArguments) -> Outcome:
    words = ctx.renderer(said.link.association).words
    answers = said.answered is not None or await meeting_answered(conn, said) is not None
    if wanted.source is None and not answers and not wanted.title:
        return await _list(ctx, conn, said)
    # A draft is its author's alone, of words that they read already: it needs no more proof than a search.
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    if said.actor.person_id is None or not (said.actor.is_participant or said.actor.is_coordinator):
        return sentence("fiche_stranger", words("fiche_stranger"), is_private=True)
    found = await _found(ctx, conn, said, wanted)
    if isinstance(found, Outcome):
        return found
    return await tell_draft(ctx, conn, said, await make_fiche(ctx, conn, said, found, wanted.title))


async def _found(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: FicheArguments) -> Found | Outcome:
    words, link = ctx.renderer(said.link.association).words, said.link
    if wanted.source == "tag":
        found = await from_tag(conn, link, wanted.tag)
        if not found.parts:
            return sentence("fiche_tag_unknown", words("fiche_tag_unknown", tag=wanted.tag), is_private=True)
        return found
    if wanted.source == "meeting" or await meeting_answered(conn, said) is not None:
        meeting = await meeting_meant(ctx, conn, said, wanted.number)
        return meeting if isinstance(meeting, Outcome) else await from_meeting(conn, link, meeting)
    post = said.answered
    if post is None or (post.association, post.link) != (link.association_name, link.name):
        return sentence("fiche_of_nothing", words("fiche_of_nothing"), is_private=True)
    return await from_thread(conn, link, post)


async def _show_or_complete(ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche, text: str) -> Outcome:
    words, actor = ctx.renderer(said.link.association).words, said.actor
    written: tuple[Written, ...] = parse_written(text)
    if written:
        return await complete_fiche(ctx, conn, said, fiche.id, written)
    if text:
        return sentence("fiche_unclear", words("fiche_completed_unclear"), is_private=True)
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    seen = (
        None
        if await _is_stranger(ctx, conn, said)
        else await seen_by(ctx, conn, fiche, actor.person_id, is_coordinator=actor.is_coordinator)
    )
    if seen is None:
        return sentence("fiche_unknown", words("fiche_unknown"), is_private=True)
    if seen.as_author:
        return await tell_draft(ctx, conn, said, fiche)
    title = title_of(seen.content, fiche, words)
    told = f"{words('fiche_line', number=fiche.number, title=title)} {fiche_url(ctx, fiche)}".strip()
    return sentence("fiche", told)


async def _is_stranger(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    """Whether somebody takes part nowhere in the association: who left reads what is published no more."""
    actor = said.actor
    if actor.is_participant or actor.is_coordinator:
        return False
    if actor.person_id is None:
        return True
    return (await reader_of(ctx, conn, said.link.association_name, actor.person_id)).person_id is None


async def _list(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome:
    """Those that may be read, the last changed first. In the room only what is published: everybody reads it there."""
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    words, actor = ctx.renderer(said.link.association).words, said.actor
    if await _is_stranger(ctx, conn, said):
        return sentence("fiche_stranger", words("fiche_stranger"), is_private=True)
    in_public = said.line is not None and not said.is_private
    lines = []
    for fiche in (await list_fiches(conn, said.link.association_name))[:200]:
        own = not in_public and await is_author(ctx, conn, fiche, actor.person_id, is_coordinator=actor.is_coordinator)
        if fiche.state == "withdrawn" or (fiche.state != "published" and not own):
            continue
        seen = await seen_by(ctx, conn, fiche, actor.person_id if own else None, is_coordinator=own)
        if seen is not None:
            lines.append(words("fiche_line", number=fiche.number, title=title_of(seen.content, fiche, words)))
    told = "\n".join(lines[:_SHOWN]) if lines else words("fiches_none")
    return sentence("fiches", told)
