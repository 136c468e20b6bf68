"""Whole meetings as files: `tests/samples/minutes/NAME/facts.toml` read into what minutes are made of."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from passerelle.core.convocation import Convocation, ConvocationFacts, build_convocation
from passerelle.core.ids import AssociationName, EntryId, LinkName, MeetingId
from passerelle.core.meeting_model import Attendance, Meeting, MeetingSpan, Rsvp, Vote
from passerelle.core.minutes import apply_correction, approve_minutes, build_minutes
from passerelle.core.minutes_model import EntryFacts, LeftCorrection, MeetingFacts, MeetingPost, Minutes, Source
from passerelle.core.minutes_sheet import MinutesSheet
from passerelle.core.minutes_words import build_sheet
from passerelle.core.register_model import Entry, NamedPerson, Objection
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.wording import Language
from passerelle.render import Renderer

SAMPLES = Path(__file__).parents[2] / "samples" / "minutes"
NAMES = sorted(path.parent.name for path in SAMPLES.glob("*/facts.toml"))
NOTED = datetime.fromisoformat("2026-11-12T18:30:00+01:00")
_STATES = {
    "decision": "proposed", "action": "open", "loan": "out", "booking": "booked", "question": "open",
    "agenda": "wanted",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A meeting of the samples, its facts, and how its minutes are to be shown."""

    facts: MeetingFacts
    language: Language
    corrections: tuple[tuple[str, str], ...]
    approved_on: date | None
    corrections_until: datetime | None
    site: str
    reply_address: str

    @property
    def renderer(self) -> Renderer:
        return Renderer(None, self.language, ZoneInfo(self.facts.meeting.zone))

    @property
    def minutes(self) -> Minutes:
        made = build_minutes(self.facts, words=self.renderer.words)
        for old, new in self.corrections:
            corrected = apply_correction(made, old, new)
            assert corrected is not None, f"{old} → {new} was not taken"
            made = corrected
        return approve_minutes(made, self.approved_on) if self.approved_on else made

    @property
    def sheet(self) -> MinutesSheet:
        return self.sheet_of(self.minutes)

    def sheet_of(self, minutes: Minutes) -> MinutesSheet:
        return build_sheet(minutes, words=self.renderer.words, site=self.site, corrections_until=self.corrections_until)


def load_sample(name: str) -> Sample:
    return sample_of(tomllib.loads((SAMPLES / name / "facts.toml").read_text("utf-8")))


def sample_of(told: dict[str, Any]) -> Sample:
    told = dict(told)
    language: Literal["fr", "en"] = told.pop("language", "fr")
    shown = {key: told.pop(key, None) for key in ("corrections", "approved_on", "corrections_until")}
    site = told.pop("site", "https://archives.example")
    reply_address = told.pop("reply_address", "")
    facts = facts_of(told)
    return Sample(
        facts=facts,
        language=language,
        corrections=tuple(tuple(pair) for pair in shown["corrections"] or ()),
        approved_on=shown["approved_on"],
        corrections_until=shown["corrections_until"],
        site=site,
        reply_address=reply_address,
    )


def facts_of(told: dict[str, Any]) -> MeetingFacts:
    told = dict(told)
    made: dict[str, Any] = {
        "association": told.pop("association", "Comité de quartier de l’Épeule"),
        "meeting": meeting_of(told.pop("meeting", {})),
        "entries": tuple(entry_of(number, one) for number, one in enumerate(told.pop("entries", ()), 1)),
        "open_before": tuple(entry_of(number, one) for number, one in enumerate(told.pop("open_before", ()), 1)),
        "attendances": tuple(_attendance(number, one) for number, one in enumerate(told.pop("attendances", ()))),
        "rsvps": tuple(_rsvp(number, one) for number, one in enumerate(told.pop("rsvps", ()), 900)),
        "votes": tuple(_vote(number, one) for number, one in enumerate(told.pop("votes", ()), 1)),
        "spans": tuple(MeetingSpan(meeting_id=MeetingId(1), **one) for one in told.pop("spans", ())),
        "posts": tuple(MeetingPost(**one) for one in told.pop("posts", ())),
        "corrections_left": tuple(LeftCorrection(**one) for one in told.pop("corrections_left", ())),
        "kinds": tuple(KindSettings.model_validate(one) for one in told.pop("kinds", ())),
    }
    if "next_meeting" in told:
        made["next_meeting"] = meeting_of(told.pop("next_meeting"))
    if "source" in told:
        made["source"] = Source(**told.pop("source"))
    return MeetingFacts(**made, **told)


def meeting_of(told: dict[str, Any]) -> Meeting:
    usual: dict[str, Any] = {
        "id": MeetingId(1),
        "association": AssociationName("epeule"),
        "link": LinkName("bureau"),
        "number": 4,
        "uid": "r4@pont.example",
        "title": "réunion du bureau",
        "starts_local": datetime(2026, 11, 12, 18, 30),  # noqa: DTZ001 - of the wall clock
        "zone": "Europe/Paris",
        "duration_minutes": 120,
        "state": "closed",
        "sequence": 0,
        "chair_name": "",
        "secretary_name": "",
        "opened_at": None,
        "closed_at": None,
        "created_at": NOTED,
    }
    return Meeting(**{**usual, **told})


def entry_of(number: int, told: dict[str, Any]) -> EntryFacts:
    told = dict(told)
    people = tuple(NamedPerson(name=name) for name in told.pop("people", ()))
    objections = tuple(_objection(number, one) for number, one in enumerate(told.pop("objections", ()), 1))
    path = told.pop("path", "")
    usual: dict[str, Any] = {
        "id": EntryId(told.get("number", number)),
        "association": AssociationName("epeule"),
        "link": LinkName("bureau"),
        "number": number,
        "state": _STATES.get(told["kind"], "kept"),
        "said_at": NOTED,
        "created_at": NOTED,
        "changed_at": NOTED,
        "told_at": None,
        "open_until": None,
        "replaced_by": None,
        "review_on": None,
        "reminded_at": None,
    }
    return EntryFacts(entry=Entry(**{**usual, **told}), people=people, objections=objections, path=path)


def _objection(number: int, told: dict[str, Any]) -> Objection:
    usual: dict[str, Any] = {
        "id": number, "entry_id": EntryId(1), "person_id": None, "at": NOTED, "medium": "room",
        "withdrawn_at": None, "settled_at": None,
    }  # fmt: skip
    return Objection(**{**usual, **told})


def _attendance(number: int, told: dict[str, Any]) -> Attendance:
    return Attendance(**{"meeting_id": MeetingId(1), "presence": "present", "at": NOTED, **told})


def _rsvp(number: int, told: dict[str, Any]) -> Rsvp:
    return Rsvp(**{"meeting_id": MeetingId(1), "person_id": number, "medium": "mail", "at": NOTED, **told})


def _vote(number: int, told: dict[str, Any]) -> Vote:
    usual: dict[str, Any] = {
        "id": number,
        "meeting_id": MeetingId(1),
        "text": "",
        "against": 0,
        "abstained": 0,
        "at": NOTED,
    }
    return Vote(**{**usual, **told})


def changed(facts: MeetingFacts, **more: Any) -> MeetingFacts:
    return replace(facts, **more)


def convocation_of(meeting: dict[str, Any], language: Language = "fr", **told: Any) -> Convocation:
    """The convocation to a meeting of an association in Roubaix; `told` are more of its facts."""
    facts = ConvocationFacts(meeting=meeting_of(meeting), association="Comité de quartier de l’Épeule", **told)
    return build_convocation(facts, words=Renderer(None, language).words, site="https://archives.example")
