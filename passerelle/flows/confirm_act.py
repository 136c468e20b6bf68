"""« Was it you? »: an act that its author may do, and of whom nothing proves that it is they, waits for their word.

Anyone can write under another's address. So the question goes to the address that we know, never to the one that a mail
claims, and only « oui » in answer to that very mail, from that address, lets the act be done: once, within three days.
Whoever wrote the mail in their name has not read it, and cannot name its Message-ID.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.folding import words_of
from passerelle.core.ids import AskId
from passerelle.core.links import Link
from passerelle.core.permissions import Actor
from passerelle.core.privacy_words import parse_privacy_wish
from passerelle.core.register_model import Ask, NewAsk
from passerelle.flows.actors import actor_of_person, find_writer
from passerelle.flows.asked_back import find_asked
from passerelle.flows.context import FlowContext
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.privacy_mail import Letter
from passerelle.mail.trim import visible_text
from passerelle.store.asks import answer_ask, find_ask, insert_ask, list_open_asks
from passerelle.store.people import find_or_insert_person
from passerelle.store.sessions import count_try

#: The beginning of the unique key of such a question; the ask's id follows. Erasing looks into what begins with `ask:`.
CONFIRM_ACT_KEY = "ask:confirm:"
#: How long a « oui » is waited for.
CONFIRM_WITHIN = timedelta(days=3)
_DAY = timedelta(days=1)
#: Questions to one address a day: whoever writes in another's name must not fill their mailbox by our hand.
_MOST_A_DAY = 5
#: What is longer is not asked: nobody may say « oui » to what they were not shown.
LONGEST_WORDS = 300
_NO = frozenset({"non", "no"})

Asked = Literal["asked", "asked_before", "asked_too_often", "nobody_to_ask", "too_long"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unconfirmed:
    """An act that waits for its author's word: `core.permissions.judge_act` said `confirm`."""

    link: Link
    #: Who may do it, if it is they.
    actor: Actor
    #: What it is, in their language and in the infinitive: « adopter la décision 7 ».
    words: str = field(repr=False)
    #: What the caller needs to do it then; JSON. Where it has a `text`, which is to be understood anew then, that is
    #: shown instead of `words`, the whole of it: a stranger may have written « fait 2 » on one line, « adoptée 7 » on
    #: the next, and « oui » lets both be done. Or `shown`, which holds the text and what it answers.
    command: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmed:
    """Its author said « oui »: it is to be done now, if they still may (`judge_act` once more, with this actor)."""

    ask_id: AskId
    link: Link
    #: As they are now, with the proof `confirmed`.
    actor: Actor
    command: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class NotConfirmed:
    """The question was answered, and nothing is to be done: `no` was said, or it was over."""

    link: Link
    reason: Literal["confirm_no", "confirm_over"]


async def ask_to_confirm(ctx: FlowContext, conn: AsyncConnection, act: Unconfirmed, *, email: Email | None) -> Asked:
    """Ask the address that we know whether it is meant; one question a day and command, a few a day in all.

    Args:
        email: the mail that asked for it, which the question answers.
    """
    address, now, words = act.actor.address, ctx.now(), _shown(act)
    if address is None:
        return "nobody_to_ask"
    if len(words) > LONGEST_WORDS:
        return "too_long"
    person_id = await _person_of(ctx, conn, act)
    for ask in await list_open_asks(conn, person_id):
        if ask.kind == "confirm_command" and _same(ask, act) and ask.asked_at > now - _DAY:
            return "asked_before"
    who = ctx.hashed("confirm_act", address.lower())
    if await count_try(conn, "confirm_act", who, now=now, window=_DAY) > _MOST_A_DAY:
        return "asked_too_often"
    until = now + CONFIRM_WITHIN
    ask = await insert_ask(
        conn,
        NewAsk(
            association=act.link.association_name,
            link=act.link.name,
            kind="confirm_command",
            person_id=person_id,
            about={"command": dict(act.command)},
            asked_at=now,
            # Nobody can give this word in their place: then it is over.
            escalate_at=until,
        ),
    )
    await insert_personal_email(
        ctx,
        conn,
        act.link,
        Personal(
            to=Mailbox(name=act.actor.name, address=address),
            template="confirm_act",
            unique_key=f"{CONFIRM_ACT_KEY}{ask.id}",
            answers=email,
            variables={"name": act.actor.name, "act": words, "until": until},
        ),
    )
    return "asked"


async def take_confirmation(ctx: FlowContext, conn: AsyncConnection, letter: Letter) -> Confirmed | NotConfirmed | None:
    """What a mail to the bridge says to such a question; None where it answers none, or says neither yes nor no."""
    ours = await find_asked(conn, answers=letter.email.in_reply_to, by=letter.author.address, key=CONFIRM_ACT_KEY)
    said = yes_or_no(letter) if ours is not None else None
    if ours is None or said is None:
        return None
    ask = await find_ask(conn, AskId(int(ours.unique_key.removeprefix(CONFIRM_ACT_KEY))))
    link = ctx.links.find(f"{ours.association}/{ours.link}")
    if ask is None or link is None or ask.person_id is None:
        return None
    # From an address that several share, only who was asked (PEOPLE 6, 19).
    writer = await find_writer(conn, link.association_name, letter.author)
    if writer is None or writer.person_id != ask.person_id:
        return None
    # What is over, or was answered, is forgotten.
    command = ask.about.get("command")
    over = ctx.now() > ask.asked_at + CONFIRM_WITHIN or command is None
    if not await answer_ask(conn, ask.id, "over" if over else said, ctx.now()) or over or command is None:
        return NotConfirmed(link=link, reason="confirm_over")
    if said == "no":
        return NotConfirmed(link=link, reason="confirm_no")
    actor = await actor_of_person(ctx, conn, link, ask.person_id, medium="mail", proof="confirmed")
    if actor is None:
        return NotConfirmed(link=link, reason="confirm_over")
    return Confirmed(ask_id=ask.id, link=link, actor=actor, command=command)


async def _person_of(ctx: FlowContext, conn: AsyncConnection, act: Unconfirmed) -> int:
    """Whom the question is for; a coordinator of the configuration who never wrote becomes a person by it."""
    if act.actor.person_id is not None:
        return act.actor.person_id
    return await find_or_insert_person(
        conn,
        act.link.association_name,
        name=act.actor.name,
        address=act.actor.address,
        now=ctx.now(),
        source="configuration",
    )


def _same(ask: Ask, act: Unconfirmed) -> bool:
    return ask.link == act.link.name and ask.about.get("command") == dict(act.command)


def _shown(act: Unconfirmed) -> str:
    """All that « oui » lets be done, on one line."""
    text = str(act.command.get("shown") or act.command.get("text") or act.words)
    return " ; ".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def yes_or_no(letter: Letter) -> Literal["yes", "no"] | None:
    """What a mail says to a question that is answered by « oui » or « non »; None where it says neither."""
    text = visible_text(letter.email.text or "")
    if parse_privacy_wish("", text) == "yes":
        return "yes"
    first = next((words for words in map(words_of, text.splitlines()) if words), [])
    return "no" if first and first[0] in _NO else None
