"""A general assembly knows who is there and who is represented, its quorum and its votes (PEOPLE 16); and what a
coordinator's word adopts, what the minutes settle, and what comes onto the next agenda."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from passerelle.core.ids import EntryId
from passerelle.core.meeting_model import Vote
from passerelle.core.register_model import Objection
from passerelle.store.meeting_minutes import list_votes
from passerelle.store.register_history import list_objections
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import configured
from tests.flows.test_meeting_minutes import meetings, notices, rings, value
from tests.flows.test_register_commands import COORDINATORS, told_directly
from tests.flows.test_register_notes import all_leave, entries, tell


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.say("bonjour")
    await bridge.say("bonjour", sender="@karim:lab.test")
    bridge.pass_time(minutes=1)
    return bridge


async def votes(bridge: Bridge) -> list[Vote]:
    (meeting, *_) = await meetings(bridge)
    async with bridge.ctx.store.read() as conn:
        return await list_votes(conn, meeting.id)


async def objections(bridge: Bridge, id: EntryId) -> list[Objection]:
    async with bridge.ctx.store.read() as conn:
        return await list_objections(conn, id)


async def assembly(bridge: Bridge, *lines: str, quorum: int = 0) -> None:
    """A general assembly that is held in the room."""
    configured(bridge, meetings={"quorum": quorum})
    await bridge.say("!assemblée aujourd’hui 12h à la salle des fêtes")
    bridge.pass_time(hours=1)
    await bridge.say("!début")
    for line in lines:
        bridge.pass_time(minutes=1)
        await bridge.say(line)
    bridge.pass_time(minutes=1)
    await bridge.say("!fin")
    await all_leave(bridge)


async def drafted(bridge: Bridge) -> EmailMessage:
    while not (await notices(bridge, "draft"))[0]:
        await rings(bridge)
    return (await notices(bridge, "draft"))[0][0]


PEOPLE = ("présents : Léa, Karim, Monique", "pouvoir : Annie à Paul", "pouvoir : Jean à Karim")


async def test_a_quorum_that_is_missed_is_said(group: Bridge) -> None:
    await assembly(group, *PEOPLE, quorum=12)
    made = await value_after(group)
    assert made.quorum is not None
    # Paul is not there: what Annie gave him counts for nothing.
    assert (made.quorum.counted, made.quorum.is_reached) == (4, False)
    assert [proxy.void for proxy in made.presence.void_proxies] == ["holder_absent"]
    text = body_of((await notices(group, "draft"))[0][0])
    assert "quorum" in text.lower()
    assert "12" in text


async def value_after(bridge: Bridge):  # type: ignore[no-untyped-def]
    await drafted(bridge)
    return await value(bridge)


async def test_a_quorum_that_the_assembly_says_counts(group: Bridge) -> None:
    await assembly(group, *PEOPLE, "quorum : 4", quorum=12)
    made = await value_after(group)
    assert made.quorum is not None
    assert (made.quorum.needed, made.quorum.is_reached) == (4, True)


async def test_votes_belong_to_the_decision_that_they_are_about(group: Bridge) -> None:
    await assembly(
        group,
        *PEOPLE,
        "décision : approuver les comptes",
        "vote : 3 pour, 1 contre, 0 abstention",
        "décision : louer la salle des fêtes",
        "vote : louer la salle des fêtes, à l’unanimité",
        "vote : élection du bureau, 2 pour, 1 contre, 1 abstention",
    )
    accounts, hall = await entries(group, "decision")
    first, second, third = await votes(group)
    assert (first.entry_id, first.in_favour, first.against) == (accounts.id, 3, 1)
    # All who are there or represented: Annie is not, since Paul did not come.
    assert (second.entry_id, second.in_favour) == (hall.id, 4)
    assert (third.entry_id, third.abstained) == (None, 1)
    made = await value_after(group)
    assert [len(one.votes) for one in made.decisions] == [1, 1]
    assert [one.in_favour for one in made.votes] == [2]
    text = body_of((await notices(group, "draft"))[0][0])
    assert "secret" not in text.lower()
    assert "main levée" in text


async def test_votes_of_one_mail_belong_each_to_the_decision_above_it(group: Bridge) -> None:
    await assembly(
        group,
        "décision : approuver les comptes\nvote : 3 pour, 1 contre\n"
        "décision : louer la salle\nvote par correspondance : 2 pour, 0 contre\n"
        "présents : Léa et Karim\nvote décision 1 : à l’unanimité\n"
        "vote à bulletin secret : élection du bureau, 2 pour, 0 contre",
    )
    accounts, hall = await entries(group, "decision")
    first, second, third, ballot = await votes(group)
    assert (ballot.method, ballot.text) == ("ballot", "élection du bureau")
    assert (first.entry_id, first.method) == (accounts.id, "hands")
    assert (second.entry_id, second.method, second.text) == (hall.id, "reply", "")
    assert (third.entry_id, third.in_favour) == (accounts.id, 2)


async def test_who_all_are_is_asked_where_nobody_noted_it(group: Bridge) -> None:
    await assembly(group, "décision : approuver les comptes", "vote : à l’unanimité")
    assert await votes(group) == []
    assert "combien" in (await told_directly(group))[-1]


async def test_approved_minutes_of_an_assembly_have_a_block_to_sign(group: Bridge) -> None:
    await assembly(group, *PEOPLE, "présidence : Karim", "décision : approuver les comptes")
    await drafted(group)
    await group.say("!approuver", sender="@karim:lab.test")
    await rings(group)
    (made,), _ = await notices(group, "approval")
    names = sorted(str(part.get_filename()) for part in made.iter_attachments())
    assert [name.partition("-")[0] for name in names] == ["proces", "proces"]
    assert "procès-verbal approuvé" in body_of(made)


# ------------------------------------------------------------ what minutes settle


async def objected(bridge: Bridge) -> None:
    """A decision that Paul objects to, before the assembly."""
    await bridge.say("décision : vendre le local")
    await tell(bridge)
    await bridge.say("!objection 1 : c’est trop tôt", sender="@karim:lab.test")


async def test_an_objection_that_the_assembly_voted_on_is_settled_by_a_coordinators_word(group: Bridge) -> None:
    await objected(group)
    group.pass_time(days=8)
    await assembly(group, *PEOPLE, "vote : décision 1, 3 pour, 1 contre")
    await drafted(group)
    await group.say("!approuver", sender="@karim:lab.test")
    (decision,) = await entries(group, "decision")
    assert decision.state == "adopted"
    (objection,) = await objections(group, decision.id)
    assert objection.settled_at is not None


async def test_an_objection_that_nobody_voted_on_stands(group: Bridge) -> None:
    await objected(group)
    group.pass_time(days=8)
    await assembly(group, *PEOPLE, "On a parlé du local pendant une heure.")
    await drafted(group)
    await group.say("!approuver", sender="@karim:lab.test")
    (decision,) = await entries(group, "decision")
    assert decision.state == "objected"


async def test_an_objection_to_what_the_assembly_decided_is_not_settled_by_it(group: Bridge) -> None:
    await assembly(group, *PEOPLE, "décision : vendre le local", "vote : 3 pour, 1 contre")
    await tell(group)
    await drafted(group)
    await group.say("!objection 1 : je n’y étais pas")
    group.pass_time(days=6, hours=20)
    await group.say("!approuver", sender="@karim:lab.test")
    (decision,) = await entries(group, "decision")
    assert decision.state == "objected"


async def test_the_clock_settles_nothing(group: Bridge) -> None:
    await objected(group)
    group.pass_time(days=8)
    await assembly(group, *PEOPLE, "vote : décision 1, 3 pour, 1 contre")
    await drafted(group)
    group.pass_time(days=8)
    await rings(group)
    (decision,) = await entries(group, "decision")
    assert decision.state == "objected"


async def test_who_is_no_coordinator_approves_and_adopts_nothing(group: Bridge) -> None:
    await assembly(group, "décision : louer la salle")
    await tell(group)
    await drafted(group)
    group.pass_time(days=6, hours=23)
    await group.say("!approuver")
    (decision,) = await entries(group, "decision")
    assert decision.state == "proposed"
    assert (await value(group)).state == "approved"


# ------------------------------------------------------------ the next agenda


async def test_what_was_not_dealt_with_comes_onto_the_next_agenda(group: Bridge) -> None:
    await assembly(group, "ordre du jour : budget ; clés", "#topic budget", "Il reste trois cents euros en caisse.")
    await group.say("!réunion dans trois semaines à 18h au local : suite")
    await drafted(group)
    await group.say("!approuver", sender="@karim:lab.test")
    following = (await meetings(group))[-1]
    budget, keys = await entries(group, "agenda")
    assert (budget.state, keys.state) == ("treated", "carried")
    assert keys.meeting_id == following.id


async def test_what_is_open_is_on_the_agenda_when_people_are_called(group: Bridge) -> None:
    await group.say("action : @Léa relancer la mairie pour le 20/11")
    await group.say("décision : vendre le local")
    await tell(group)
    await group.say("!objection 2 : trop tôt", sender="@karim:lab.test")
    group.pass_time(days=10)
    await group.say("!réunion dans trois semaines à 18h au local : suite")
    await rings(group)
    await rings(group)
    items = [one.text for one in await entries(group, "agenda")]
    assert items == [
        "Encore à faire\u00a0: relancer la mairie (action 1)",
        "Décision 2, avec une objection\u00a0: vendre le local",
    ]
    # Nobody is named, nothing is late: it is printed.
    assert "Léa" not in "".join(items)
    # What a coordinator took off the agenda is not put there again.
    await group.say("!abandonner 3", sender="@karim:lab.test")
    await rings(group)
    assert len(await entries(group, "agenda")) == 2


async def test_the_agenda_of_a_meeting_that_is_called_off_waits_for_the_next(group: Bridge) -> None:
    await group.say("!réunion dans trois semaines à 18h au local : fête")
    await group.say("ordre du jour : budget")
    await group.say("!annuler réunion 1", sender="@karim:lab.test")
    (item,) = await entries(group, "agenda")
    assert (item.state, item.meeting_id) == ("carried", None)
    await group.say("!réunion dans quatre semaines à 18h au local : fête")
    (item,) = await entries(group, "agenda")
    assert item.meeting_id == (await meetings(group))[-1].id


async def test_the_agenda_of_a_meeting_of_which_nothing_was_heard_waits_too(group: Bridge) -> None:
    await group.say("!réunion demain 18h au local : fête")
    await group.say("ordre du jour : budget")
    group.pass_time(days=5)
    await group.say("!réunion dans trois semaines à 18h au local : fête")
    while not (await notices(group, "call"))[0]:
        await rings(group)
    (item,) = await entries(group, "agenda")
    assert item.meeting_id == (await meetings(group))[-1].id
    assert "budget" in body_of((await notices(group, "call"))[0][0])
