"""What is a project tag, and what is none."""

import pytest

from passerelle.core.tags import folded_tag, tags_in


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("Compost #jardin : qui vient ?", ("jardin",)),
        ("#Fête et #fete, puis #jardin-partagé.", ("fete", "jardin-partage")),
        ("On se voit (#jardin) demain", ("jardin",)),
        ("ticket #12, page#haut, https://lab.test/#bas, &#233; ##titre", ()),
        ("# titre", ()),
        ("＃jardin", ("jardin",)),
        ("", ()),
    ],
)
def test_tags_of_a_text(text: str, tags: tuple[str, ...]) -> None:
    assert tags_in(text) == tags


@pytest.mark.parametrize("asked", ["jardin-partagé", "#Jardin-Partagé", " jardin-partage "])
def test_a_tag_is_asked_for_with_its_sign_or_without(asked: str) -> None:
    assert folded_tag(asked) == "jardin-partage"


def test_a_long_text_is_read_to_a_limit() -> None:
    assert tags_in("x" * 100_001 + " #jardin") == ()
