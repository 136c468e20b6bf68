"""How a mail names a meeting: « Re: réunion 4 », as the answer that a click begins, or as somebody types it. Pure."""

import re
from urllib.parse import quote

from passerelle.core.answers import parse_answers
from passerelle.core.folding import fold

#: More of a subject is not looked at.
_LONGEST = 300
#: Folded, the beginnings of their names in French and English: « réunion 12 novembre » is a date.
_MONTHS = "janv|fev|mars|avr|mai|juin|juil|aout|sept|oct|nov|dec|jan|feb|march|apr|may|june|july|aug"
_NAMED = re.compile(
    r"\b(?:reunion|assemblee(?: generale)?|ag|meeting|assembly|general meeting)[ -]?(?:n ?[°ºo.]? ?|numero |#)?"
    rf"(?P<number>\d{{1,6}})\b(?! ?[/.:-] ?\d| ?h\b| (?:{_MONTHS}))"
)
#: Folded.
_ABSENCE = re.compile(r"\b(?:absen(?:ce|te?)s?|excuse(?:e|es|s|d)?|apologies|unavailable|empeche(?:e|es|s|ment)?)\b")


def meeting_named(subject: str) -> int | None:
    """The number of the meeting that a subject names; None where it names none.

    « Re: Réunion du bureau (réunion 4) » names 4; « réunion 12/11 » and « réunion 12 novembre » name none.
    """
    found = _NAMED.search(" ".join(fold(subject[:_LONGEST]).split()))
    return int(found["number"]) if found else None


def tells_absence(subject: str) -> bool:
    """Whether a subject says that somebody does not come: « Absence : … », « Excusée 1 », « Je ne viens pas »."""
    is_absence = _ABSENCE.search(fold(subject[:_LONGEST])) is not None
    return is_absence or any(answer.rsvp == "no" and answer.kind == "rsvp" for answer in parse_answers(subject))


def mailto_answer(address: str, subject: str, body: str) -> str:
    """A `mailto:` address that begins an answer (RFC 6068 §2: all but unreserved characters is percent-encoded)."""
    return f"mailto:{quote(address, safe='@+')}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
