"""Reminders that are right: each time once, over changes of hour, leap days and a daemon that was down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from passerelle.core.recurrence import instant_of, instants_between
from passerelle.core.register_model import NewReminder, Reminder
from passerelle.flows.send_reminders import next_reminder_due_at, send_reminders
from passerelle.store.reminders import insert_reminder, list_reminders
from tests.flows.bridge import Bridge, MakeBridge

PARIS = "Europe/Paris"


async def remind(
    bridge: Bridge,
    starts_local: datetime,
    *,
    rrule: str = "",
    zone: str = PARIS,
    text: str = "apporter les clés",
    target: str = "room",
) -> Reminder:
    """A reminder as a command makes it."""
    async with bridge.ctx.store.write() as conn:
        return await insert_reminder(
            conn,
            NewReminder(
                association=bridge.link.association_name,
                link=bridge.link.name,
                target=target,  # type: ignore[arg-type]
                text=text,
                starts_local=starts_local,
                zone=zone,
                rrule=rrule,
                next_at=instant_of(starts_local, zone),
                by_name="Léa",
                medium="room",
                created_at=bridge.now(),
            ),
        )


async def told(bridge: Bridge) -> list[str]:
    """What the room was reminded of."""
    rows = [row for row in await bridge.outbox("event") if row.unique_key.startswith("about/reminder/")]
    return [str((row.content or {})["body"]) for row in rows]


async def ring(bridge: Bridge) -> None:
    """The alarm clock rings when the store says that something is due."""
    due_at = await next_reminder_due_at(bridge.ctx)
    if due_at is not None and due_at <= bridge.now():
        await send_reminders(bridge.ctx)


@pytest.mark.parametrize("zone", [PARIS, "Africa/Dakar", "Indian/Reunion", "Pacific/Noumea"])
async def test_a_weekly_reminder_is_made_once_each_week_of_two_years_at_its_hour(
    make_bridge: MakeBridge, zone: str
) -> None:
    start = datetime(2026, 11, 19, 9, 0)  # noqa: DTZ001 - a Thursday, on the wall
    bridge = await make_bridge(at=datetime(2026, 11, 17, 10, 0, tzinfo=UTC))
    await remind(bridge, start, rrule="FREQ=WEEKLY", zone=zone)
    end = bridge.now() + timedelta(days=730)
    made = []
    while (due_at := await next_reminder_due_at(bridge.ctx)) is not None and due_at < end:
        bridge.clock[0] = due_at
        assert await send_reminders(bridge.ctx) == 1
        assert await send_reminders(bridge.ctx) == 0
        made.append(due_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None))
    assert made == [start + timedelta(weeks=week) for week in range(len(made))]
    # The 19th of November 2026 and the 16th of November 2028 are 104 weeks apart.
    assert len(made) == 105
    assert len(await told(bridge)) == len(made)


async def test_a_yearly_reminder_of_the_29th_of_february_comes_in_leap_years(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(at=datetime(2027, 12, 31, 10, 0, tzinfo=UTC))
    await remind(bridge, datetime(2028, 2, 29, 9, 0), rrule="FREQ=YEARLY")  # noqa: DTZ001
    bridge.clock[0] = datetime(2028, 2, 29, 8, 0, tzinfo=UTC)
    await ring(bridge)
    assert len(await told(bridge)) == 1
    assert await next_reminder_due_at(bridge.ctx) == datetime(2032, 2, 29, 8, 0, tzinfo=UTC)


async def test_after_three_days_without_a_daemon_what_was_missed_comes_once_and_says_that_it_is_late(
    make_bridge: MakeBridge,
) -> None:
    bridge = await make_bridge(at=datetime(2027, 3, 26, 7, 0, tzinfo=UTC))
    start = datetime(2027, 3, 26, 9, 0)  # noqa: DTZ001
    await remind(bridge, start, rrule="FREQ=DAILY")
    bridge.clock[0] = datetime(2027, 3, 26, 8, 0, tzinfo=UTC)
    await ring(bridge)
    # The hour changes in the night to the 28th; the daemon is down until the 29th in the afternoon.
    bridge.clock[0] = datetime(2027, 3, 29, 14, 0, tzinfo=UTC)
    missed = instants_between(
        start, PARIS, "FREQ=DAILY", after=datetime(2027, 3, 26, 8, 0, tzinfo=UTC), until=bridge.now()
    )
    assert [at for _, at in missed] == [
        datetime(2027, 3, 27, 8, 0, tzinfo=UTC),
        datetime(2027, 3, 28, 7, 0, tzinfo=UTC),
        datetime(2027, 3, 29, 7, 0, tzinfo=UTC),
    ]
    await ring(bridge)
    on_time, late = await told(bridge)
    assert "retard" not in on_time
    assert "en retard" in late
    assert "lundi 29 mars à 9\u00a0h" in late
    assert await next_reminder_due_at(bridge.ctx) == datetime(2027, 3, 30, 7, 0, tzinfo=UTC)


async def test_several_late_reminders_come_as_one(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(at=datetime(2026, 11, 17, 7, 0, tzinfo=UTC))
    for day, text in ((18, "apporter les clés"), (19, "fermer le local"), (19, "arroser")):
        await remind(bridge, datetime(2026, 11, day, 9, 0), text=text)  # noqa: DTZ001
    bridge.clock[0] = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    await ring(bridge)
    (notice,) = await told(bridge)
    assert all(text in notice for text in ("apporter les clés", "fermer le local", "arroser"))
    assert await next_reminder_due_at(bridge.ctx) is None


async def test_a_reminder_for_both_sides_leaves_for_both(bridge: Bridge) -> None:
    await remind(bridge, datetime(2026, 11, 19, 9, 0), target="both")  # noqa: DTZ001
    bridge.clock[0] = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    await ring(bridge)
    rows = [row for row in await bridge.outbox() if row.unique_key.startswith("about/reminder/")]
    assert sorted(row.kind for row in rows) == ["email", "event"]
    (mail,) = [row for row in rows if row.kind == "email"]
    assert b"Auto-Submitted" not in await bridge.raw_of(mail)


async def test_two_daemons_make_a_reminder_once(bridge: Bridge) -> None:
    await remind(bridge, datetime(2026, 11, 19, 9, 0))  # noqa: DTZ001
    bridge.clock[0] = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    assert await send_reminders(bridge.ctx) + await send_reminders(bridge.ctx) == 1
    assert len(await told(bridge)) == 1


async def test_a_stopped_link_reminds_of_nothing_until_it_goes_on(bridge: Bridge) -> None:
    from passerelle.store.links import clear_stop, set_stopped

    await remind(bridge, datetime(2026, 11, 19, 9, 0))  # noqa: DTZ001
    names = bridge.link.association_name, bridge.link.name
    async with bridge.ctx.store.write() as conn:
        await set_stopped(conn, *names, bridge.now(), "by_hand")
    bridge.clock[0] = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    assert await next_reminder_due_at(bridge.ctx) is None
    assert await send_reminders(bridge.ctx) == 0
    async with bridge.ctx.store.write() as conn:
        await clear_stop(conn, *names)
    bridge.pass_time(days=1)
    await ring(bridge)
    (late,) = await told(bridge)
    assert "en retard" in late


async def test_what_goes_to_the_list_waits_for_the_morning(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(at=datetime(2026, 11, 17, 10, 0, tzinfo=UTC))
    await remind(bridge, datetime(2026, 11, 17, 22, 0), target="both")  # noqa: DTZ001
    bridge.clock[0] = datetime(2026, 11, 17, 21, 0, tzinfo=UTC)
    await ring(bridge)
    rows = {row.kind: row for row in await bridge.outbox() if row.unique_key.startswith("about/reminder/")}
    assert rows["event"].due_at == bridge.now()
    assert rows["email"].due_at == datetime(2026, 11, 18, 7, 0, tzinfo=UTC)


async def test_a_reminder_is_given_another_time(bridge: Bridge) -> None:
    bridge.clock[0] = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
    await bridge.say("bonjour")
    await bridge.say("!rappel jeudi 9h apporter les clés")
    await bridge.say("!déplacer rappel 1 au vendredi")
    await bridge.say("!rappel tous les lundis 18h sortir les poubelles")
    await bridge.say("!déplacer rappel 2 à mardi 9h")
    async with bridge.ctx.store.read() as conn:
        moved, kept = await list_reminders(conn, bridge.link.association_name)
    # The hour is the one that was said first; what comes again and again keeps its rule.
    assert (moved.starts_local, moved.next_at) == (
        datetime(2026, 11, 20, 9, 0),  # noqa: DTZ001
        datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
    )
    assert kept.starts_local.hour == 18
    await bridge.say("!déplacer rappel 1 au samedi 10h", sender="@passant:lab.test")
    async with bridge.ctx.store.read() as conn:
        moved, _ = await list_reminders(conn, bridge.link.association_name)
    assert moved.starts_local.day == 20


async def test_one_person_is_reminded_at_the_hour_they_chose_and_when_it_is_late_in_the_morning(
    make_bridge: MakeBridge,
) -> None:
    bridge = await make_bridge(at=datetime(2026, 11, 17, 10, 0, tzinfo=UTC))
    await bridge.say("bonjour")
    await bridge.say("!rappel à moi aujourd’hui 23h : éteindre")
    await bridge.say("!rappel à moi demain 22h : fermer")
    bridge.clock[0] = datetime(2026, 11, 17, 22, 0, tzinfo=UTC)
    await ring(bridge)
    # The daemon was down at ten in the evening and is back at two in the night.
    bridge.clock[0] = datetime(2026, 11, 19, 1, 0, tzinfo=UTC)
    await ring(bridge)
    left = [row for row in await bridge.outbox("direct") if row.unique_key.startswith("about/reminder/")]
    assert [row.due_at for row in left] == [
        datetime(2026, 11, 17, 22, 0, tzinfo=UTC),
        datetime(2026, 11, 19, 7, 0, tzinfo=UTC),
    ]
