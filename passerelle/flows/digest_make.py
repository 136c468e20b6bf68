"""One digest, made: what is known for its reader, what is chosen of it, and in which words it is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import AnswerWay
from passerelle.core.digest_choice import Chosen, choose
from passerelle.core.digest_facts import visible
from passerelle.core.digest_model import DigestKind, ShownItem
from passerelle.core.digest_words import Place, build_shown
from passerelle.core.ids import AssociationName, LinkName, PostId
from passerelle.core.permalinks import short_name
from passerelle.core.settings import AssociationSettings
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_facts import digest_reader, gather_of
from passerelle.flows.digest_stop import stop_token
from passerelle.flows.readers import association_of
from passerelle.store.digests import list_shown


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeDigest:
    """What is told to one reader of a time (aware)."""

    association: AssociationSettings
    kind: DigestKind
    reader: Reader
    chosen: Chosen
    since: datetime
    until: datetime
    #: What was said in its time and its reader may read, the oldest first.
    posts: tuple[PostId, ...] = ()
    #: Links on whose list its reader is.
    lists: frozenset[LinkName] = frozenset()
    #: Of a summary of a room: of which link.
    link: LinkName | Literal[""] = ""

    @property
    def permalink(self) -> str:
        """The short name of its page: the same for whoever makes it."""
        name = f"digest/{self.kind}/{self.link or self.reader.person_id}/{self.until.isoformat()}"
        return short_name(AssociationName(self.association.name), name)

    @property
    def told_posts(self) -> set[PostId]:
        """What it stands on."""
        return {*self.posts, *(item.post_id for item in self.chosen.items if item.post_id is not None)}

    def shown(self, now: datetime) -> list[ShownItem]:
        """What its reader is shown by it."""
        return [ShownItem(item_key=item.key, state=item.state, shown_at=now) for item in self.chosen.items]


async def make_digest(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    *,
    kind: DigestKind,
    since: datetime,
    until: datetime,
) -> MadeDigest | None:
    """A person's digest of the time from `since` on and before `until` (aware); None where they read nothing here."""
    settings = association_of(ctx, association)
    if settings is None:
        return None
    me = await digest_reader(ctx, conn, association, person_id)
    reader = me.reader
    if reader.person_id is None:
        return None
    facts = await gather_of(ctx, conn, me, since=since, until=until)
    shown = await list_shown(conn, association, person_id)
    chosen = choose(facts, reader=reader, shown=shown, since=since, until=until, settings=settings.digests)
    posts = sorted((post.at, post.id) for post in visible(facts, reader).posts if since <= post.at < until)
    return MadeDigest(
        association=settings, kind=kind, reader=reader, chosen=chosen, since=since, until=until,
        posts=tuple(id for _, id in posts), lists=frozenset(filter(me.standing.on_list, me.links)),
    )  # fmt: skip


def variables_of(
    ctx: FlowContext, made: MadeDigest, *, answers: Mapping[str, AnswerWay] | None = None
) -> dict[str, Any]:
    """What the templates of a digest know.

    Args:
        answers: by item key, how it is answered (`flows.digest_addresses`).
    """
    association = made.association
    place = place_of(ctx, association, answers=answers or {})
    words = ctx.renderer(association).words
    person_id = made.reader.person_id if made.kind != "chat" else None
    return {
        "name": made.reader.name,
        "digest": build_shown(made.chosen, words, place, kind=made.kind, since=made.since, until=made.until),
        "page_url": place.below(f"digests/{made.permalink}") if person_id is not None else "",
        "stop_url": stop_url(ctx, association, person_id) if person_id is not None else "",
    }


def place_of(ctx: FlowContext, association: AssociationSettings, *, answers: Mapping[str, AnswerWay]) -> Place:
    """Where a digest's reader is led to."""
    web = ctx.settings.web
    return Place(
        web=web.url.rstrip("/") if web is not None else "",
        association=association.name,
        title=association.title,
        links={link.name: link.name for link in association.links},
        answers=answers,
    )


def stop_url(ctx: FlowContext, association: AssociationSettings, person_id: int) -> str:
    """The address that ends a person's digest by one click; "" without a web."""
    web = ctx.settings.web
    if web is None:
        return ""
    token = stop_token(ctx, AssociationName(association.name), person_id)
    return f"{web.url.rstrip('/')}/{association.name}/digests/stop/{token}"
