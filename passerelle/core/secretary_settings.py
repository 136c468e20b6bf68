"""What an administrator may set about the secretary's work: the register, meetings, and who may do what."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from passerelle.core.setting_kinds import Name, Section, like

Role = Literal["anyone", "participant", "coordinator"]

_Days = Annotated[float, Field(ge=0, le=3650)]


class KindSettings(Section):
    """A kind of entry of your own, such as requests: lines that begin with its word are kept in the register."""

    name: Annotated[Name, like("demande")]
    """Short name of the kind, for commands and exports; lower case, digits, `-` and `_`. Do not change it later."""
    words: Annotated[tuple[str, ...], Field(min_length=1), like("demande", "demandes")]
    """The words that begin such a line, before the colon; accents and capitals do not matter."""
    states: Annotated[tuple[str, ...], Field(min_length=1), like("reçue", "étudiée", "acceptée", "refusée")] = (
        "ouverte",
        "close",
    )
    """What becomes of it, in order; the first is how it begins. A reply that is one of these words moves it there."""


class RegisterSettings(Section):
    """The register of decisions, actions and loans."""

    objection_days: _Days = 7
    """How long a proposed decision is open to objection, from when it has left for both sides."""
    announce_wait_minutes: Annotated[float, Field(ge=0, le=1440)] = 60
    """How long new decisions and actions wait for others, to be told to both sides together."""
    announce_every_hours: Annotated[float, Field(ge=0, le=720)] = 24
    """The least time between two such notices."""
    remind_before_days: _Days = 2
    """How long before an action or loan is due whoever is named is reminded of it."""
    escalate_days: _Days = 3
    """How long a question asked back waits for an answer before coordinators are asked."""
    kinds: tuple[KindSettings, ...] = ()
    """Further kinds of entries."""


class MeetingSettings(Section):
    """The meeting cycle. A step whose time is 0 is left out."""

    call_days: _Days = 10
    """How long before a meeting everyone is asked for items of the agenda."""
    convocation_days: _Days = 7
    """How long before a meeting the convocation leaves, with its invitation."""
    reminder_days: _Days = 2
    """How long before a meeting those are reminded who come, and those who have not answered."""
    draft_hours: Annotated[float, Field(ge=0, le=720)] = 1
    """How long after the end of a meeting the draft of its minutes leaves."""
    corrections_days: _Days = 7
    """How long corrections of the draft are taken, until the minutes are approved."""
    duration_minutes: Annotated[int, Field(ge=5, le=1440)] = 120
    """How long a meeting lasts where nothing else was said."""
    names_to: Literal["room", "everyone"] = "room"
    """Who reads names in the tally of answers: the room and coordinators only, or the list as well."""
    quorum: Annotated[int, Field(ge=0)] = 0
    """Members who must be present or represented at a general assembly; 0: none is asked for."""


class PermissionSettings(Section):
    """Who may do what: `anyone`, `participant` (who takes part in the link) or `coordinator`."""

    note: Role = "participant"
    """Note something in the register: a decision to propose, an action, a loan, an item of the agenda."""
    adopt: Role = "coordinator"
    """Adopt, replace or drop a decision, or have it looked at again."""
    finish: Role = "participant"
    """Say that an action is done, or that something was given back."""
    meet: Role = "participant"
    """Call a meeting, move it or call it off."""
    chair: Role = "participant"
    """Open and close a meeting, correct and approve its minutes."""
    remind: Role = "participant"
    """Have the room, the list or oneself reminded."""
    search: Role = "participant"
    """Ask for decisions, actions, dates, a search."""

    @model_validator(mode="after")
    def _never_by_anyone(self) -> "PermissionSettings":
        for key in ("adopt", "chair"):
            if getattr(self, key) == "anyone":
                raise ValueError(f"{key}: give participant or coordinator; what strangers say decides nothing")
        return self
