"""Subjects that name a meeting, and links that begin an answer."""

import pytest

from passerelle.core.meeting_subjects import mailto_answer, meeting_named, tells_absence


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Re: réunion 4", 4),
        ("reunion-4", 4),
        ("Meeting 12", 12),
        ("RE : [bureau] Réunion n° 4 : budget", 4),
        ("Assemblée générale 2", 2),
        ("Re: Réunion du bureau, jeudi 12 novembre à 18 h 30", None),
        ("Réunion 12 novembre", None),
        ("réunion 12/11", None),
        ("réunion 18 h", None),
        ("réunion 18h30", None),
        ("Le loto 4", None),
        ("", None),
        ("réunion " * 200 + "4", None),
    ],
)
def test_a_subject_names_a_meeting_or_none(subject: str, number: int | None) -> None:
    assert meeting_named(subject) == number


def test_a_link_that_begins_an_answer_is_wholly_encoded() -> None:
    link = mailto_answer("pont+4@exemple.org", "Re: réunion 4", "Je viens & Annie ?")
    assert link == ("mailto:pont+4@exemple.org?subject=Re%3A%20r%C3%A9union%204&body=Je%20viens%20%26%20Annie%20%3F")


@pytest.mark.parametrize(
    "subject", ["Absence : genou", "Excusée 1", "Je ne pourrai pas venir", "Re: excusez mon absence", "Unavailable"]
)
def test_a_subject_says_that_somebody_does_not_come(subject: str) -> None:
    assert tells_absence(subject)


@pytest.mark.parametrize("subject", ["Réunion de jeudi", "Je viens", "Présentation du budget", ""])
def test_a_subject_says_nothing_of_the_kind(subject: str) -> None:
    assert not tells_absence(subject)
