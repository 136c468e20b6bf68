"""What a mail server can be told to do wrong, and when."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

#: Where in the SMTP conversation: the greeting, EHLO, AUTH, MAIL, each RCPT, the DATA command before its 354, amid the
#: mail's content, and after its final dot.
Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "content", "end"]
#: ``reply`` says ``text`` instead; ``drop`` cuts the connection; ``silence`` never says anything again (the client's
#: own time-out decides); ``delay`` waits ``seconds`` and goes on as if nothing were.
Action = Literal["reply", "drop", "silence", "delay"]
_ONLY: dict[str, tuple[Action, ...]] = {
    "connect": ("reply", "drop", "silence"),
    "auth": ("reply",),
    "content": ("drop", "silence"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing to do wrong; not every stage knows every action."""

    stage: Stage
    action: Action
    text: str = "451 4.3.0 try again later"
    seconds: float = 0
    #: At the stage ``end``: whether the mail is accepted and delivered before the client is left without its answer.
    keep: bool = False
    #: How often it happens; None for always.
    times: int | None = None
    #: A pattern searched in the command's argument (and at ``data``, ``content``, ``end`` in sender and recipients).
    matching: str = ""

    def __post_init__(self) -> None:
        """Refuse what no server could do."""
        if self.action not in _ONLY.get(self.stage, (self.action,)):
            raise ValueError(f"no {self.action} at the stage {self.stage}")

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Fault:
        """Return the fault of these values."""
        return cls(**values)


class FaultList:
    """The faults in force, each used up after its number of times."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, int | None]] = []

    def replace(self, faults: list[Fault]) -> None:
        """Put these in force instead of all others."""
        self._left = [(fault, fault.times) for fault in faults]

    def take(self, stage: str, subject: str = "") -> Fault | None:
        """Return the first fault that applies at this stage, and count it."""
        for index, (fault, left) in enumerate(self._left):
            if fault.stage == stage and left != 0 and re.search(fault.matching, subject):
                self._left[index] = (fault, None if left is None else left - 1)
                return fault
        return None
