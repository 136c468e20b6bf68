"""Dates that associations of a network share stand on each one's page, and what one of them noted on no other's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from passerelle.core.ids import LinkName
from passerelle.core.meeting_model import NewMeeting
from passerelle.core.one_page_sheet import build_sheet
from passerelle.flows.one_page import gather_page
from passerelle.store.meetings import insert_meeting
from tests.web.town import EPEULE, ROUBAIX, START, Town, make_town

BUREAU, JARDIN = LinkName("bureau"), LinkName("jardin")


async def plan(town: Town, link: LinkName, title: str) -> None:
    new = NewMeeting(
        association=EPEULE, link=link, uid=title, title=title, zone="Europe/Paris", duration_minutes=90,
        starts_local=datetime(2026, 11, 26, 18, 30), created_at=START,  # noqa: DTZ001
    )  # fmt: skip
    async with town.ctx.store.write() as conn:
        await insert_meeting(conn, new)


async def test_a_shared_date_is_told_next_door_and_names_nobody_on_paper(tmp_path: Path) -> None:
    town = await make_town(tmp_path, shared=["epeule/jardin"])
    await town.writes("paul@membres.lab.test", "Paul Mercier", path="epeule/jardin")
    await plan(town, JARDIN, "Troc de graines")
    await plan(town, JARDIN, "Pot de départ de Paul")
    await plan(town, BUREAU, "Réunion fermée")
    async with town.ctx.store.read() as conn:
        page = await gather_page(town.ctx, conn, ROUBAIX, [BUREAU])
        own = await gather_page(town.ctx, conn, EPEULE, [JARDIN])
    told = {section.key: [line.text for line in section.lines] for section in page.sections}
    assert told["shared"] == ["Troc de graines", "Pot de départ de Paul"]
    assert told["dates"] == []
    sheet = build_sheet(page, town.ctx.renderer(town.ctx.settings.associations[1]).words)
    (shared,) = [section for section in sheet.sections if section.key == "shared"]
    assert [line.text for line in shared.lines] == ["Troc de graines", "Réunion"]
    told = {section.key: [line.text for line in section.lines] for section in own.sections}
    assert sorted(told["dates"]) == ["Pot de départ de Paul", "Troc de graines"]
    assert told["shared"] == []
    await town.ctx.store.close()
