"""Which words of an answer to a digest answer which item: nothing is guessed, and nothing is lost."""

from __future__ import annotations

from email.utils import parseaddr
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.digest_answers import (
    Piece,
    Quotable,
    Stretch,
    Told,
    build_mailto,
    chosen_number,
    short_token,
    take_apart,
    tokens_in,
    without_tokens,
)
from passerelle.core.folding import words_of
from passerelle.core.ids import MailAddress, MessageId

TITLES = ("Décision 7 : louer la salle des fêtes", "Action 12 : imprimer les affiches", "Goûter", "Goûter")
TOKENS = ("k7fm2", "b3xy4", "q2ab5", "z6cd7")
ITEMS = tuple(Quotable(key=f"item:{n}", token=TOKENS[n], title=TITLES[n], others=("demain",)) for n in range(4))
TEXT = "\n".join(f"- {item.title}\n  demain\n  Code : [{item.token}]" for item in ITEMS)
TOLD = Told(items=ITEMS, text=f"Bonjour Monique,\nVoici ce qui attend une réponse.\n{TEXT}\nBonne semaine à vous")


def apart(*lines: str, subject: str = "") -> dict[str, str]:
    """Lines that begin with `>` are quoted."""
    stretches = [Stretch(is_own=not line.startswith(">"), text=line) for line in lines]
    return {piece.key: piece.text for piece in take_apart(stretches, TOLD, subject=subject, author="Monique D.")}


def test_what_stands_below_a_code_a_title_or_a_line_of_an_item_answers_it() -> None:
    assert apart("> Code : [k7fm2]", "objection", "> - Action 12 : imprimer les affiches", "fait") == {
        "item:0": "objection",
        "item:1": "fait",
    }
    assert apart(">   Code : [ K7FM2 ]", "objection") == {"item:0": "objection"}


def test_two_items_of_one_name_are_told_apart_by_their_codes_alone() -> None:
    assert apart("> - Goûter", "moi aussi") == {"": "moi aussi"}
    assert apart("> - Goûter", ">   Code : [z6cd7]", "moi aussi") == {"item:3": "moi aussi"}


def test_a_quote_that_names_nothing_leaves_what_follows_where_the_last_one_did() -> None:
    assert apart("> Code : [k7fm2]", "objection", ">", "trop cher") == {"item:0": "objection\ntrop cher"}


def test_above_the_quote_of_one_item_it_is_that_one_and_above_all_it_is_none() -> None:
    assert apart("objection", "> - Décision 7 : louer la salle des fêtes") == {"item:0": "objection"}
    assert apart("objection", *(f"> {line}" for line in TEXT.splitlines())) == {"": "objection"}


def test_the_subject_says_it_where_nothing_else_does() -> None:
    assert apart("fait", subject="Re: Action 12 [b3xy4]") == {"item:1": "fait"}
    assert apart("> Code : [k7fm2]", "objection", subject="[b3xy4]") == {"item:0": "objection"}
    assert apart("fait", subject="Re: [aaaaa] [b9xy4]") == {"": "fait"}


def test_who_writes_a_code_says_it_themselves() -> None:
    assert apart("[b3xy4] fait", "[k7fm2] objection") == {"item:1": "fait", "item:0": "objection"}


@pytest.mark.parametrize("idle", ["Bonjour,", "Mes réponses ci-dessous :", "Monique", "Merci beaucoup !"])
def test_beside_answers_polite_words_are_no_answer(idle: str) -> None:
    assert apart(idle, "> Code : [k7fm2]", "objection", "> Code : [z6cd7]", "fait", "Monique") == {
        "item:0": "objection",
        "item:3": "fait\nMonique",
    }


def test_bravo_below_an_item_is_said_to_somebody_and_thanks_above_all_to_nobody() -> None:
    assert apart("> Code : [q2ab5]", "Bravo !") == {"item:2": "Bravo !"}
    assert apart("Merci !", *(f"> {line}" for line in TEXT.splitlines())) == {}


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(TOLD.text.splitlines())), max_size=30), st.booleans())
def test_no_word_is_lost_and_nothing_raises(lines: list[str], is_own: bool) -> None:
    stretches = [Stretch(is_own=is_own, text=line) for line in lines]
    pieces = take_apart(stretches, TOLD)
    assert {piece.key for piece in pieces} <= {"", *(item.key for item in ITEMS)}
    assert all(isinstance(piece, Piece) and piece.text.strip() for piece in pieces)


@given(st.lists(st.sampled_from(["oui", "je ferai une tarte", "objection : non merci", "zut", "7 h"]), min_size=1))
def test_own_words_beside_the_digest_are_all_kept(said: list[str]) -> None:
    quoted = TEXT.splitlines()
    lines = [line for n, one in enumerate(said) for line in (f"> {quoted[n % len(quoted)]}", one)]
    kept = " ".join(apart(*lines).values())
    assert sorted(words_of(kept)) == sorted(word for one in said for word in words_of(one))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=0, max_size=26))
def test_a_token_is_found_again_whatever_the_hash(hashed: str) -> None:
    token = short_token(hashed)
    assert tokens_in(f"Re: quelque chose [{token}]") == (token,)
    assert without_tokens(f"Re: quelque chose [{token}]") == "Re: quelque chose"


def test_a_word_in_brackets_is_no_token() -> None:
    assert tokens_in("[bureau] [aide] Réunion [2026] [salle]") == ()


@given(st.text(max_size=200))
def test_an_address_says_one_subject_whatever_the_title(title: str) -> None:
    url = build_mailto(MailAddress("bureau@listes.lab.test"), title, "k7fm2", in_reply_to=MessageId("a&b?c@x"))
    parts = urlsplit(url)
    assert (parts.scheme, parseaddr(parts.path)[1]) == ("mailto", "bureau@listes.lab.test")
    fields = parse_qs(parts.query, strict_parsing=True, keep_blank_values=True)
    assert set(fields) == {"subject", "In-Reply-To"}
    assert fields["In-Reply-To"] == ["<a&b?c@x>"]
    assert tokens_in(fields["subject"][0])[-1] == "k7fm2"
    assert len(fields["subject"][0]) <= 80


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("2", 2), ("2.", 2), ("n° 2", 2), ("Le 3", 3), ("point 1", 1), ("Bonjour,\n\n4\n", 4), ("0", 0), ("5", None),
        ("aucun", 0), ("Aucun des points", 0), ("none", 0), ("Action 12", 2), ("louer la salle", 1), ("Goûter", None),
        ("Je ne sais pas", None), ("", None), ("décision 7 : louer la salle des fêtes", 1),
    ],
)  # fmt: skip
def test_a_choice_is_a_number_a_title_or_none(said: str, number: int | None) -> None:
    assert chosen_number(said, TITLES) == number
