"""The daemon's many lives: each ends by SIGKILL, at any moment or at a named step."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from lab.daemon import REPOSITORY
from lab.process import LabError, NotReadyError, ServerProcess
from passerelle.steps import STEPS

KILLED = 128 + 9
#: A life that does not come to its step is ended like the others, at any moment.
_LONGEST_LIFE_SECONDS = 12.0
_SHARE_AT_STEPS = 0.5
#: How often a step is passed before it kills, at the most: bursts are cut in their midst too.
_MOST_PASSES = 6
_BEFORE_ANY = "(starting: no step yet)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """How a life ended."""

    #: The step that the process had reached last in this life.
    after: str
    #: Whether it died exactly there, by its own hand, and not at a moment of ours.
    at_step: bool
    lived_seconds: float


@dataclass(kw_only=True)
class Killer:
    """Starts the daemon and kills it, again and again."""

    configuration: Path
    random: Random
    deaths: list[Death] = field(default_factory=list)

    async def kill_many(self, count: int, until: float, on_death: Callable[[Death], None]) -> None:
        """End `count` lives, or as many as begin before the monotonic instant `until`."""
        while len(self.deaths) < count and time.monotonic() < until:
            death = await asyncio.to_thread(self._one_life)
            self.deaths.append(death)
            on_death(death)

    def histogram(self) -> list[tuple[str, int, int]]:
        """For each step, in order: how many lives ended at it, and how many at some moment after it."""
        at = Counter(death.after for death in self.deaths if death.at_step)
        after = Counter(death.after for death in self.deaths if not death.at_step)
        return [(step, at[step], after[step]) for step in (_BEFORE_ANY, *STEPS)]

    def _one_life(self) -> Death:
        trace = self.configuration.with_name("steps.txt")
        trace.unlink(missing_ok=True)
        environment = {"PASSERELLE_STEPS_TO": str(trace)}
        step, longest = "", self.random.uniform(0.1, 8.0)
        if self.random.random() < _SHARE_AT_STEPS:
            step, longest = self.random.choice(STEPS), _LONGEST_LIFE_SECONDS
            environment["PASSERELLE_CRASH_AT"] = f"{step}:{self.random.randint(1, _MOST_PASSES)}"
        process = ServerProcess(
            [sys.executable, "-m", "passerelle", "run", "--config", str(self.configuration)],
            log=self.configuration.with_name("daemon.log"),
            folder=REPOSITORY,
            environment=environment,
        )
        began = time.monotonic()
        process.start()
        at_step = self._ended_by_itself(process, longest)
        lived_seconds = time.monotonic() - began
        process.kill()
        lines = trace.read_text().splitlines() if trace.exists() else []
        return Death(after=lines[-1] if lines else _BEFORE_ANY, at_step=at_step, lived_seconds=lived_seconds)

    def _ended_by_itself(self, process: ServerProcess, within_seconds: float) -> bool:
        try:
            code = process.wait(deadline_seconds=within_seconds)
        except NotReadyError:
            return False
        if code != KILLED:
            raise LabError(f"the daemon ended with {code} and was not killed: {process.log_tail()}")
        return True
