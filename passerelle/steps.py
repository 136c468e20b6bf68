"""The named steps between which a crash may fall. In a test of crashes, one of them ends the process.

With `PASSERELLE_CRASH_AT=email_stored` in the environment the process is killed (SIGKILL, as by a power cut that
spares the disk) the first time it gets there; `email_stored:3` the third time. With `PASSERELLE_STEPS_TO=file` the
names of all steps go to the end of that file: they tell where a process was that was killed at any moment. Otherwise
nothing is done.
"""

import os
import signal
from typing import Literal, get_args

Step = Literal[
    # list → room
    "email_fetched",  # before it is stored
    "email_stored",  # with the cursor
    "email_claimed",  # its attempt counted, its flow about to run
    "email_relayed",  # post and outbox rows stored
    "event_claimed",  # its attempt counted
    "file_uploaded",  # before that is stored
    "event_put",  # the homeserver has it; before that is stored
    "event_sent",  # that is stored
    # room → list
    "line_fetched",
    "line_stored",
    "line_claimed",
    "line_taken",  # post and batch stored
    "batch_composed",  # before it is stored
    "batch_sealed",
    "mail_claimed",
    "mail_begun",  # its fate is unknown from now on; before the content goes out
    "mail_given",  # the server has it; before that is stored
    "mail_sent",  # that is stored
]

STEPS: tuple[Step, ...] = get_args(Step)

_target, _, _count = os.environ.get("PASSERELLE_CRASH_AT", "").partition(":")
_left = int(_count or 1)
_told = os.environ.get("PASSERELLE_STEPS_TO", "")
_telling = os.open(_told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if _told else -1


def reached(step: Step) -> None:
    """Say that a step was reached."""
    global _left
    if _telling >= 0:
        os.write(_telling, f"{step}\n".encode())
    if step != _target:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
