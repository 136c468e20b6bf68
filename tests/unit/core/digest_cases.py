"""Situations of digests as files: `tests/samples/digest/NAME/facts.toml` read into what a digest is chosen from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from passerelle.core.digest_choice import Chosen, DigestFacts, Item, choose
from passerelle.core.digest_facts import (
    AskFact,
    EntryFact,
    FileFact,
    MeetingFact,
    NewcomerFact,
    PostFact,
    ServiceFact,
)
from passerelle.core.digest_model import ShownItem
from passerelle.core.digest_settings import DigestSettings
from passerelle.core.ids import AskId, AssociationName, EntryId, LinkName, MeetingId, PostId, ThreadId
from passerelle.core.meeting_model import Meeting
from passerelle.core.register_model import Ask, Entry, NamedPerson
from passerelle.core.register_moves import FIRST_STATES
from passerelle.core.shelves import Reader, Shelf

REPOSITORY = Path(__file__).parents[3]
SAMPLES = REPOSITORY / "tests" / "samples" / "digest"
NAMES = sorted(path.parent.name for path in SAMPLES.glob("*/facts.toml"))
A = AssociationName("epeule")
LINK = LinkName("bureau")
ZONE = "Europe/Paris"
UNTIL = datetime.fromisoformat("2026-11-16T08:00:00+01:00")
SINCE = datetime.fromisoformat("2026-11-09T08:00:00+01:00")
PEOPLE = {name: number for number, name in enumerate(
    ["Monique", "Paul", "Léa", "Karim", "Annie", "Nadia", "Yanis", "Odile", "Sofiane", "Inès", "Marc", "Fatou"], 1
)}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is known, and who reads."""

    facts: DigestFacts
    reader: Reader
    shown: tuple[ShownItem, ...]
    since: datetime
    until: datetime
    settings: DigestSettings

    def choose(self) -> Chosen:
        return choose(
            self.facts,
            reader=self.reader,
            shown=self.shown,
            since=self.since,
            until=self.until,
            settings=self.settings,
        )


def load_situation(name: str) -> Situation:
    return situation_of(tomllib.loads((SAMPLES / name / "facts.toml").read_text("utf-8")))


def situation_of(told: dict[str, Any]) -> Situation:
    told = dict(told)
    links = [LinkName(link) for link in told.pop("links", [LINK])]
    reads = told.pop("reads", [f"{link}/live" for link in links])
    name = told.pop("reader", "Monique")
    person_id = PEOPLE[name]
    made = Situation(
        reader=Reader(
            association=A,
            person_id=person_id,
            name=name,
            shelves=frozenset(shelf_of(one) for one in reads),
            is_coordinator=told.pop("is_coordinator", name == "Monique"),
        ),
        shown=tuple(
            ShownItem(**{"shown_at": SINCE, "item_key": key, **_shown(state)})
            for key, state in told.pop("shown", {}).items()
        ),
        since=told.pop("since", SINCE),
        until=told.pop("until", UNTIL),
        settings=DigestSettings.model_validate(told.pop("settings", {})),
        facts=facts_of(told, links=links, reader=person_id),
    )
    assert not told, f"{sorted(told)} means nothing here"
    return made


def _shown(state: Any) -> dict[str, Any]:
    return {"state": state[0], "shown_at": state[1]} if isinstance(state, list) else {"state": state}


def shelf_of(told: str) -> Shelf:
    """`bureau/live`, `bureau/import/list`."""
    link, origin, *side = told.split("/")
    return Shelf(association=A, link=LinkName(link), origin=origin, side=side[0] if side else None)  # type: ignore[arg-type]


def facts_of(told: dict[str, Any], *, links: list[LinkName], reader: int) -> DigestFacts:
    posts: list[PostFact] = []
    files: list[FileFact] = []
    for thread in told.pop("threads", []):
        for number, post in enumerate(thread["posts"]):
            subject = thread.get("subject", "") if number == 0 and not post.pop("is_later", False) else ""
            papers = post.pop("files", [])
            made = post_of(len(posts) + 1, thread["id"], post, reader=reader, subject=subject)
            posts.append(made)
            for position, paper in enumerate(papers):
                path = f"/epeule/f/post{made.id}/{position}/{paper['filename']}"
                files.append(FileFact(post_id=made.id, position=position, path=path, **paper))
    return DigestFacts(
        association=A,
        zone=ZONE,
        links=frozenset(links),
        posts=tuple(posts),
        files=tuple(files),
        questions=tuple(
            post_of(500 + number, one.pop("thread"), one, reader=reader)
            for number, one in enumerate(told.pop("questions", []))
        ),
        own_threads=frozenset(post.thread_id for post in posts if post.is_own),
        entries=tuple(entry_of(number, one, reader=reader) for number, one in enumerate(told.pop("entries", []), 1)),
        meetings=tuple(meeting_of(number, one) for number, one in enumerate(told.pop("meetings", []), 1)),
        asks=tuple(ask_of(number, one, reader=reader) for number, one in enumerate(told.pop("asks", []), 1)),
        newcomers=tuple(
            NewcomerFact(**{"person_id": PEOPLE[one["name"]], "link": LINK, "side": "room", **one})
            for one in told.pop("newcomers", [])
        ),
        service=tuple(ServiceFact(**{"link": LINK, **one}) for one in told.pop("service", [])),
    )


def post_of(number: int, thread: int, told: dict[str, Any], *, reader: int, subject: str = "") -> PostFact:
    told = dict(told)
    name = told.pop("by")
    at = told.pop("at")
    shelves = told.pop("shelves", [f"{told.get('link', LINK)}/live"])
    usual: dict[str, Any] = {
        "id": PostId(number),
        "thread_id": ThreadId(thread),
        "shelves": frozenset(shelf_of(one) for one in shelves),
        "author": f"person:{PEOPLE[name]}",
        "author_name": name,
        "is_own": PEOPLE[name] == reader,
        "side": "list",
        "link": LinkName(shelves[0].split("/")[0]),
        "at": at,
        "said_at": at,
        "subject": subject,
        "path": f"/epeule/p/post{number}",
    }
    return PostFact(**{**usual, **told})


def entry_of(number: int, told: dict[str, Any], *, reader: int) -> EntryFact:
    told = dict(told)
    names = told.pop("people", [])
    more = {key: told.pop(key) for key in ("objections", "reader_objects", "thread_id") if key in told}
    kind = told["kind"]
    said_at = told.pop("said_at", SINCE)
    usual: dict[str, Any] = {
        "id": EntryId(number),
        "number": number,
        "association": A,
        "link": LINK,
        "state": FIRST_STATES.get(kind, "reçue"),
        "said_at": said_at,
        "author_name": "Karim",
        "author_person_id": PEOPLE["Karim"],
        "announce_state": "told" if kind in ("decision", "action", "loan", "booking") else "none",
        "told_at": said_at,
        "open_until": None,
        "replaced_by": None,
        "review_on": None,
        "reminded_at": None,
        "created_at": said_at,
        "changed_at": said_at,
    }
    return EntryFact(
        entry=Entry(**{**usual, **told}),
        people=tuple(NamedPerson(name=name, person_id=PEOPLE.get(name)) for name in names),
        path=f"/epeule/register/{told.get('number', number)}",
        **more,
    )


def meeting_of(number: int, told: dict[str, Any]) -> MeetingFact:
    told = dict(told)
    starts_at: datetime = told.pop("starts_at")
    known = {one.name for one in fields(MeetingFact)}
    more = {key: told.pop(key) for key in sorted(known & told.keys())}
    usual: dict[str, Any] = {
        "id": MeetingId(number),
        "number": number,
        "association": A,
        "link": LINK,
        "uid": f"r{number}@pont.example",
        "title": "réunion du bureau",
        "starts_local": starts_at.replace(tzinfo=None),
        "zone": ZONE,
        "duration_minutes": 120,
        "sequence": 0,
        "chair_name": "",
        "secretary_name": "",
        "opened_at": None,
        "closed_at": None,
        "created_at": SINCE,
        "state": "convened",
    }
    meeting = Meeting(**{**usual, **told})
    return MeetingFact(
        **{
            "meeting": meeting,
            "starts_at": starts_at,
            "is_called": meeting.state == "convened",
            "path": f"/epeule/meetings/{meeting.number}",
            **more,
        }
    )


def ask_of(number: int, told: dict[str, Any], *, reader: int) -> AskFact:
    told = dict(told)
    more = {key: told.pop(key) for key in ("text", "entry_id", "meeting_id", "number", "path") if key in told}
    person = told.pop("of", None)
    usual: dict[str, Any] = {
        "id": AskId(number),
        "association": A,
        "link": LINK,
        "kind": "date",
        "person_id": reader if person is None else PEOPLE[person],
        "about": {},
        "escalate_at": UNTIL,
        "escalated_at": None,
        "answered_at": None,
        "answer": "",
    }
    return AskFact(ask=Ask(**{**usual, **told}), **more)


def told_of(chosen: Chosen) -> str:
    """A digest as the golden files have it: what differs from nothing, a line for each thing."""
    lines: list[str] = []
    for section in chosen.sections:
        lines.append(f"[{section}]")
        for item in chosen.section(section):
            lines += _told_item(item)
    lines += [f"more {section}: {number}" for section, number in chosen.counted.items()]
    lines.append("figures: " + (_differing(chosen.figures) or "nothing"))
    return "\n".join(lines) + "\n"


def _told_item(item: Item) -> list[str]:
    reason = " ".join([item.reason.code, _differing(item.reason, "code")]).strip()
    rest = _differing(item, "key", "section", "title", "reason", "weight", "path", "extract", "tally", "kind")
    tally = f" tally={item.tally.yes}/{item.tally.no}/{item.tally.maybe}" if item.tally else ""
    lines = [f"{item.weight:>3} {item.kind} {item.key}: {item.title or '-'}", f"    why: {reason}"]
    lines += [f"    {rest}{tally}"]
    lines += [f"    « {item.extract} »"] if item.extract else []
    return [*lines, f"    {item.path or 'no page'}"]


def _differing(value: Any, *without: str) -> str:
    shown = []
    for one in fields(value):
        held = getattr(value, one.name)
        if one.name not in without and held not in (None, "", 0, (), False):
            text = held.isoformat(" ", "minutes") if isinstance(held, datetime) else held
            shown.append(f"{one.name}={', '.join(held) if isinstance(held, tuple) else text}")
    return "; ".join(shown)
