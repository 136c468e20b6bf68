"""From what people wrote on either side to what stands in a digest, the whole way."""

from __future__ import annotations

from datetime import datetime, timedelta

from passerelle.core.digest_choice import Chosen, Item, choose
from passerelle.core.digest_model import ShownItem
from passerelle.flows.digest_facts import digest_reader, gather_of
from passerelle.flows.hide_post import hide_post
from passerelle.store.people import find_person
from passerelle.store.register_lists import EntryFilter, list_entries
from tests.flows.bridge import Bridge, mail
from tests.flows.test_register_notes import tell

WEEK = timedelta(days=7)
PAUL = "Paul Lefèvre <paul@membres.lab.test>"
ODILE = "Odile Petit <odile@membres.lab.test>"


async def person(bridge: Bridge, name: str, **known: str) -> int:
    async with bridge.ctx.store.read() as conn:
        found = await find_person(conn, bridge.link.association_name, name=name, **known)  # type: ignore[arg-type]
    assert found is not None
    return found


async def digest(
    bridge: Bridge, person_id: int, *, since: datetime | None = None, shown: tuple[ShownItem, ...] = ()
) -> Chosen:
    """What a person would be told now."""
    ctx, until = bridge.ctx, bridge.now()
    async with ctx.store.read() as conn:
        me = await digest_reader(ctx, conn, bridge.link.association_name, person_id)
        facts = await gather_of(ctx, conn, me, since=since or until - WEEK, until=until)
    return choose(
        facts,
        reader=me.reader,
        shown=shown,
        since=since or until - WEEK,
        until=until,
        settings=bridge.link.association.digests,
    )


def told(chosen: Chosen) -> list[tuple[str, str]]:
    return [(item.title, item.reason.code) for item in chosen.items]


def item_of(chosen: Chosen, title: str) -> Item:
    return next(item for item in chosen.items if item.title == title)


async def test_a_week_on_both_sides(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui tient le stand du loto ?", author=PAUL))
    await bridge.deliver_events()
    (shown,) = [row for row in await bridge.outbox("event") if row.post_id is not None]
    bridge.pass_time(minutes=1)
    relation = {"rel_type": "m.thread", "event_id": shown.event_id, "m.in_reply_to": {"event_id": shown.event_id}}
    await bridge.say("moi", **{"m.relates_to": relation})
    await bridge.say("moi aussi", sender="@karim:lab.test", **{"m.relates_to": relation})
    bridge.pass_time(days=1)
    await bridge.receive(
        mail("Personne n’a répondu à ma question ?", author=ODILE, subject="Clé du local", message_id="cle@x.test")
    )
    bridge.pass_time(days=5, minutes=5)
    paul = await person(bridge, "Paul Lefèvre", address="paul@membres.lab.test")
    chosen = await digest(bridge, paul)
    assert told(chosen) == [("Clé du local", "unanswered"), ("Loto du quartier", "new"), ("", "newcomers")]
    thread = item_of(chosen, "Loto du quartier")
    assert (thread.reason.count, thread.extract, thread.author) == (3, "Qui tient le stand du loto ?", "Paul Lefèvre")
    assert thread.path.startswith("/epeule/p/")
    (newcomers,) = chosen.section("newcomers")
    assert set(newcomers.names) == {"Léa", "Karim", "Odile Petit"}
    assert (chosen.figures.people_by_mail, chosen.figures.people_in_room) == (2, 2)


async def test_a_decision_stands_in_no_digest_before_both_sides_were_told(bridge: Bridge) -> None:
    await bridge.say("bonjour")
    await bridge.receive(mail("Décision : louer la salle des fêtes", author=PAUL))
    lea = await person(bridge, "Léa", user_id="@lea:lab.test")
    bridge.pass_time(minutes=5)
    assert not (await digest(bridge, lea)).section("decisions")
    await tell(bridge)
    bridge.pass_time(minutes=5)
    (decision,) = (await digest(bridge, lea)).section("decisions")
    assert (decision.title, decision.reason.code) == ("louer la salle des fêtes", "open_to_objection")
    async with bridge.ctx.store.read() as conn:
        (entry,) = await list_entries(conn, bridge.link.association_name, EntryFilter())
    assert decision.reason.at == entry.open_until
    assert (decision.number, decision.path) == (entry.number, f"/epeule/register/{entry.number}")


async def test_whoever_is_named_reads_it_as_theirs_and_once_in_a_while(bridge: Bridge) -> None:
    await bridge.say("bonjour")
    await bridge.say("bonjour", sender="@karim:lab.test")
    await bridge.receive(mail("Action : @Léa relancer la mairie pour le 20/11", author=PAUL))
    await tell(bridge)
    bridge.pass_time(minutes=5)
    lea = await person(bridge, "Léa", user_id="@lea:lab.test")
    karim = await person(bridge, "Karim", user_id="@karim:lab.test")
    mine, theirs = await digest(bridge, lea), await digest(bridge, karim)
    assert ("relancer la mairie", "own_due") in told(mine)
    assert ("relancer la mairie", "due") in told(theirs)
    before = tuple(ShownItem(item_key=i.key, state=i.state, shown_at=bridge.now()) for i in mine.items)
    bridge.pass_time(days=1)
    assert (await digest(bridge, lea, shown=before)).is_empty
    bridge.pass_time(days=3)
    late = await digest(bridge, lea, shown=before)
    assert ("relancer la mairie", "own_overdue") in told(late)
    others = item_of(await digest(bridge, karim), "relancer la mairie")
    assert (others.reason.code, others.names, others.author) == ("overdue", (), "")


async def test_what_is_hidden_leaves_every_digest(bridge: Bridge) -> None:
    await bridge.say("bonjour")
    await bridge.receive(mail("Voici le secret.", author=PAUL, subject="Le secret"))
    bridge.pass_time(minutes=5)
    lea = await person(bridge, "Léa", user_id="@lea:lab.test")
    thread = item_of(await digest(bridge, lea), "Le secret")
    assert thread.post_id is not None
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, thread.post_id, by="Monique")
    after = await digest(bridge, lea)
    assert "secret" not in str(after.to_json())
