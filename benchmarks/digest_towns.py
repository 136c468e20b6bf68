"""Thousands of associations in one store, each with a week of posts, a register and a meeting: what digests tell of.

Rows go in as they stand after a week, not by the flows that made them: to relay 175,000 posts would take an hour, and
is measured elsewhere. Seeded, so that each run has the same week.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert

from passerelle.core.settings import Settings
from passerelle.core.wording import french_spaces
from passerelle.store.engine import Store
from passerelle.store.people_tables import participant, person, person_address, person_user_id
from passerelle.store.secretary_tables import entry, entry_person, meeting, rsvp
from passerelle.store.tables import attachment, post, room_member, thread

#: Monday at eight in Paris: digests are due.
DUE = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)
_WEEK = timedelta(days=7)
_LINK = "bureau"
#: People of each association, and how many of them are in its room.
PEOPLE, IN_ROOM = 24, 8
#: Posts of the week, of the month before, and conversations that they stand in.
POSTS, OLDER_POSTS, THREADS = 50, 12, 14
_AT_ONCE = 100

_NAMES = (
    "Monique Delattre", "Paul Lefebvre", "Annie Lefebvre", "Karim Benali", "Léa Fontaine", "Inès Robin",
    "Odile Haddad", "Sofiane Meziane", "Fatou Diop", "Marc Vasseur", "Nadia Amrani", "Yanis Leroy",
)  # fmt: skip
_SUBJECTS = (
    "Fête des voisins", "Clés du local", "Compost du jardin partagé", "Loto du quartier", "Atelier vélo",
    "Réunion du bureau", "Subvention de la mairie", "Qui peut prêter une remorque ?", "Affiche du printemps",
    "Assurance du local", "Sortie à la mer", "Permanence de samedi", "Repas de quartier", "Site web",
)  # fmt: skip
_SENTENCES = tuple(map(french_spaces, (
    "Bonjour à toutes et à tous, merci pour votre aide de samedi.", "Il nous manque deux tables et une rallonge.",
    "Je peux passer les prendre jeudi après 18 h.", "Qui a gardé la clé du local ?", "La mairie nous a répondu.",
    "On en parle à la prochaine réunion, si vous voulez bien.", "Voici le devis, il est un peu plus cher que prévu.",
    "Je m’occupe des affiches avec Nadia.", "Est-ce que quelqu’un peut ouvrir à 14 h ?", "Très bien pour moi.",
    "Le compost est plein, il faudrait le retourner.", "N’oubliez pas de noter vos heures dans le cahier.",
)))  # fmt: skip


def settings_of(count: int, store_url: str) -> Settings:
    """The configuration of so many associations on one mailbox, each with one list and one room."""
    server = {"host": "127.0.0.1", "port": 1, "tls": "none"}
    return Settings.model_validate(
        {
            "store": {"url": store_url},
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:bench.test"},
            "mailboxes": [{"address": "passerelle@bench.test", "imap": server, "smtp": server}],
            "web": {"url": "https://archives.bench.test", "port": 0},
            "associations": [
                {
                    "name": name_of(number),
                    "title": f"Comité de quartier n° {number}",
                    "coordinators": [{"name": _NAMES[0], "address": address_of(number, 0)}],
                    "links": [{"name": _LINK, "list": {"address": f"{name_of(number)}@listes.bench.test"},
                               "room": room_of(number)}],
                }
                for number in range(count)
            ],
        }
    )  # fmt: skip


def name_of(number: int) -> str:
    return f"comite{number:05d}"


def room_of(number: int) -> str:
    return f"!{name_of(number)}:bench.test"


def address_of(number: int, who: int) -> str:
    return f"personne{who}.{name_of(number)}@membres.bench.test"


@dataclass
class _Rows:
    """Rows by table, in the order in which they may be inserted."""

    of: dict[Table, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            one: []
            for one in (person, person_address, person_user_id, participant, room_member, thread, post, attachment,
                        entry, entry_person, meeting, rsvp)
        }
    )  # fmt: skip

    def add(self, table: Table, **values: Any) -> None:
        self.of[table].append(values)


async def fill(store: Store, count: int, *, seed: int) -> int:
    """Put so many associations into an empty store; how many posts of the digests' week they have."""
    for first in range(0, count, _AT_ONCE):
        rows = _Rows()
        for number in range(first, min(count, first + _AT_ONCE)):
            _Maker(rows, number, random.Random(seed * 1_000_003 + number)).make()
        async with store.write(durable=False, quiet=True) as conn:
            for table, values in rows.of.items():
                await conn.execute(insert(table), values)
    return count * POSTS


class _Maker:
    """One association."""

    def __init__(self, rows: _Rows, number: int, chance: random.Random) -> None:
        self._rows, self._number, self._chance = rows, number, chance
        self._here = {"association": name_of(number), "link": _LINK}
        self._first_person = number * PEOPLE + 1
        self._first_thread = number * THREADS + 1
        self._first_post = number * (POSTS + OLDER_POSTS) + 1

    def make(self) -> None:
        self._people()
        self._said()
        self._register()
        self._meeting()

    def _name(self, who: int) -> str:
        return _NAMES[who % len(_NAMES)] if who < len(_NAMES) else f"{_NAMES[who % len(_NAMES)].split()[0]} {who}"

    def _people(self) -> None:
        rows, association = self._rows, name_of(self._number)
        for who in range(PEOPLE):
            id, long_ago = self._first_person + who, DUE - timedelta(days=400)
            # One of them is new.
            since = DUE - timedelta(days=3) if who == PEOPLE - 1 else long_ago
            rows.add(person, id=id, association=association, name=self._name(who), created_at=since)
            if who < PEOPLE - IN_ROOM:
                address = address_of(self._number, who)
                rows.add(person_address, person_id=id, address=address, source="post", added_at=since)
                rows.add(participant, **self._here, person_id=id, side="list", since=since)
            else:
                user_id = f"@personne{who}-{association}:bench.test"
                rows.add(person_user_id, person_id=id, user_id=user_id, source="room", added_at=since)
                rows.add(participant, **self._here, person_id=id, side="room", since=since)
                rows.add(room_member, room_id=room_of(self._number), user_id=user_id, display_name=self._name(who),
                         membership="join")  # fmt: skip

    def _times(self) -> Iterator[datetime]:
        """Of all posts in their order: those of the month before, then those of the week."""
        chance = self._chance
        month = sorted(chance.uniform(8, 35) for _ in range(OLDER_POSTS))
        week = sorted(chance.uniform(0.01, 6.99) for _ in range(POSTS))
        for days in (*reversed(month), *reversed(week)):
            yield DUE - timedelta(days=days)

    def _said(self) -> None:
        chance, association = self._chance, name_of(self._number)
        subjects = chance.sample(_SUBJECTS, THREADS)
        begun: set[int] = set()
        for place, at in enumerate(self._times()):
            # The first conversations are those of the month before; some of them wake up.
            among = range(3) if place < OLDER_POSTS else range(THREADS)
            which, who = chance.choice(among), chance.randrange(PEOPLE)
            thread_id = self._first_thread + which
            if which not in begun:
                begun.add(which)
                self._rows.add(
                    thread, id=thread_id, association=association, subject=subjects[which], created_at=at
                )  # fmt: skip
            self._post(self._first_post + place, thread_id, who, at, subjects[which])

    def _post(self, id: int, thread_id: int, who: int, at: datetime, subject: str) -> None:
        chance, in_room = self._chance, who >= PEOPLE - IN_ROOM
        words = " ".join(chance.choices(_SENTENCES, k=1 if in_room else chance.randint(3, 14)))
        self._rows.add(
            post, id=id, **self._here, side="room" if in_room else "list", thread_id=thread_id,
            message_id="" if in_room else f"{id}@membres.bench.test", content_hash=f"{id:064x}",
            author_name=self._name(who), person_id=self._first_person + who, subject=subject, text=words, said_at=at,
            accepted_at=at + timedelta(seconds=2), permalink=f"p{id:011d}", index_state="indexed",
        )  # fmt: skip
        if chance.random() < 0.1:
            name, kind = chance.choice((("devis.pdf", "application/pdf"), ("photo.jpg", "image/jpeg")))
            self._rows.add(attachment, post_id=id, position=0, filename=name, media_type=kind, size_bytes=120_000)

    def _register(self) -> None:
        """A decision that is open and one that was adopted, actions due, late and done, a question."""
        day = DUE.date()
        for place, (kind, state, text, due_on) in enumerate(
            (
                ("decision", "proposed", "louer la salle des fêtes pour 150 €", None),
                ("decision", "adopted", "acheter une friteuse d’occasion", None),
                ("action", "open", "imprimer les affiches", day + timedelta(days=4)),
                ("action", "open", "rendre les clés à la mairie", day - timedelta(days=5)),
                ("action", "open", "relire l’affiche", day + timedelta(days=1)),
                ("action", "done", "commander les gobelets", day - timedelta(days=3)),
                ("question", "open", "qui peut prêter une remorque ?", None),
            ),
            1,
        ):
            self._entry(place, kind, state, text, due_on)

    def _entry(self, place: int, kind: str, state: str, text: str, due_on: date | None) -> None:
        id, at = self._number * 10 + place, DUE - timedelta(days=6, hours=place)
        self._rows.add(
            entry, id=id, **self._here, number=place, kind=kind, text=text, state=state, due_on=due_on, said_at=at,
            created_at=at, changed_at=at, author_name=self._name(1), author_person_id=self._first_person + 1,
            announce_state="none" if kind == "question" else "told", told_at=at, folded=text,
            open_until=DUE + timedelta(days=1) if state == "proposed" else None,
        )  # fmt: skip
        if kind == "action":
            who = 0 if place == 5 else 2 + place % 3
            self._rows.add(
                entry_person, entry_id=id, position=0, name=self._name(who), person_id=self._first_person + who
            )  # fmt: skip

    def _meeting(self) -> None:
        id = self._number + 1
        starts = (DUE + timedelta(days=3)).replace(hour=18, minute=30, tzinfo=None)
        self._rows.add(
            meeting, id=id, **self._here, number=1, kind="meeting", uid=f"{id}@bench.test", title="Réunion du bureau",
            starts_local=starts, zone="Europe/Paris", duration_minutes=120, place="au local", state="convened",
            source="command", created_at=DUE - _WEEK,
        )  # fmt: skip
        for who in range(2, 11):
            self._rows.add(
                rsvp, meeting_id=id, person_id=self._first_person + who, name=self._name(who), medium="mail",
                answer=self._chance.choice(("yes", "yes", "no", "maybe")), at=DUE - timedelta(days=2),
            )  # fmt: skip
