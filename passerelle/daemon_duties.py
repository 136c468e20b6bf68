"""What the daemon does at a time that the database knows: each a flow, and the question when it is due next."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.connections_erasing import erase_in_mailbox
from passerelle.flows.ask_back import escalate_asks
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_chat import next_chat_summary_at, send_chat_summaries
from passerelle.flows.digest_send import next_digest_due_at, send_digests
from passerelle.flows.digest_wishes import configured_digests, next_subscribing_at, subscribe_coordinators
from passerelle.flows.erase import go_on_with_erasures, next_erasure_at
from passerelle.flows.meeting_chair import next_chair_at, tell_chairs
from passerelle.flows.meeting_steps import do_meeting_steps, next_meeting_step_at
from passerelle.flows.not_kept import forget_passed, next_passed_at
from passerelle.flows.open_archive import openings_due_at, settle_openings
from passerelle.flows.privacy_answers import answer_access, has_access_to_answer
from passerelle.flows.register_notice import next_telling_at, tell_entries
from passerelle.flows.register_reminders import next_reminding_at, remind_of_entries
from passerelle.flows.report_failures import next_report_at, report_failures, report_incidents
from passerelle.flows.retain import next_retention_at, retain
from passerelle.flows.send_reminders import next_reminder_due_at, send_reminders
from passerelle.schedule import Duty
from passerelle.store.asks import next_escalation_at
from passerelle.store.outbox_watch import next_failure_at

NextAt = Callable[[], Awaitable[datetime | None]]


def asked(ctx: FlowContext, query: Callable[[AsyncConnection], Awaitable[datetime | None]]) -> NextAt:
    """The question of a duty as one query of the store."""

    async def ask() -> datetime | None:
        async with ctx.store.read() as conn:
            return await query(conn)

    return ask


def keeping_duties(ctx: FlowContext) -> list[Duty]:
    """What is told to humans when something went wrong, and what is forgotten when its time is over."""
    return [
        Duty(name="openings", run=partial(settle_openings, ctx), next_at=partial(openings_due_at, ctx)),
        Duty(name="forget_passed", run=partial(forget_passed, ctx), next_at=partial(next_passed_at, ctx)),
        Duty(name="report_failures", run=partial(report_failures, ctx), next_at=asked(ctx, next_failure_at)),
        Duty(
            name="erasures",
            run=partial(go_on_with_erasures, ctx, emails=erase_in_mailbox),
            next_at=partial(next_erasure_at, ctx),
        ),
        Duty(name="access", run=partial(answer_access, ctx), next_at=partial(_access_due_at, ctx)),
        Duty(
            name="retention",
            run=partial(retain, ctx, emails=erase_in_mailbox),
            next_at=partial(next_retention_at, ctx),
        ),
        Duty(name="report_incidents", run=partial(report_incidents, ctx), next_at=partial(next_report_at, ctx)),
    ]


def secretary_duties(ctx: FlowContext) -> list[Duty]:
    """The secretary's work."""
    return [
        Duty(name="tell_entries", run=partial(tell_entries, ctx), next_at=partial(next_telling_at, ctx)),
        Duty(name="remind_of_entries", run=partial(remind_of_entries, ctx), next_at=partial(next_reminding_at, ctx)),
        Duty(name="reminders", run=partial(send_reminders, ctx), next_at=partial(next_reminder_due_at, ctx)),
        Duty(name="escalate_asks", run=partial(escalate_asks, ctx), next_at=asked(ctx, next_escalation_at)),
        Duty(name="tell_chairs", run=partial(tell_chairs, ctx), next_at=partial(next_chair_at, ctx)),
        Duty(name="meetings", run=partial(do_meeting_steps, ctx), next_at=partial(next_meeting_step_at, ctx)),
    ]


def digest_duties(ctx: FlowContext) -> list[Duty]:
    """Digests: who gets one by the configuration, and what leaves."""
    configured = configured_digests(ctx, ctx.settings)
    return [
        Duty(
            name="digest_subscribers",
            run=partial(subscribe_coordinators, ctx, configured),
            next_at=partial(next_subscribing_at, ctx, configured),
        ),
        Duty(name="digests", run=partial(send_digests, ctx), next_at=partial(next_digest_due_at, ctx)),
        Duty(
            name="chat_summaries",
            run=partial(send_chat_summaries, ctx),
            next_at=partial(next_chat_summary_at, ctx),
        ),
    ]


async def _access_due_at(ctx: FlowContext) -> datetime | None:
    return ctx.now() if await has_access_to_answer(ctx) else None
