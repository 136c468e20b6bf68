"""A published fiche is found by the same search, from the room and by mail; a draft is not."""

from __future__ import annotations

from tests.flows.bridge import Bridge, body_of
from tests.flows.meetings import letter
from tests.flows.test_fiches import MONIQUE, asked_for, group, plain, published  # noqa: F401


async def answer_to(bridge: Bridge, message_id: str) -> str:
    await bridge.receive(letter("cherche caisse", author=MONIQUE, message_id=message_id))
    return plain(body_of([one for one in await bridge.personal_mails() if "recherche" in str(one["Subject"])][-1]))


async def test_a_published_fiche_is_found_by_mail_and_in_the_room(group: Bridge) -> None:  # noqa: F811
    await published(group)
    told = await answer_to(group, "cherche@x")
    assert "Dans les fiches d’expérience :" in told
    await group.say("!cherche caisse")
    (row,) = [row for row in await group.outbox("event") if row.unique_key.startswith("search:")]
    assert "Fiche : Loto du quartier" in plain(str((row.content or {})["body"]))


async def test_a_draft_is_not_found(group: Bridge) -> None:  # noqa: F811
    await asked_for(group)
    told = await answer_to(group, "cherche@x")
    assert "Vous cherchiez" in told
    assert "fiches d’expérience" not in told
