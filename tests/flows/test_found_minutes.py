"""Minutes are found by the same search as what was said, by who takes part."""

from __future__ import annotations

import pytest

from passerelle.core.ids import LinkName
from passerelle.core.paper_search import Paper, find_in_paper, is_for_papers
from passerelle.core.search_query import parse_query
from passerelle.flows.found_minutes import FoundMinutes, find_minutes
from tests.flows.bridge import Bridge, body_of
from tests.flows.meetings import letter
from tests.flows.test_meeting_minutes import group, held, rings  # noqa: F401


def asked(bridge: Bridge, words: str):  # type: ignore[no-untyped-def]
    return parse_query(words, now=bridge.now(), zone=bridge.link.zone, places=frozenset())


async def found(bridge: Bridge, words: str, *, link: str | None = None) -> tuple[FoundMinutes, ...]:
    places = {bridge.link.association_name: [bridge.link.name if link is None else LinkName(link)]}
    return await find_minutes(bridge.ctx, asked(bridge, words), places=places, limit=5)


@pytest.mark.parametrize(
    "words", ["louer salle", "LOUER la Salles", "« salle des fêtes »", "goûter", "gouter haddad", "relance mairie"]
)
async def test_what_was_decided_and_said_is_found(group: Bridge, words: str) -> None:  # noqa: F811
    await held(group)
    await rings(group)
    (one,) = await found(group, words)
    assert one.is_draft
    assert any(piece.hit for piece in (*one.hit.title, *one.hit.extract))


@pytest.mark.parametrize(
    "words",
    ["hippopotame", "louer hippopotame", "louer -salle", "« salles des fêtes »", "louer de:Léa", "louer avant:mars",
     "louer pièce:affiche", "de:Léa"],
)  # fmt: skip
async def test_what_does_not_answer_is_not_found(group: Bridge, words: str) -> None:  # noqa: F811
    await held(group)
    await rings(group)
    assert await found(group, words) == ()


async def test_of_a_link_in_which_they_take_no_part_nothing_is_found(group: Bridge) -> None:  # noqa: F811
    await held(group)
    await rings(group)
    assert await found(group, "louer salle", link="conseil") == ()


async def test_the_room_and_a_mail_are_told(group: Bridge) -> None:  # noqa: F811
    await held(group)
    await rings(group)
    await group.say("!cherche louer la salle")
    rows = [row for row in await group.outbox("event") if row.unique_key.startswith("search:")]
    assert "Compte rendu\u00a0: " in str((rows[-1].content or {})["body"])
    await group.receive(letter("cherche louer la salle", message_id="cherche@x"))
    (mail,) = [one for one in await group.personal_mails() if "recherche" in str(one["Subject"])]
    assert "Dans les comptes rendus\u00a0:" in body_of(mail)
    assert "louer la salle des fêtes" in body_of(mail)


def test_a_search_for_what_only_a_post_has_looks_through_no_papers(bridge: Bridge) -> None:
    assert is_for_papers(asked(bridge, "salle"))
    for words in ("de:Léa salle", "pièce:affiche", "après:mars"):
        assert not is_for_papers(asked(bridge, words)), words
    titled, said = (
        Paper(title=title, text=text, at=bridge.now())
        for title, text in (("Réunion du bureau", "rien"), ("Réunion", "le bureau"))
    )
    assert find_in_paper(asked(bridge, "objet:bureau"), titled) is not None
    assert find_in_paper(asked(bridge, "objet:bureau"), said) is None
