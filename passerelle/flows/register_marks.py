"""Afterwards: « c'est une décision » in reply to an old mail, or 📌 and ☑️ on an old message.

The entry keeps its source's date and place. A decision that somebody sees in another's words is proposed to whoever
wrote them first (PEOPLE 15): nobody is said to have decided what they did not mean.
"""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.model import Post
from passerelle.core.names import one_line
from passerelle.core.register_model import Entry, NewEntry, NewEntryChange
from passerelle.flows.ask_back import Question, ask_person
from passerelle.flows.context import FlowContext
from passerelle.flows.outcome import ACTION, DECISION, NOTED, Outcome, sentence
from passerelle.flows.register_acts import may, note_change
from passerelle.flows.said import Said, said_key_hash
from passerelle.flows.who_is_named import known_names, named_persons
from passerelle.store.register import find_entries_of_post, insert_entry

MarkedKind = Literal["decision", "action"]
#: By which reactions a message is marked; with and without the variation selector that clients add.
MARKS: dict[str, MarkedKind] = {"📌": "decision", "☑️": "action", "☑": "action"}
#: A post is longer than an entry: its first lines say what it is about.
_LONGEST = 300


async def mark_post(
    ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post, kind: MarkedKind, names: tuple[str, ...] = ()
) -> Outcome:
    """Make an entry of a post that stands already.

    Args:
        names: who is to do it, where that was said.
    """
    words = ctx.renderer(said.link.association).words
    if (refused := await may(ctx, said, "note")) is not None:
        return refused
    if post.state != "accepted" or not post.text.strip():
        return sentence("mark_of_nothing", words("mark_of_nothing"), is_private=True)
    # One whose sign was taken off again says nothing any more: it is no obstacle.
    if any(entry.kind == kind and entry.text for entry in await find_entries_of_post(conn, post.id)):
        return Outcome(reason="marked_already", reaction=NOTED)
    mine = said.actor.person_id is not None and said.actor.person_id == post.person_id
    asks = kind == "decision" and not mine and post.person_id is not None
    entry = await _insert(ctx, conn, said, post, (kind, "asked" if asks else _first(kind)), names)
    if asks and post.person_id is not None:
        question = Question(
            kind="confirm_decision",
            person_id=post.person_id,
            about={"entry": entry.id},
            template="ask_decision",
            variables={"name": post.author_name, "asker": said.actor.name, "text": entry.text},
        )
        await ask_person(ctx, conn, said.link, post.person_id, question)
        told = words("mark_asked", name=post.author_name)
        return sentence("mark_asked", told, is_private=True)
    return Outcome(
        reason="marked",
        reaction=DECISION if kind == "decision" else ACTION,
        template="answer",
        variables={"sentence": words("mark_noted", number=entry.number, text=entry.text)},
    )


def _first(kind: MarkedKind) -> str:
    return "proposed" if kind == "decision" else "open"


async def _insert(
    ctx: FlowContext,
    conn: AsyncConnection,
    said: Said,
    post: Post,
    kind_and_state: tuple[MarkedKind, str],
    names: tuple[str, ...],
) -> Entry:
    kind, state = kind_and_state
    known = await known_names(conn, said.link)
    entry = await insert_entry(
        conn,
        NewEntry(
            association=said.link.association_name,
            link=said.link.name,
            kind=kind,
            text=shortened(post.text),
            state=state,
            said_at=post.said_at,
            author_name=post.author_name,
            author_person_id=post.person_id,
            post_id=post.id,
            said_key_hash=said_key_hash(ctx, said),
            announce_state="none" if state == "asked" else "wanted",
            created_at=ctx.now(),
        ),
        await named_persons(conn, said.link, names, known),
        [(said.post.id, "mark")] if said.post is not None else (),
    )
    change = NewEntryChange(entry_id=entry.id, at=ctx.now(), move="noted", after_state=state)
    await note_change(ctx, conn, said, entry, change)
    return entry


def shortened(text: str) -> str:
    """A post as one line of the register: its beginning, cut between words."""
    line = one_line(text)
    return line if len(line) <= _LONGEST else line[:_LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
