"""What is asked of somebody who answered a digest: what they mean, and whether everyone may read it.

Both go to the address that we know, and only an answer to that very mail, from there, counts. What was asked holds
their words: these are forgotten once they are placed, sent, or not to be sent.
"""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.answers import parse_answers
from passerelle.core.digest_answers import ITEM_KEY, SEND_KEY, chosen_number
from passerelle.core.email import Mailbox
from passerelle.core.ids import AskId, PostId
from passerelle.core.register_model import Ask, AskKind, NewAsk
from passerelle.flows.actors import actor_of_person, find_writer
from passerelle.flows.asked_back import find_asked
from passerelle.flows.confirm_act import Unconfirmed, ask_to_confirm, yes_or_no
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_answers import AnswerPart, part_of_stored, stored_part
from passerelle.flows.digest_relay import ForEveryone, send_to_everyone
from passerelle.flows.digest_unplaced import forget_question
from passerelle.flows.obey import stored_words
from passerelle.flows.outcome import sentence, tell_outcome
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.privacy_mail import Letter
from passerelle.flows.said import Said
from passerelle.mail.trim import visible_text
from passerelle.store.asks import answer_ask, find_ask, insert_ask
from passerelle.store.posts import find_post
from passerelle.store.sessions import count_try

#: How long a « oui » is waited for.
SEND_WITHIN = timedelta(days=3)
_DAY = timedelta(days=1)
#: Questions to one person a day.
_MOST_A_DAY = 20
#: Nobody can say « oui » to what they were not shown; a mail of this length is shown whole.
_LONGEST = 10_000


async def settle_part(ctx: FlowContext, conn: AsyncConnection, part: AnswerPart) -> None:
    """What was not obeyed: ask what it is about, or whether everyone may read it; else tell where it arrived."""
    said = part.said
    if len(said.text) <= _LONGEST and await _may_ask(ctx, conn, said):
        if part.item is None:
            await _ask_which(ctx, conn, part)
            return
        if said.actor.is_participant and said.answered is not None and said.answered.state == "accepted":
            await _ask_to_send(ctx, conn, part)
            return
    await _tell_private(ctx, conn, said)


async def ask_for_word(ctx: FlowContext, conn: AsyncConnection, part: AnswerPart) -> bool:
    """Whether a part answers a question that somebody else may be answering in its author's name: they are asked."""
    said, item = part.said, part.item
    if (
        item is None
        or not part.needs_word
        or not parse_answers(said.text, kinds=said.link.association.entry_register.kinds)
    ):
        return False
    command = {**stored_words(said), "shown": f"{item.title} : {said.text}"}
    act = Unconfirmed(link=said.link, actor=said.actor, words=said.text, command=command)
    if await ask_to_confirm(ctx, conn, act, email=said.email) == "too_long":
        words = ctx.renderer(said.link.association).words
        await tell_outcome(ctx, conn, said, sentence("confirm_too_long", words("confirm_too_long")))
    return True


async def _may_ask(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    if said.actor.person_id is None or said.actor.address is None:
        return False
    who = ctx.hashed("digest_answer", str(said.actor.person_id))
    return await count_try(conn, "digest_answer", who, now=ctx.now(), window=_DAY) <= _MOST_A_DAY


async def _tell_private(ctx: FlowContext, conn: AsyncConnection, said: Said) -> None:
    words = ctx.renderer(said.link.association).words
    told = words("digest_answer_private", address=said.link.list_address)
    await tell_outcome(ctx, conn, said, sentence("digest_answer_private", told, is_private=True))


async def _ask_which(ctx: FlowContext, conn: AsyncConnection, part: AnswerPart) -> None:
    said = part.said
    days = timedelta(days=said.link.association.entry_register.escalate_days)
    asked = await insert_ask(conn, _new(ctx, said, "digest_item", stored_part(part), days))
    titles = [choice.title for choice in part.choices]
    await _write(ctx, conn, said, "ask_item", f"{ITEM_KEY}{asked.id}", {"text": said.text, "titles": titles})


async def _ask_to_send(ctx: FlowContext, conn: AsyncConnection, part: AnswerPart) -> None:
    said, post = part.said, part.said.answered
    assert post is not None
    assert part.item is not None
    about = {"text": said.text, "post": post.id, "title": part.item.title}
    asked = await insert_ask(conn, _new(ctx, said, "digest_send", about, SEND_WITHIN))
    variables = {"text": said.text, "title": part.item.title, "until": asked.escalate_at}
    await _write(ctx, conn, said, "ask_send", f"{SEND_KEY}{asked.id}", variables)


def _new(ctx: FlowContext, said: Said, kind: AskKind, about: dict[str, object], wait: timedelta) -> NewAsk:
    return NewAsk(
        association=said.link.association_name,
        link=said.link.name,
        kind=kind,
        person_id=said.actor.person_id,
        about=about,
        asked_at=ctx.now(),
        escalate_at=ctx.now() + wait,
    )


async def _write(
    ctx: FlowContext, conn: AsyncConnection, said: Said, template: str, key: str, variables: dict[str, object]
) -> None:
    assert said.actor.address is not None
    values = {"name": said.actor.name, "list_address": said.link.list_address, **variables}
    mail = Personal(
        to=Mailbox(name=said.actor.name, address=said.actor.address),
        template=template,
        unique_key=key,
        variables=values,
        answers=said.email,
    )
    await insert_personal_email(ctx, conn, said.link, mail)


# ------------------------------------------------------------ the answers


async def take_item_choice(
    ctx: FlowContext, conn: AsyncConnection, said: Said, letter: Letter
) -> tuple[AnswerPart, ...] | None:
    """Which item an answer was about, as its author says now; empty where they say that it is about none, or do not
    say it yet. None: it answers no such question."""
    asked = await _answered(conn, said, letter, ITEM_KEY)
    if asked is None:
        return None
    words = ctx.renderer(said.link.association).words
    if asked.answered_at is not None:
        await tell_outcome(ctx, conn, said, sentence("ask_over", words("ask_over"), is_private=True))
        return ()
    number = chosen_number(visible_text(letter.email.text or ""), asked.about["titles"])
    if number is None:
        told = words("digest_item_unclear", count=len(asked.about["titles"]))
        await tell_outcome(ctx, conn, said, sentence("digest_item_unclear", told, is_private=True))
        return ()
    part = None
    if number:
        key = str(asked.about["keys"][number - 1])
        part = await part_of_stored(ctx, conn, said, dict(asked.about), key)
    await answer_ask(conn, asked.id, str(number), ctx.now())
    await forget_question(conn, f"{ITEM_KEY}{asked.id}")
    if part is None:
        await _tell_private(ctx, conn, said)
    return (part,) if part is not None else ()


async def take_send_word(ctx: FlowContext, conn: AsyncConnection, said: Said, letter: Letter) -> bool:
    """« oui » or « non » to whether everyone may read an answer to a digest; whether a mail was that."""
    asked = await _answered(conn, said, letter, SEND_KEY)
    word = yes_or_no(letter) if asked is not None else None
    if asked is None or word is None:
        return False
    about, over = dict(asked.about), ctx.now() > asked.escalate_at
    is_first = await answer_ask(conn, asked.id, "over" if over else word, ctx.now())
    await forget_question(conn, f"{SEND_KEY}{asked.id}")
    outcome = "digest_send_over" if over or not is_first or "text" not in about else f"digest_send_{word}"
    if outcome == "digest_send_yes" and not await _send(ctx, conn, said, asked, about):
        outcome = "digest_send_gone"
    words = ctx.renderer(said.link.association).words
    told = words(outcome, address=said.link.list_address)
    await tell_outcome(ctx, conn, said, sentence(outcome, told, is_private=True))
    return True


async def _send(ctx: FlowContext, conn: AsyncConnection, said: Said, asked: Ask, about: dict[str, object]) -> bool:
    """Whether it could be sent: its author still takes part, and what it answers still stands."""
    assert asked.person_id is not None
    actor = await actor_of_person(ctx, conn, said.link, asked.person_id, medium="mail", proof="confirmed")
    post = await find_post(conn, PostId(int(str(about["post"]))))
    if actor is None or not actor.is_participant or post is None or post.state != "accepted":
        return False
    spoken = ForEveryone(
        key=f"{asked.id}",
        actor=replace(actor, address=said.actor.address),
        text=str(about["text"]),
        answers=post,
    )
    return await send_to_everyone(ctx, conn, said.link, spoken)


async def _answered(conn: AsyncConnection, said: Said, letter: Letter, key: str) -> Ask | None:
    """The question of ours that a mail answers, by who was asked (PEOPLE 6, 19)."""
    ours = await find_asked(conn, answers=letter.email.in_reply_to, by=letter.author.address, key=key)
    asked = await find_ask(conn, AskId(int(ours.unique_key.removeprefix(key)))) if ours is not None else None
    if asked is None or asked.association != said.link.association_name or asked.link != said.link.name:
        return None
    writer = await find_writer(conn, said.link.association_name, letter.author)
    return asked if writer is not None and writer.person_id == asked.person_id else None
