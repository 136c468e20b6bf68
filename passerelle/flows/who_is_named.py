"""Whom a name means among those who take part: a person where that is clear, the bare name where it is not."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import UserId
from passerelle.core.links import Link
from passerelle.core.readership import named_alike
from passerelle.core.register_model import NamedPerson
from passerelle.store.people import Participant, list_participants
from passerelle.store.readers import find_person_of


async def known_names(conn: AsyncConnection, link: Link) -> list[Participant]:
    """Who takes part in a link, once each, on whichever side."""
    people = await list_participants(conn, link.association_name, link.name)
    return list({person.person_id: person for person in people}.values())


async def named_persons(
    conn: AsyncConnection, link: Link, names: Sequence[str], known: Collection[Participant]
) -> list[NamedPerson]:
    """Who each of these names is. Two Karims are nobody certain: the name stands as it was said."""
    return [await _named(conn, link, name, known) for name in names]


async def _named(conn: AsyncConnection, link: Link, name: str, known: Collection[Participant]) -> NamedPerson:
    if name.startswith("@") and ":" in name:
        person_id = await find_person_of(conn, link.association_name, UserId(name))
        shown = next((one.name for one in known if one.person_id == person_id), name[1:].partition(":")[0])
        return NamedPerson(name=shown, person_id=person_id)
    same = [one for one in known if one.name.casefold() == name.casefold()]
    alike = same or [one for one in known if one.name and named_alike(name, one.name)]
    return NamedPerson(name=name, person_id=alike[0].person_id if len(alike) == 1 else None)
