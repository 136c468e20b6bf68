"""What a person is shown of themselves in the register, in meetings and reminders; nothing that is another's."""

from __future__ import annotations

import json

from passerelle.flows.privacy_export import export_person
from passerelle.store.meeting_people import list_attendance, put_attendance
from passerelle.store.privacy import find_known_person
from tests.flows import test_erasure
from tests.flows.bridge import Bridge
from tests.flows.test_erasure_secretary import NAME, live

#: The fixture, on both databases.
bridge = test_erasure.bridge


async def test_a_person_is_shown_what_the_secretary_holds_of_them(bridge: Bridge) -> None:
    lived = await live(bridge)
    files: dict[str, bytes] = {}
    async with bridge.ctx.store.write() as conn:
        (mine,) = [a for a in await list_attendance(conn, lived.planned) if a.person_id == lived.person]
        await put_attendance(conn, mine)
        person = await find_known_person(conn, lived.person)
    assert person is not None
    await export_person(bridge.ctx, person, files.__setitem__)
    held = json.loads(files["donnees.json"])
    assert len(held["entries"]) == 13
    assert [(e["number"], e["said_by_you"], e["names_you"]) for e in held["entries"]][-4:] == [
        (10, True, False), (11, True, False), (12, False, True), (14, True, False),
    ]  # fmt: skip
    assert [(o["number"], o["reason"], o["withdrawn_at"]) for o in held["objections"]] == [(13, "tromblonesque", None)]
    assert [(r["meeting"], r["title"], r["answer"]) for r in held["rsvps"]] == [
        (2, "Passée", "yes"), (1, "Prochaine", "yes"),
    ]  # fmt: skip
    assert [(a["presence"], a["how"]) for a in held["attendance"]] == [("present", "par gribouillard")] * 2
    assert [c["text"] for c in held["corrections"]] == ["s/a/zigouigoui/"] * 2
    assert [r["text"] for r in held["reminders"]] == ["la moustachique"]
    assert [a["about"]["written"] for a in held["asks"]] == ["pamplemoussite"]
    assert "Mme Haddad" not in files["donnees.json"].decode()
    page = files["index.html"].decode()
    for said in (
        "relance la mairie",
        "tromblonesque",
        "vous avez dit que vous veniez",
        "vous étiez là",
        "moustachique",
    ):
        assert said in page
    assert NAME in page
