"""To which link an email belongs; strangers stay in the mailbox."""

from __future__ import annotations

import time

import pytest

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.links import Links
from passerelle.core.routing import route
from passerelle.core.settings import Settings

BRIDGE = MailAddress("passerelle@membres.test")
LINKS = Links(
    Settings.model_validate(
        {
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@bot:test"},
            "mailboxes": [
                {
                    "address": BRIDGE,
                    "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                    "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
                }
            ],
            "associations": [
                {
                    "name": "epeule",
                    "title": "Épeule",
                    "coordinators": [{"name": "Monique"}],
                    "links": [
                        {"name": "bureau", "list": {"address": "bureau@listes.test"}, "room": "!a:test"},
                        {
                            "name": "nue",
                            "list": {"address": "nue@listes.test", "without_headers": True},
                            "room": "!c:test",
                        },
                        {
                            "name": "tous",
                            "list": {"address": "tous@listes.test", "list_id": "Annonces <tous.autre.test>"},
                            "room": "!b:test",
                        },
                    ],
                },
                {
                    "name": "wazemmes",
                    "title": "Wazemmes",
                    "coordinators": [{"name": "Paul"}],
                    "links": [{"name": "bureau", "list": {"address": "bureau@wazemmes.test"}, "room": "!d:test"}],
                },
            ],
        }
    )
)


def email(*, to: str = "", list_id: str | None = None, return_path: str | None = None, **headers: str) -> Email:
    return Email(
        message_id=MessageId("a@b"),
        to=tuple(Mailbox(address=MailAddress(a)) for a in to.split()),
        list_id=list_id,
        return_path=return_path,
        headers={name.replace("_", "-").lower(): (value,) for name, value in headers.items()},
    )


def routed(message: Email, recipient: str | None = None) -> str | None:
    found = route(message, LINKS, bridge=BRIDGE, recipient=MailAddress(recipient) if recipient else None)
    if found is None:
        return None
    if found.link is not None:
        return found.link.name if found.link.association.name == "epeule" else found.link.path
    return "beside" if found.beside_the_list else "bridge"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (email(list_id="bureau.listes.test"), "bureau"),
        (email(list_id="tous.autre.test"), "tous"),
        (email(List_Post="<mailto:bureau@listes.test>", list_id="odd.id"), "bureau"),
        (email(to="bureau@listes.test"), "beside"),  # anyone can write that, and hand it to the bridge alone
        (email(to="nue@listes.test"), "nue"),
        (email(to=f"nue@listes.test {BRIDGE}"), "beside"),
        (email(to="bureau@listes.test", Delivered_To=str(BRIDGE)), "beside"),
        (email(Delivered_To="passerelle+tous@membres.test", to="x@y.test"), "tous"),
        (email(X_Original_To="bureau@listes.test", to="x@y.test"), "bureau"),
        (email(to=str(BRIDGE)), "bridge"),
        (email(to="passerelle+x@membres.test"), "bridge"),
        (email(to=f"bureau@listes.test {BRIDGE}"), "beside"),
        (email(to="x@y.test", return_path=""), "bridge"),
        (email(to="x@y.test"), None),
        (email(to=str(BRIDGE), list_id="promo.else.test"), None),
        (email(to="x@y.test", Delivered_To=str(BRIDGE)), None),
    ],
)
def test_route(message: Email, expected: str | None) -> None:
    assert routed(message) == expected


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("bureau@wazemmes.test", "wazemmes/bureau"),
        ("bureau@listes.test", "bureau"),
        ("x@y.test", "bridge"),
        ("bureau@listes.test bureau@wazemmes.test", "bridge"),
    ],
)
def test_subaddress_that_two_associations_share_is_told_by_the_recipients(to: str, expected: str) -> None:
    assert routed(email(to=to, Delivered_To="passerelle+bureau@membres.test")) == expected


def test_long_word_costs_its_length_once() -> None:
    """A search for addresses costs the square of it: 64 kB took 24 seconds, on the event loop."""
    started = time.process_time()
    assert routed(email(to="x@y.test", Delivered_To="a" * 1_000_000)) is None
    assert routed(email(to="x@y.test", List_Post="@" * 1_000_000)) is None
    assert time.process_time() - started < 1


def test_route_by_recipient_that_the_mail_server_names() -> None:
    assert routed(email(to="x@y.test"), recipient="bureau@listes.test") == "bureau"
