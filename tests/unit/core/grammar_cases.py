"""The golden cases of the grammar: what was said beside what it means, in tests/samples/grammar."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from passerelle.core.secretary_settings import KindSettings
from passerelle.core.when_model import FoundWhen, When

SAMPLES = Path(__file__).parents[2] / "samples" / "grammar"
#: A Monday morning in Paris.
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Paris")
KINDS = (
    KindSettings(name="demande", words=("demande", "demandes"), states=("reçue", "étudiée", "acceptée", "refusée")),
)


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return found


def shown(value: Any) -> Any:
    """A value as the samples write it: without what was not said."""
    if isinstance(value, FoundWhen):
        return shown(value.when) if value.when is not None else [shown(one) for one in value.candidates]
    if isinstance(value, When):
        until = [value.until_day if value.until_day != value.day else None, _clock(value.until_time)]
        parts = [value.day, _clock(value.time), *(["→", *until] if any(until) else []), value.rrule]
        return " ".join(str(one) for one in parts if one)
    if is_dataclass(value):
        said = {field.name: getattr(value, field.name) for field in fields(value)}
        defaults = {field.name: field.default for field in fields(value)}
        return {name: shown(part) for name, part in said.items() if part != defaults[name]}
    if isinstance(value, tuple | list):
        return [shown(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _clock(at: time | None) -> str:
    return f"{at:%H:%M}" if at else ""
