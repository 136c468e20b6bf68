"""What tests of answers to digests ask of the bridge: a digest that left, answers to it, what came of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy import select

from passerelle.core.model import Post
from passerelle.core.register_model import Ask
from passerelle.store.asks import find_ask
from passerelle.store.posts import SHAPE
from passerelle.store.tables import post
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import COORDINATORS, next_step
from tests.flows.test_actors import SERVER, believing
from tests.flows.test_digests import MONDAY, digest_mails, ring, subscribe
from tests.flows.test_register_notes import all_leave, tell

MONIQUE = "Monique Delattre <monique@membres.lab.test>"
PAUL = "Paul Mercier <paul@membres.lab.test>"
VOUCHED = f"Authentication-Results: {SERVER}; dmarc=pass header.from=membres.lab.test\r\n".encode()
DIGEST_AT = MONDAY + timedelta(days=7)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def reply(bridge: Bridge, text: str, to: EmailMessage | None, *, subject: str = "", message_id: str = "reply@x.test",
          author: str = MONIQUE, proved: bool = True) -> bytes:  # fmt: skip
    """A mail to the bridge alone, in answer to a mail of ours."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Date"] = author, BRIDGE, bridge.now()
    made["Subject"] = subject or (f"Re: {to['Subject']}" if to is not None else "Bonjour")
    made["Message-ID"] = f"<{message_id}>"
    if to is not None:
        made["In-Reply-To"] = made["References"] = str(to["Message-ID"])
    made.set_content(text)
    return (VOUCHED if proved else b"") + made.as_bytes()


async def happenings(bridge: Bridge) -> None:
    """Two conversations, a decision open to objection, an action of Monique's."""
    for number in (1, 2):
        first = f"question{number}@membres.lab.test"
        await bridge.receive(
            mail(
                f"Qui apporte le gâteau {number} ?", subject=f"Goûter {number}", message_id=first, Date=said_at(bridge)
            )
        )
        bridge.pass_time(minutes=1)
        await bridge.receive(
            mail("Moi, avec plaisir.", subject=f"Re: Goûter {number}", message_id=f"answer{number}@membres.lab.test",
                 author=PAUL, answering=(first,), Date=said_at(bridge))
        )  # fmt: skip
        bridge.pass_time(minutes=1)
    text = "Décision : louer la salle des fêtes\n\nAction : Monique imprime les affiches avant le 10 décembre\n"
    await bridge.receive(
        mail(text, subject="Salle", message_id="salle@membres.lab.test", author=PAUL, Date=said_at(bridge))
    )
    await tell(bridge)


def said_at(bridge: Bridge) -> str:
    return bridge.now().strftime("%a, %d %b %Y %H:%M:%S +0000")


async def digest_sent(make_bridge: MakeBridge, *, others: int = 0) -> tuple[Bridge, EmailMessage]:
    """Monique's digest of the last Monday of November, as it left; `others` coordinate as well."""
    more = [{"name": f"Coordinatrice {n}", "address": f"coord{n}@membres.lab.test"} for n in range(others)]
    made = await make_bridge(coordinators=[*COORDINATORS, *more], quiet_from="00:00", quiet_until="00:00")
    bridge: Bridge = believing(made)
    await bridge.receive(mail("Bonjour à tous.", subject="Bonjour", message_id="bonjour@x"))
    await subscribe(bridge)
    await bridge.say("!réunion jeudi 3 décembre 18h30 au local : budget de la fête")
    await ring(bridge, MONDAY)
    await next_step(bridge)
    await next_step(bridge)
    bridge.clock[0] = max(bridge.now(), datetime(2026, 11, 27, 9, tzinfo=UTC))
    await happenings(bridge)
    before = len(await digest_mails(bridge))
    assert await ring(bridge, DIGEST_AT) == 1 + others
    await all_leave(bridge)
    bridge.pass_time(hours=1)
    (sent,) = [one for one in (await digest_mails(bridge))[before:] if "monique@" in str(one["To"])]
    return bridge, sent


def token_of(sent: EmailMessage, title: str) -> str:
    """The token of the item whose title holds that."""
    found = re.search(re.escape(title) + r"[^\[]*\[([a-z2-7]{5})\]", body_of(sent))
    assert found is not None, title
    return found[1]


def item_of(sent: EmailMessage, title: str) -> str:
    """The lines of an item, from its title to its token."""
    found = re.search(r"- [^\n]*" + re.escape(title) + r"[^\[]*\[[a-z2-7]{5}\]", body_of(sent))
    assert found is not None, title
    return found[0]


async def told(bridge: Bridge, subject: str) -> list[EmailMessage]:
    rows = [row for row in await bridge.outbox("email") if row.lane.startswith("out:person:") and row.raw_hash]
    mails = [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]
    return [one for one in mails if subject in str(one["Subject"])]  # type: ignore[misc]


async def posts(bridge: Bridge, text: str) -> list[Post]:
    async with bridge.ctx.store.read() as conn:
        return SHAPE.values((await conn.execute(select(*SHAPE.columns).where(post.c.text.contains(text)))).all())


async def asks(bridge: Bridge, kind: str) -> list[Ask]:
    async with bridge.ctx.store.read() as conn:
        found = [await find_ask(conn, id) for id in range(1, 60)]  # type: ignore[arg-type]
    return [one for one in found if one is not None and one.kind == kind]
