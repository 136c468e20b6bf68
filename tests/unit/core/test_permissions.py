"""Who may do what: the table, and what no configuration and no mail can change."""

from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from passerelle.core.ids import MailAddress
from passerelle.core.permissions import NEEDS, Act, Actor, ActorProof, Permission, judge_act
from passerelle.core.secretary_settings import PermissionSettings, Role

ACTS: tuple[Act, ...] = get_args(Act)
PROOFS: tuple[ActorProof, ...] = get_args(ActorProof)
ROLES: tuple[Role, ...] = get_args(Role)
OWN_PROOFS: tuple[ActorProof, ...] = ("author", "room", "session", "confirmed")
DECIDES: tuple[Act, ...] = ("adopt", "approve", "chair", "move", "rights", "erase", "withdraw")
DEFAULTS = PermissionSettings()
RANK: dict[Permission, int] = {"refused": 0, "confirm": 1, "allowed": 2}


def actor(role: Role, proof: ActorProof, *, known: bool = True) -> Actor:
    return Actor(
        person_id=7 if known else None,
        name="Monique",
        address=MailAddress("monique@laposte.example") if known else None,
        user_id=None,
        medium="mail",
        is_participant=role == "participant",
        is_coordinator=role == "coordinator",
        proof=proof,
    )


actors = st.builds(actor, st.sampled_from(ROLES), st.sampled_from(PROOFS), known=st.booleans())
#: Whatever an administrator may write, and whatever a mistake in the checks might let through.
permissions = st.fixed_dictionaries({key: st.sampled_from(ROLES) for key in PermissionSettings.model_fields}).map(
    lambda keys: PermissionSettings.model_construct(**keys)
)


@pytest.mark.parametrize(
    ("act", "role", "proof", "expected"),
    [
        ("note", "participant", "list", "allowed"),
        ("note", "participant", "none", "confirm"),
        ("note", "anyone", "author", "refused"),
        ("finish", "participant", "list", "allowed"),
        ("meet", "participant", "list", "allowed"),
        ("move", "participant", "list", "confirm"),
        ("move", "participant", "room", "allowed"),
        ("adopt", "participant", "author", "refused"),
        ("adopt", "participant", "none", "refused"),
        ("adopt", "coordinator", "list", "confirm"),
        ("adopt", "coordinator", "none", "confirm"),
        ("adopt", "coordinator", "confirmed", "allowed"),
        ("adopt", "coordinator", "room", "allowed"),
        ("approve", "participant", "list", "confirm"),
        ("approve", "participant", "session", "allowed"),
        ("correct", "participant", "list", "allowed"),
        ("correct", "anyone", "room", "refused"),
        ("search", "participant", "none", "allowed"),
        ("search", "anyone", "author", "refused"),
        ("rights", "participant", "room", "refused"),
        ("rights", "coordinator", "list", "confirm"),
        ("erase", "anyone", "none", "confirm"),
        ("erase", "anyone", "author", "allowed"),
        ("object", "anyone", "none", "allowed"),
    ],
)
def test_table(act: Act, role: Role, proof: ActorProof, expected: Permission) -> None:
    assert judge_act(act, actor(role, proof), DEFAULTS) == expected


def test_an_objection_needs_nothing_not_even_to_be_known() -> None:
    assert judge_act("object", actor("anyone", "none", known=False), DEFAULTS) == "allowed"


def test_a_stranger_is_never_asked_to_confirm() -> None:
    for act, proof in product(ACTS, PROOFS):
        assert judge_act(act, actor("anyone", proof, known=False), DEFAULTS) != "confirm"


def test_a_coordinator_who_never_wrote_can_be_asked() -> None:
    monique = Actor(
        person_id=None,
        name="Monique",
        address=MailAddress("monique@laposte.example"),
        user_id=None,
        medium="mail",
        is_participant=False,
        is_coordinator=True,
        proof="none",
    )
    assert judge_act("adopt", monique, DEFAULTS) == "confirm"


@given(st.sampled_from(DECIDES), actors, permissions)
def test_without_their_own_proof_nobody_decides(act: Act, who: Actor, allowed: PermissionSettings) -> None:
    if who.proof not in OWN_PROOFS:
        assert judge_act(act, who, allowed) != "allowed"


@given(st.sampled_from(("adopt", "approve", "chair", "move", "rights")), st.sampled_from(PROOFS), permissions)
def test_no_configuration_lets_strangers_decide(act: Act, proof: ActorProof, allowed: PermissionSettings) -> None:
    for known in (True, False):
        assert judge_act(act, actor("anyone", proof, known=known), allowed) == "refused"


@given(st.sampled_from(ACTS), actors, permissions, st.sampled_from(PROOFS))
def test_a_better_proof_never_takes_away(act: Act, who: Actor, allowed: PermissionSettings, proof: ActorProof) -> None:
    weak = actor(_role(who), "none", known=who.person_id is not None)
    strong = actor(_role(who), proof, known=who.person_id is not None)
    assert RANK[judge_act(act, strong, allowed)] >= RANK[judge_act(act, weak, allowed)]
    through_list = actor(_role(who), "list", known=who.person_id is not None)
    if proof in OWN_PROOFS:
        assert RANK[judge_act(act, strong, allowed)] >= RANK[judge_act(act, through_list, allowed)]


@given(st.sampled_from(ACTS), st.sampled_from(PROOFS), permissions)
def test_a_coordinator_may_what_a_participant_may(act: Act, proof: ActorProof, allowed: PermissionSettings) -> None:
    ranks = [RANK[judge_act(act, actor(role, proof), allowed)] for role in ROLES]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("key", ["adopt", "chair"])
def test_the_configuration_cannot_say_that_anyone_decides(key: str) -> None:
    with pytest.raises(ValidationError):
        PermissionSettings.model_validate({key: "anyone"})


def _role(who: Actor) -> Role:
    return "coordinator" if who.is_coordinator else "participant" if who.is_participant else "anyone"


def test_the_table_of_the_documents_is_this_one() -> None:
    text = (Path(__file__).parents[3] / "docs" / "permissions.md").read_text(encoding="utf-8")
    section = text.split("\n## The acts\n", 1)[1].split("\n## ", 1)[0]
    rows = [[c.strip(" `") for c in line.strip("|").split("|")] for line in section.splitlines() if "|" in line][2:]
    assert {act: (key, role, proof) for act, key, role, proof, _what in rows} == {
        act: (need.key or "–", need.role, need.proof) for act, need in NEEDS.items()
    }
