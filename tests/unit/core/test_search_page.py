"""The page for members (docs/fr/chercher.md): every search that it shows can be made."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from passerelle.core.search_query import parse_query
from passerelle.core.search_tokens import PREFIXES

PAGE = (Path(__file__).parents[3] / "docs" / "fr" / "chercher.md").read_text("utf-8")
EXAMPLES = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 25


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_search_of_the_page_can_be_made(example: str) -> None:
    now, zone = datetime(2026, 11, 19, 10, tzinfo=UTC), ZoneInfo("Europe/Paris")
    assert not parse_query(example, now=now, zone=zone).is_empty


def test_every_field_is_on_the_page() -> None:
    plain = PAGE.lower().replace("é", "e").replace("è", "e")
    shown = {PREFIXES[name] for name in re.findall(r"`(\w+(?:-\w+)?):", plain)}
    assert shown == set(PREFIXES.values())
