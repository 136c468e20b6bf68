"""`liste:`, `salon:` and `dans:` name links that the reader may read."""

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.search_places import known_places
from passerelle.core.settings import AssociationSettings
from passerelle.core.shelves import Shelf


def link(name: str, address: str, room: str) -> dict[str, object]:
    return {"name": name, "list": {"address": address}, "room": room}


EPEULE = AssociationSettings.model_validate(
    {
        "name": "epeule",
        "title": "Comité de l’Épeule",
        "coordinators": [{"name": "Monique", "address": "monique@exemple.org"}],
        "links": [
            link("bureau", "le-bureau@listes.exemple.org", "#salon-du-bureau:exemple.org"),
            link("jardin", "jardin@listes.exemple.org", "!abc:exemple.org"),
        ],
    }
)


def shelf(name: str, association: str = "epeule") -> Shelf:
    return Shelf(association=AssociationName(association), link=LinkName(name), origin="live")


BUREAU, JARDIN = shelf("bureau"), shelf("jardin")


def test_a_place_is_called_by_its_link_its_list_and_its_rooms_alias() -> None:
    assert known_places([EPEULE], {BUREAU}) == (
        "bureau", "le-bureau", "salon-du-bureau", "le-bureau@listes.exemple.org",
    )  # fmt: skip


def test_what_a_reader_may_not_read_has_no_name() -> None:
    assert known_places([EPEULE], {JARDIN}) == ("jardin", "jardin", "jardin@listes.exemple.org")
    assert known_places([EPEULE], {shelf("jardin", "wazemmes")}) == ()
    assert known_places([EPEULE], ()) == ()
