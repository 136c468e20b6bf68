"""When each step of a meeting is due, and which steps still make sense. Pure.

| step        | due                                              | does                                             |
|-------------|--------------------------------------------------|--------------------------------------------------|
| call        | `call_days` before                               | asks everyone for items of the agenda            |
| convocation | `convocation_days` before                        | date, place, agenda; an invitation to each person|
| reminder    | `reminder_days` before                           | to who comes, and who has not answered           |
| draft       | `draft_hours` after the end                      | the draft of the minutes, to both sides          |
| approval    | `corrections_days` after the draft has left      | the minutes as they stand are approved           |

A step whose setting is 0 is left out. A meeting that is called late loses the call, then the reminder: the convocation
leaves at once, always, since without it nobody would know. No two steps before the meeting leave within half a day,
unless the meeting itself is that near: at most three mails a person and meeting (PEOPLE 11).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from passerelle.core.ids import MeetingId
from passerelle.core.meeting_model import Meeting, MeetingState, MeetingStep, Step
from passerelle.core.secretary_settings import MeetingSettings

STEPS: tuple[Step, ...] = ("call", "convocation", "reminder", "draft", "approval")
#: States in which a meeting is still to come.
TO_COME: frozenset[MeetingState] = frozenset({"planned", "called", "convened"})


def steps_of(
    meeting_id: MeetingId, *, starts_at: datetime, created_at: datetime, settings: MeetingSettings
) -> tuple[MeetingStep, ...]:
    """The steps before a meeting, with their times; those that are off or come too late say so.

    Args:
        starts_at, created_at: aware.
    """
    left = starts_at - created_at
    wanted = {
        "call": timedelta(days=settings.call_days),
        "convocation": timedelta(days=settings.convocation_days),
        "reminder": timedelta(days=settings.reminder_days),
    }
    steps = []
    for step in ("call", "convocation", "reminder"):
        before = wanted[step]
        due_at = max(starts_at - before, created_at)
        steps.append(MeetingStep(meeting_id=meeting_id, step=step, due_at=due_at, skipped=_skipped(step, before, left)))
    return _apart(steps, wanted)


def _skipped(step: str, before: timedelta, left: timedelta) -> str:
    if not before:
        return "off"
    if left <= timedelta(0):
        return "too_late"
    # What would have left before the meeting was known makes no sense any more, but for the convocation.
    return "too_late" if step != "convocation" and before > left else ""


def _apart(steps: Sequence[MeetingStep], wanted: dict[str, timedelta]) -> tuple[MeetingStep, ...]:
    """A reminder that would leave with the convocation, or before it, is left out."""
    call, convocation, reminder = steps
    if not call.skipped and not convocation.skipped and convocation.due_at <= call.due_at:
        call = replace(call, skipped="too_late")
    if not reminder.skipped and not convocation.skipped:
        apart = (wanted["convocation"] - wanted["reminder"]) / 10
        if reminder.due_at < convocation.due_at + min(apart, timedelta(hours=12)):
            reminder = replace(reminder, skipped="too_late")
    return call, convocation, reminder


def draft_step(meeting: Meeting, *, ended_at: datetime, settings: MeetingSettings) -> MeetingStep:
    """When the draft of the minutes leaves, once the meeting has ended."""
    return MeetingStep(meeting_id=meeting.id, step="draft", due_at=ended_at + timedelta(hours=settings.draft_hours))


def approval_step(meeting: Meeting, *, left_at: datetime, settings: MeetingSettings) -> MeetingStep:
    """Until when corrections are taken, from when the draft has left for both sides."""
    due_at = left_at + timedelta(days=settings.corrections_days)
    return MeetingStep(meeting_id=meeting.id, step="approval", due_at=due_at)
