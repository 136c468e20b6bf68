"""What an administrator may set about digests, the page of the association, and networks of associations."""

from datetime import time
from typing import Annotated, Literal

from pydantic import Field

from passerelle.core.setting_kinds import Name, Section, like

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class DigestSettings(Section):
    """The coordinators' weekly digest, and what members may ask for."""

    coordinators: Literal["weekly", "off"] = "weekly"
    """Whether coordinators get a digest without having asked; each may change their own by a word."""
    weekday: Weekday = "monday"
    """The day on which weekly digests leave."""
    at: time = time(8, 0)
    """The hour at which digests leave, local time."""
    unanswered_days: Annotated[float, Field(ge=0, le=365)] = 5
    """After how long a question without an answer is named."""
    most_items: Annotated[int, Field(ge=1, le=200)] = 12
    """Items that one digest names; the rest is counted, with a link."""
    first_names: Literal["by_consent", "never"] = "by_consent"
    """Whether the printed page of the association shows first names of who agreed to it, or none."""


class NetworkSettings(Section):
    """Several associations of this daemon that share fiches, dates and figures; each one's own posts stay its own."""

    name: Annotated[Name, like("reseau-quartiers")]
    """Short name, for commands and addresses; lower case, digits, `-` and `_`. Do not change it later."""
    title: Annotated[str, like("Réseau des comités de quartier")]
    """The name as members read it."""
    associations: Annotated[tuple[Name, ...], Field(min_length=1), like("epeule", "alma")]
    """Short names of its associations."""
    links: Annotated[tuple[str, ...], like("epeule/reseau")] = ()
    """The links that all of them share, each as `association/link`: their meetings are the network's dates."""
