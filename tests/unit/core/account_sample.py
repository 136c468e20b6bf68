"""Facts of a made-up half year, written by hand; what a spreadsheet, a font or a browser may stumble over is in it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from passerelle.core.account import build_account
from passerelle.core.account_facts import (
    AccountEntry,
    AccountFacts,
    AccountMeeting,
    AccountMove,
    AccountScope,
    Period,
    PostFacts,
    Sides,
)
from passerelle.core.account_words import AccountPlace, ShownAccount, show_account
from passerelle.core.ids import AssociationName, EntryId, LinkName
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.wording import Language
from passerelle.render import load_words

PARIS = ZoneInfo("Europe/Paris")
MADE_AT = datetime(2026, 7, 2, 8, 0, tzinfo=UTC)
EPEULE = AssociationName("epeule")
HOSTILE = '=cmd|"/C calc"!A0 <script>alert(1)</script> $x^2$ \u0001😀'


def scope(**other: Any) -> AccountScope:
    values: dict[str, Any] = {
        "association": EPEULE,
        "links": frozenset({LinkName("bureau"), LinkName("jardin")}),
        "period": Period(first=date(2026, 1, 1), last=date(2026, 6, 30), zone=PARIS),
    }
    return AccountScope(**(values | other))


def entry(number: int, kind: str, **other: Any) -> AccountEntry:
    values: dict[str, Any] = {
        "id": EntryId(number), "kind": kind, "state": "kept", "label": "", "label_folded": "", "quantity": None,
        "said_on": date(2026, 3, 1), "due_on": None,
    }  # fmt: skip
    return AccountEntry(**(values | other))


def facts(**other: Any) -> AccountFacts:
    values: dict[str, Any] = {
        "scope": scope(),
        "made_at": MADE_AT,
        "kinds": (KindSettings(name="demande", words=("demande", "demandes"), states=("reçue", "acceptée")),),
        "posts": PostFacts(
            by_mail=(1200, 0, 30, 0, 10, 4),
            in_chat=(300, 20, 0, 0, 5, 6),
            authors=Sides(mail_only=40, chat_only=3, both=12),
            threads=Sides(mail_only=100, chat_only=20, both=15),
            threads_new=130,
            waits=(timedelta(minutes=30), timedelta(hours=5), timedelta(days=4), None),
        ),
        "entries": (
            entry(1, "decision", state="proposed", tags=frozenset({"jardin"})),
            entry(2, "count", label=HOSTILE, label_folded=HOSTILE, quantity=1234),
            entry(3, "count", label="Permanence", label_folded="permanence", quantity=3),
            entry(4, "demande", state="reçue"),
            entry(5, "loan", state="out", label="perceuse", label_folded="perceuse"),
        ),
        "moves": (
            AccountMove(entry_id=EntryId(9), kind="decision", state="adopted", on=date(2026, 2, 1), due_on=None),
        ),
        "meetings": (
            AccountMeeting(
                starts_on=date(2026, 1, 15), is_held=True, is_cancelled=False, is_noted=True, present=12, represented=6
            ),
            AccountMeeting(
                starts_on=date(2026, 3, 15), is_held=True, is_cancelled=False, is_noted=True, present=4, excused=2
            ),
            AccountMeeting(starts_on=date(2026, 5, 15), is_held=False, is_cancelled=True),
        ),
        "tagged_threads": {"jardin": 7},
    }
    return AccountFacts(**(values | other))


def shown(language: Language = "fr", *, web: str = "https://archives.lab.test", **other: Any) -> ShownAccount:
    links: Mapping[str, str] = {"bureau": "Bureau", "jardin": "Jardin"}
    place = AccountPlace(title="Comité de l’Épeule & amis <b>", web=web, links=links)
    return show_account(build_account(facts(**other)), load_words(language, PARIS), place)
