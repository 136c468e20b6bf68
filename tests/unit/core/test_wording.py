"""French spaces: set once, whatever stood there before."""

from hypothesis import example, given
from hypothesis import strategies as st

from passerelle.core.wording import NARROW_NBSP, NBSP, french_spaces


@given(st.text(alphabet=f"«» {NBSP}{NARROW_NBSP}:;!?'’a9h€%Mosmin\n", max_size=20))
@example(f"«{NBSP}oui{NBSP}»")
@example("«  oui  »")
def test_french_spaces_set_twice_are_as_set_once(text: str) -> None:
    once = french_spaces(text)
    assert french_spaces(once) == once


def test_a_quotation_mark_has_one_space_inside() -> None:
    for space in ("", " ", NBSP, NARROW_NBSP, NBSP + " "):
        assert french_spaces(f"«{space}oui{space}»") == f"«{NBSP}oui{NBSP}»"
