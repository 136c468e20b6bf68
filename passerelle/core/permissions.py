"""Who may do what, and how well it must be proved that it is they. Pure.

Three things are looked at: the act, who acts, and how well that is proved. What decides (a decision adopted, minutes
approved, a meeting moved or called off, something erased, rights changed) needs the author's own proof, whatever the
configuration says: through a list, which breaks the author's signature, a mail may only propose. An objection needs
nothing at all (PEOPLE 15).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from passerelle.core.ids import MailAddress, UserId
from passerelle.core.register_model import Medium
from passerelle.core.secretary_settings import PermissionSettings, Role

#: How it is known that it is they, the weakest first:
#: - `none`: a mail that says so;
#: - `list`: it came through the list, and the list is authenticated: the list took it for theirs;
#: - `author`: their own domain vouches for the mail (`mail.authentication`);
#: - `room`: the homeserver vouches for its users;
#: - `session`: they are signed in on the web;
#: - `confirmed`: they said « oui » from the address that we know.
ActorProof = Literal["none", "list", "author", "room", "session", "confirmed"]
Act = Literal[
    "note",  # something in the register, an item of the agenda
    "object",  # to a decision
    "withdraw",  # one's own objection
    "finish",  # say that something is done, or given back
    "search",  # decisions, actions, dates, the archive
    "remind",
    "meet",  # call a meeting
    "move",  # move a meeting, or call it off
    "chair",  # open and close a meeting
    "correct",  # the draft of minutes
    "approve",  # minutes
    "adopt",  # adopt, replace or drop a decision, or have it looked at again
    "rights",  # change who may do what
    "erase",  # what is held of oneself
    "consent",  # to one's first name on a printed page
]
Permission = Literal["allowed", "confirm", "refused"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts, as far as it is known, and how well that is proved."""

    #: None where nobody is known by that address or user ID.
    person_id: int | None
    #: As others know them; of somebody unknown, as they call themselves.
    name: str
    #: The address that we know, never the one that a mail claims; None where none is known.
    address: MailAddress | None
    user_id: UserId | None
    medium: Medium
    #: Takes part in the link.
    is_participant: bool
    is_coordinator: bool
    proof: ActorProof

    @property
    def is_known(self) -> bool:
        """Whether we know whom to ask: someone of ours, or a coordinator of the configuration."""
        return self.person_id is not None or self.is_coordinator


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What an act needs."""

    #: The key of PermissionSettings that says who may; None where it is not to be configured.
    key: str | None
    #: The least that the configuration may ask for; or what counts, where there is no key.
    role: Role
    #: Nothing; a list that is authenticated; or the author's own proof.
    proof: Literal["none", "list", "author"]


NEEDS: Mapping[Act, Need] = {
    "object": Need(key=None, role="anyone", proof="none"),
    # Whoever could take back another's objection could have the decision adopted.
    "withdraw": Need(key=None, role="anyone", proof="author"),
    # What is found goes to the address that we know, whoever asked.
    "search": Need(key="search", role="anyone", proof="none"),
    "note": Need(key="note", role="anyone", proof="list"),
    "finish": Need(key="finish", role="anyone", proof="list"),
    "remind": Need(key="remind", role="anyone", proof="list"),
    "meet": Need(key="meet", role="anyone", proof="list"),
    "correct": Need(key="chair", role="participant", proof="list"),
    "move": Need(key="meet", role="participant", proof="author"),
    "chair": Need(key="chair", role="participant", proof="author"),
    "approve": Need(key="chair", role="participant", proof="author"),
    "adopt": Need(key="adopt", role="participant", proof="author"),
    # To take it back needs nothing.
    "consent": Need(key=None, role="participant", proof="author"),
    "rights": Need(key=None, role="coordinator", proof="author"),
    # Who has left may still have erased what is held of them (PEOPLE 6).
    "erase": Need(key=None, role="anyone", proof="author"),
}
_ROLES: Mapping[Role, int] = {"anyone": 0, "participant": 1, "coordinator": 2}
_STRENGTH: Mapping[ActorProof, int] = {"none": 0, "list": 1, "author": 2, "room": 2, "session": 2, "confirmed": 2}


def judge_act(act: Act, actor: Actor, permissions: PermissionSettings) -> Permission:
    """Whether somebody may do something now.

    Returns:
        `confirm` where they might, if only it were proved that it is they: ask them at the address that we know.
        `refused` where they may not, or nobody knows whom to ask.
    """
    if _ROLES[role_of(actor)] < _ROLES[role_needed(act, permissions)]:
        return "refused"
    if _STRENGTH[actor.proof] >= _STRENGTH[NEEDS[act].proof]:
        return "allowed"
    return "confirm" if actor.is_known else "refused"


def role_needed(act: Act, permissions: PermissionSettings) -> Role:
    """Who may do something, as the configuration says, but no less than what that act needs."""
    need = NEEDS[act]
    return need.role if need.key is None else _stricter(getattr(permissions, need.key), need.role)


def role_of(actor: Actor) -> Role:
    """What somebody is in a link; a coordinator need not take part in it."""
    if actor.is_coordinator:
        return "coordinator"
    return "participant" if actor.is_participant else "anyone"


def _stricter(one: Role, other: Role) -> Role:
    return one if _ROLES[one] >= _ROLES[other] else other
