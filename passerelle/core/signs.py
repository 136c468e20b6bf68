"""Which reactions answer a notice of the bridge, and what they say. Pure; the notices say it in words."""

from collections.abc import Mapping

from passerelle.core.answer_model import AnswerKind
from passerelle.core.meeting_model import RsvpAnswer

#: Beneath a notice about a meeting.
MEETING_SIGNS: Mapping[str, RsvpAnswer] = {
    "✅": "yes", "✔️": "yes", "✔": "yes", "👍": "yes",
    "❌": "no", "✖️": "no", "✖": "no", "👎": "no",
    "❓": "maybe", "❔": "maybe", "🤔": "maybe",
}  # fmt: skip
#: Beneath a notice about entries: done, and no. ☑️ is none: the bridge puts it beneath each action that it notes, and
#: whoever joins in there says that it is one.
ENTRY_SIGNS: Mapping[str, AnswerKind] = {
    "✅": "done", "✔️": "done", "✔": "done", "⛔": "objection", "🛑": "objection",
}  # fmt: skip
