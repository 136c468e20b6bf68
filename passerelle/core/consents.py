"""What a person agreed to by their own word: their first name on a printed page, a fiche that quotes them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from passerelle.core.ids import AssociationName, FicheId

#: Their first name on the printed page of the association.
FIRST_NAME = "first_name"


def fiche_consent(id: FicheId) -> str:
    """What a consent to a fiche is called."""
    return f"fiche:{id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """One person's word about one thing. Who was asked and did not answer did not agree."""

    id: int
    association: AssociationName
    person_id: int
    #: FIRST_NAME, or as `fiche_consent` says.
    what: str
    #: When they were asked, or said it unasked (aware).
    asked_at: datetime
    #: When they said yes or no last; None while they said neither.
    answered_at: datetime | None
    #: Whether it counts now.
    given: bool
    #: When they took back what they had given; None where they did not, or gave it again.
    withdrawn_at: datetime | None
