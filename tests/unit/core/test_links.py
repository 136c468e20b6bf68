"""The links of a configuration, found by association and by room: a host has thousands of others."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.core.ids import MailAddress, RoomId
from passerelle.core.links import Links
from passerelle.core.settings import Settings

SERVER = {"host": "127.0.0.1", "port": 1, "tls": "none"}


@pytest.fixture
def links() -> Links:
    def link(name: str, room: str, *aliases: str) -> dict[str, Any]:
        return {"name": name, "list": {"address": f"{name}@listes.example", "aliases": aliases}, "room": room}

    def association(name: str, *links: dict[str, Any]) -> dict[str, Any]:
        coordinators = [{"name": "Monique", "address": "monique@membres.example"}]
        return {"name": name, "title": name, "coordinators": coordinators, "links": links}

    return Links(
        Settings.model_validate(
            {
                "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:example"},
                "mailboxes": [{"address": "passerelle@membres.example", "imap": SERVER, "smtp": SERVER}],
                "associations": [
                    association("epeule", link("bureau", "!bureau:example"), link("jardin", "#jardin:example")),
                    association("alma", link("fete", "!fete:example", "La-Fete@listes.example")),
                ],
            }
        )
    )


def test_an_association_has_its_own_links_in_their_order(links: Links) -> None:
    assert [link.path for link in links.of("epeule")] == ["epeule/bureau", "epeule/jardin"]
    assert [link.path for link in links.of("alma")] == ["alma/fete"]
    assert list(links.of("nowhere")) == []
    found = links.association("alma")
    assert found is not None
    assert found.name == "alma"
    assert links.association("nowhere") is None


def test_an_alias_is_the_room_that_it_resolved_to_last(links: Links) -> None:
    bureau, jardin = links.of("epeule")
    assert links.room_of(jardin) is None
    for room in ("!jardin:example", "!moved:example"):
        links.set_room(jardin, RoomId(room))
        assert links.room_of(jardin) == room
        assert links.find_by_room(RoomId(room)) is jardin
    assert links.find_by_room(RoomId("!jardin:example")) is None
    assert links.rooms() == {"!bureau:example", "!fete:example", "!moved:example"}
    # Two aliases may come to lead to one room: it is of the link that was asked for last.
    links.set_room(jardin, RoomId("!bureau:example"))
    assert links.find_by_room(RoomId("!bureau:example")) is jardin
    assert links.room_of(bureau) is None
    links.set_room(bureau, RoomId("!new:example"))
    assert (links.room_of(bureau), links.room_of(jardin)) == ("!new:example", "!bureau:example")


def test_lists_are_known_by_all_their_addresses_whatever_their_case(links: Links) -> None:
    for address in ("bureau@listes.example", "Jardin@Listes.example", "la-fete@listes.example"):
        assert links.is_list(MailAddress(address))
    assert not links.is_list(MailAddress("monique@membres.example"))
