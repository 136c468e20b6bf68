"""The members of a list of a real Mailman, over its REST API."""

from __future__ import annotations

import pytest

from lab import mailman as lab_mailman
from lab.mailman import Mailman
from passerelle.errors import AccessRefused, MalformedRoster, PermanentFailure, TemporaryFailure
from passerelle.rosters import mailman as adapter
from passerelle.rosters.mailman import MailmanAccess, fetch_roster


def access(mailman: Mailman, **changed: str) -> MailmanAccess:
    values = {
        "url": f"http://127.0.0.1:{mailman.rest_port}/3.1",
        "user": lab_mailman._REST_USER,
        "password": lab_mailman._REST_PASSWORD,
    }
    return MailmanAccess(**(values | changed))


async def test_the_members_of_a_list(mailman: Mailman, monkeypatch: pytest.MonkeyPatch) -> None:
    mlist = mailman.create_list("effectif")
    for number in range(5):
        mlist.subscribe(f"Membre{number}@membres.lab.test", f"Membre n° {number}")
    mlist.subscribe("sans-nom@membres.lab.test")
    # Several pages, the last one full.
    monkeypatch.setattr(adapter, "_PAGE", 3)
    roster = await fetch_roster(access(mailman), mlist.list_id)
    assert roster.source == "mailman"
    assert {(m.address.lower(), m.name) for m in roster.members} == {
        *((f"membre{number}@membres.lab.test", f"Membre n° {number}") for number in range(5)),
        ("sans-nom@membres.lab.test", ""),
    }


async def test_an_empty_list(mailman: Mailman) -> None:
    mlist = mailman.create_list("deserte")
    assert (await fetch_roster(access(mailman), mlist.list_id)).members == ()


async def test_what_goes_wrong_is_told(mailman: Mailman) -> None:
    with pytest.raises(AccessRefused):
        await fetch_roster(access(mailman, password="wrong"), "x.listes.lab.test")
    with pytest.raises(PermanentFailure, match="knows no list"):
        await fetch_roster(access(mailman), "nowhere.listes.lab.test")
    with pytest.raises(TemporaryFailure, match="does not answer"):
        await fetch_roster(access(mailman, url="http://127.0.0.1:1/3.1"), "x")
    assert "restpass" not in repr(access(mailman))
    with pytest.raises((PermanentFailure, MalformedRoster, TemporaryFailure)):
        await fetch_roster(access(mailman, url=f"http://127.0.0.1:{mailman.rest_port}"), "x")
