"""Commands of the room."""

from __future__ import annotations

import pytest

from passerelle.core.room_commands import RoomCommand, parse_command


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("!lien", RoomCommand(name="link")),
        ("  !LIEN ", RoomCommand(name="link")),
        ("!link", RoomCommand(name="link")),
        ("!cherche réunion de mars", RoomCommand(name="search", rest="réunion de mars")),
        ("!Cherche\u00a0budget", RoomCommand(name="search", rest="budget")),  # a phone's no-break space
        ("!chèrche  budget ", RoomCommand(name="search", rest="budget")),
        ("!search\nbudget", RoomCommand(name="search", rest="budget")),
        ("!", None),
        ("!!!", None),
        ("!super", None),
        ("lien", None),
        ("voilà !lien", None),
        ("", None),
    ],
)
def test_parse_command(body: str, expected: RoomCommand | None) -> None:
    assert parse_command(body) == expected


def test_parse_command_of_a_very_long_word_is_none() -> None:
    assert parse_command("!" + "a" * 1_000_000) is None
