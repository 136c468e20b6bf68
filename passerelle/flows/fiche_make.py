"""A fiche is made: pre-filled with what was said, and given to whoever asked for it, alone; then completed."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.command_fiches import Written
from passerelle.core.fiche import (
    DEFAULT_LICENCE,
    HEADINGS,
    LICENCES,
    Content,
    Fiche,
    NewFiche,
    Part,
    asked_consent,
    licence_named,
)
from passerelle.core.permalinks import short_name
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.fiche_read import is_author
from passerelle.flows.fiche_sources import Found
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.reach_person import PersonalNotice, reach_person
from passerelle.flows.said import Said
from passerelle.store.consents import find_consent, give_consent
from passerelle.store.fiches import find_fiche, insert_fiche, set_fiche
from passerelle.store.numbers import next_number


async def make_fiche(ctx: FlowContext, conn: AsyncConnection, said: Said, found: Found, title: str) -> Fiche:
    """A draft of whoever asks; `title`: as they said it, "" where they said none."""
    now, link, actor = ctx.now(), said.link, said.actor
    number = await next_number(conn, link.association_name, "fiche")
    return await insert_fiche(
        conn,
        NewFiche(
            association=link.association_name,
            link=link.name,
            number=number,
            state="draft",
            audience="association",
            document=Content(source=found.source, parts=(*_title(said, found, title), *found.parts)).to_json(),
            licence=DEFAULT_LICENCE,
            permalink=short_name(link.association_name, f"fiche {number} {said.key}"),
            made_by_person_id=actor.person_id,
            made_at=now,
            changed_at=now,
        ),
    )


def _title(said: Said, found: Found, title: str) -> list[Part]:
    if title:
        return [_written(said, "title", title)]
    if not found.subject or found.first is None:
        return []
    first = found.first
    return [
        Part(
            heading="title", kind="quote", text=found.subject, author=first.author, said_at=first.said_at,
            person_id=first.person_id, asks=(first.person_id,), post_id=first.post_id, permalink=first.permalink,
        )
    ]  # fmt: skip


def _written(said: Said, heading: Any, text: str) -> Part:
    id = said.actor.person_id
    return Part(
        heading=heading, kind="written", text=text, author=said.actor.name, said_at=said.said_at, person_id=id,
        asks=(id,) if id is not None else (),
    )  # fmt: skip


# ------------------------------------------------------------ told to its author


async def tell_draft(ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche) -> Outcome:
    """The draft, to whoever made it and nobody else; an answer to it completes it."""
    key = about_key(About(kind="fiche", ids=(fiche.id,), step="draft"), ctx.hashed("said", said.key))
    variables = {"name": said.actor.name, **variables_of(ctx, said, fiche)}
    if said.email is not None and said.author is not None:
        mail = Personal(to=said.author, template="fiche_draft", unique_key=key, variables=variables, answers=said.email)
        await insert_personal_email(ctx, conn, said.link, mail)
    elif said.actor.user_id is not None and said.medium == "room":
        message = DirectMessage(to=said.actor.user_id, template="fiche_draft", unique_key=key, variables=variables)
        await insert_direct_message(ctx, conn, said.link, message)
    elif said.actor.person_id is not None and said.medium != "web":
        notice = PersonalNotice(template="fiche_draft", unique_key=key, variables=variables)
        await reach_person(ctx, conn, said.link, said.actor.person_id, said.actor.name, notice)
    return Outcome(reason="fiche_made", reaction=NOTED)


def variables_of(ctx: FlowContext, said: Said, fiche: Fiche) -> Mapping[str, Any]:
    """What its templates know of a fiche, whole."""
    words = ctx.renderer(said.link.association).words
    return {
        "number": fiche.number,
        "title": title_of(fiche.content, fiche, words),
        "headings": headings_of(fiche.content, words),
        "licence": fiche.licence,
        "url": fiche_url(ctx, fiche),
    }


def headings_of(content: Content, words: Words) -> list[dict[str, Any]]:
    """Each heading with its parts, or with the question to its authors where it has none."""
    return [
        {
            "name": words(f"fiche_heading_{heading}"),
            "question": words(f"fiche_question_{heading}"),
            "parts": content.of(heading),
        }
        for heading in HEADINGS
    ]


def title_of(content: Content, fiche: Fiche, words: Words) -> str:
    """Its title; « Fiche 3 » where it has none that may be seen."""
    return content.title or words("fiche_untitled", number=fiche.number)


def fiche_url(ctx: FlowContext, fiche: Fiche) -> str:
    """Where it stands on the web; "" where there is no web."""
    web = ctx.settings.web
    return f"{web.url.rstrip('/')}/{fiche.association}/fiches/{fiche.permalink}" if web is not None else ""


# ------------------------------------------------------------ completed


async def complete_fiche(
    ctx: FlowContext, conn: AsyncConnection, said: Said, fiche_id: Any, written: Sequence[Written]
) -> Outcome:
    """What an author writes for its headings; earlier wordings are kept."""
    words = ctx.renderer(said.link.association).words
    fiche = await find_fiche(conn, fiche_id)
    if fiche is None or fiche.state == "withdrawn" or not is_of(said, fiche):
        return sentence("fiche_unknown", words("fiche_unknown"), is_private=True)
    if (refused := await refused_to_write(ctx, conn, said, fiche)) is not None:
        return refused
    content, licence = fiche.content, fiche.licence
    for one in written:
        if one.heading == "licence":
            named = licence_named(one.text)
            if named is None:
                told = words("fiche_licence_unknown", licences=", ".join(LICENCES))
                return sentence("fiche_licence_unknown", told, is_private=True)
            if fiche.state != "draft" and named != licence:
                # Under the licence that they were shown people agreed, or are thinking about it.
                return sentence("fiche_licence_late", words("fiche_licence_late", licence=licence), is_private=True)
            licence = named
        else:
            content = content.written(_written(said, one.heading, one.text))
    await set_fiche(conn, fiche.id, ctx.now(), document=content.to_json(), licence=licence)
    await _agree_by_writing(ctx, conn, said, fiche)
    told = words("fiche_completed", number=fiche.number)
    return sentence("fiche_completed", told, reaction=NOTED, is_private=True)


async def _agree_by_writing(ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche) -> None:
    """Who writes for a fiche that is published, or is about to be, agrees that their words in it are read; not where
    they were asked, whatever they answered."""
    audience = fiche.audience if fiche.state == "published" else fiche.content.wanted
    if audience is None or said.actor.person_id is None:
        return
    what = asked_consent(fiche.id, audience)
    if await find_consent(conn, fiche.association, said.actor.person_id, what) is None:
        await give_consent(conn, fiche.association, said.actor.person_id, what, now=ctx.now())


def is_of(said: Said, fiche: Fiche) -> bool:
    """Whether somebody speaks in the association of a fiche."""
    return fiche.association == said.link.association_name


async def refused_to_write(ctx: FlowContext, conn: AsyncConnection, said: Said, fiche: Fiche) -> Outcome | None:
    """What somebody is told who is no author of a fiche, or of whom nothing proves that it is they."""
    actor = said.actor
    if not await is_author(ctx, conn, fiche, actor.person_id, is_coordinator=actor.is_coordinator):
        words = ctx.renderer(said.link.association).words
        return sentence("fiche_not_yours", words("fiche_not_yours"), is_private=True)
    # Their own answer to what was sent to them alone names its Message-ID; anything else needs proof.
    answers = said.about is not None and said.about.kind == "fiche" and said.about.id == fiche.id
    if actor.proof == "none" and not answers:
        return Outcome(reason="confirm")
    return None
