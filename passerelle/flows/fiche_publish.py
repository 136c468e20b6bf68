"""A fiche is published once each person quoted has answered: asked by themselves, once, where they are active.

Nobody's silence is a yes, and nobody's silence or no is shown to another: what is not agreed to is simply not there.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.fiche import Audience, Content, Fiche, Part, asked_consent, consents_for
from passerelle.core.ids import FicheId
from passerelle.core.links import Link
from passerelle.core.networks import networks_with
from passerelle.core.register_model import Ask
from passerelle.core.wording import Words
from passerelle.flows.ask_back import Question, ask_person
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_make import fiche_url, is_of, refused_to_write, title_of
from passerelle.flows.fiche_read import agreed_to
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.asks import answer_ask
from passerelle.store.consents import find_consent, give_consent, insert_consent, list_consents, withdraw_consent
from passerelle.store.fiches import find_fiche, set_fiche

_AUDIENCES: tuple[Audience, ...] = ("association", "network")

# ------------------------------------------------------------ published


async def publish_fiche(
    ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche, audience: Audience
) -> Outcome:
    """Ask everybody quoted who was not asked yet; publish where nobody is left to answer.

    Said once more, it is published at once, with what was agreed to. Who says it agrees with their own words in it.
    """
    words = ctx.renderer(said.link.association).words
    if not is_of(said, fiche):
        return sentence("fiche_unknown", words("fiche_unknown"), is_private=True)
    refused = await refused_to_write(ctx, conn, said, fiche) or await may(ctx, said, "approve")
    if refused is not None:
        return refused
    if audience == "network" and not networks_with(ctx.settings.networks, fiche.association):
        return sentence("fiche_no_network", words("fiche_no_network"), is_private=True)
    if fiche.state == "published" and fiche.audience in (audience, "network"):
        return sentence("fiche_published", _told_published(ctx, fiche, words), is_private=True)
    content, again = fiche.content, fiche.content.wanted == audience
    if said.actor.person_id in content.asked():
        await _agree(ctx, conn, fiche, said.actor.person_id, audience)
    asked = await _ask_all(ctx, conn, said.link, fiche, audience)
    if not again and asked + await _waiting(conn, fiche, content, audience):
        await set_fiche(
            conn, fiche.id, ctx.now(), document=_wanting(content, audience).to_json(),
            state="published" if fiche.state == "published" else "asked",
        )  # fmt: skip
        return sentence("fiche_asked", words("fiche_asked", number=fiche.number), reaction=NOTED, is_private=True)
    if not await _says_something(conn, fiche, audience):
        return sentence("fiche_empty", words("fiche_empty", number=fiche.number), is_private=True)
    published = await _publish(ctx, conn, fiche, audience)
    return sentence("fiche_published", _told_published(ctx, published, words), reaction=NOTED, is_private=True)


async def _says_something(conn: AsyncConnection, fiche: Fiche, audience: Audience) -> bool:
    """Whether anything but a title is left of it with what is agreed to."""
    seen = fiche.content.seen_by(await agreed_to(conn, fiche, audience))
    return any(part.heading != "title" for part in seen.parts)


async def _publish(ctx: FlowContext, conn: AsyncConnection, fiche: Fiche, audience: Audience) -> Fiche:
    now = ctx.now()
    document = _wanting(fiche.content, None).to_json()
    await set_fiche(
        conn, fiche.id, now, document=document, state="published", audience=audience,
        published_at=fiche.published_at or now,
    )  # fmt: skip
    found = await find_fiche(conn, fiche.id)
    assert found is not None
    return found


def _wanting(content: Content, audience: Audience | None) -> Content:
    return Content(source=content.source, parts=content.parts, versions=content.versions, wanted=audience)


def _told_published(ctx: FlowContext, fiche: Fiche, words: Words) -> str:
    key = "fiche_published_network" if fiche.audience == "network" else "fiche_published"
    return f"{words(key, number=fiche.number)} {fiche_url(ctx, fiche)}".strip()


# ------------------------------------------------------------ each is asked


async def _ask_all(ctx: FlowContext, conn: AsyncConnection, link: Link, fiche: Fiche, audience: Audience) -> int:
    """Ask who was not asked yet, and has not said yes already; how many."""
    agreed = await agreed_to(conn, fiche, audience)
    asked = 0
    for person_id in sorted(fiche.content.asked() - agreed):
        if await insert_consent(conn, fiche.association, person_id, asked_consent(fiche.id, audience), now=ctx.now()):
            await _ask(ctx, conn, link, fiche, person_id, audience)
            asked += 1
    return asked


async def _ask(
    ctx: FlowContext, conn: AsyncConnection, link: Link, fiche: Fiche, person_id: int, audience: Audience
) -> None:
    words = ctx.renderer(link.association).words
    agreed = await agreed_to(conn, fiche, audience)
    quoted = [part for part in fiche.content.parts if person_id in part.asks]
    question = Question(
        kind="fiche",
        person_id=person_id,
        about={"fiche": fiche.id, "audience": audience},
        template="ask_fiche",
        variables={
            "name": _name_of(quoted, person_id),
            "number": fiche.number,
            # Others' words that are not agreed to are no title to be shown around.
            "title": title_of(fiche.content.seen_by(agreed | {person_id}), fiche, words),
            "quotes": [part.text for part in quoted],
            "licence": fiche.licence,
            "in_network": audience == "network",
        },
    )
    await ask_person(ctx, conn, link, person_id, question)


def _name_of(parts: Collection[Part], person_id: int) -> str:
    return next((part.author for part in parts if part.person_id == person_id), "")


async def _waiting(conn: AsyncConnection, fiche: Fiche, content: Content, audience: Audience) -> int:
    """How many of those quoted have not answered."""
    answered = {
        one.person_id
        for what in consents_for(fiche.id, audience)
        for one in await list_consents(conn, fiche.association, what)
        if one.answered_at is not None
    }
    return len(content.asked() - answered)


# ------------------------------------------------------------ each answers


async def settle_fiche(ctx: FlowContext, conn: AsyncConnection, said: Said, asked: Ask, *, yes: bool) -> Outcome:
    """Who was asked agrees or does not; whoever said one may say the other later. The last answer publishes."""
    words = ctx.renderer(said.link.association).words
    person_id, fiche = asked.person_id, await find_fiche(conn, FicheId(int(asked.about["fiche"])))
    if person_id is None or person_id != said.actor.person_id:
        return sentence("ask_not_yours", words("ask_not_yours"), is_private=True)
    if fiche is None or fiche.state == "withdrawn":
        return sentence("ask_over", words("ask_over"), is_private=True)
    audience: Audience = "network" if asked.about.get("audience") == "network" else "association"
    await answer_ask(conn, asked.id, "yes" if yes else "no", ctx.now())
    if yes:
        await _agree(ctx, conn, fiche, person_id, audience)
    else:
        # Who does not want it read here does not want it read elsewhere.
        await _disagree(ctx, conn, fiche, person_id, ("network",) if audience == "network" else _AUDIENCES)
    await _publish_if_answered(ctx, conn, fiche)
    told = words("fiche_agreed" if yes else "fiche_disagreed", number=fiche.number)
    return sentence("fiche_agreed" if yes else "fiche_disagreed", told, reaction=NOTED, is_private=True)


async def _publish_if_answered(ctx: FlowContext, conn: AsyncConnection, fiche: Fiche) -> None:
    wanted = fiche.content.wanted
    if wanted is None or await _waiting(conn, fiche, fiche.content, wanted):
        return
    if await _says_something(conn, fiche, wanted):
        await _publish(ctx, conn, fiche, wanted)


async def _agree(ctx: FlowContext, conn: AsyncConnection, fiche: Fiche, person_id: Any, audience: Audience) -> None:
    await give_consent(conn, fiche.association, person_id, asked_consent(fiche.id, audience), now=ctx.now())


async def _disagree(
    ctx: FlowContext, conn: AsyncConnection, fiche: Fiche, person_id: int, audiences: Collection[Audience]
) -> None:
    for audience in audiences:
        what = asked_consent(fiche.id, audience)
        await withdraw_consent(conn, fiche.association, person_id, what, now=ctx.now())


async def disagree_with_fiche(ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche) -> Outcome:
    """`retirer mon accord fiche 3`: one's words leave it at once, in the network too. Taking back needs no proof of
    more than a name: at worst a quotation is missing."""
    words, person_id = ctx.renderer(said.link.association).words, said.actor.person_id
    asked = [] if person_id is None else [
        one for one in _AUDIENCES
        if await find_consent(conn, fiche.association, person_id, asked_consent(fiche.id, one))
    ]  # fmt: skip
    if person_id is None or not is_of(said, fiche) or not (asked or person_id in fiche.content.asked()):
        return sentence("fiche_unknown", words("fiche_unknown"), is_private=True)
    await _disagree(ctx, conn, fiche, person_id, _AUDIENCES)
    await _publish_if_answered(ctx, conn, fiche)
    told = words("fiche_disagreed", number=fiche.number)
    return sentence("fiche_disagreed", told, reaction=NOTED, is_private=True)


# ------------------------------------------------------------ withdrawn


async def withdraw_fiche(ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche) -> Outcome:
    """Its authors take a fiche back: nobody reads it any more. Only who made it, or a coordinator."""
    words, actor = ctx.renderer(said.link.association).words, said.actor
    is_own = actor.is_coordinator or (actor.person_id is not None and actor.person_id == fiche.made_by_person_id)
    is_theirs = is_own or actor.person_id in fiche.content.authors()
    if not is_of(said, fiche) or not is_theirs:
        return sentence("fiche_unknown", words("fiche_unknown"), is_private=True)
    if not is_own:
        return sentence("fiche_not_yours", words("fiche_not_yours"), is_private=True)
    if (refused := await may(ctx, said, "approve")) is not None:
        return refused
    await set_fiche(conn, fiche.id, ctx.now(), state="withdrawn")
    told = words("fiche_withdrawn", number=fiche.number)
    return sentence("fiche_withdrawn", told, reaction=NOTED, is_private=True)
