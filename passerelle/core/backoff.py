"""How long to wait before trying again: exponential, with jitter, bounded. Pure: the caller brings the random number.

Without jitter every daemon of a host would come back to a restarted server in the same second; without a bound a
server that was down for a night would be waited for until the next. Full jitter over the upper half keeps a least
pause, so that no try follows at once (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015, "equal jitter").
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """A way of waiting. Seconds."""

    first_seconds: float = 1.0
    longest_seconds: float = 300.0
    factor: float = 2.0

    def delay_seconds(self, failures: int, random: float, *, at_least_seconds: float | None = None) -> float:
        """How long to wait after `failures` failures in a row (1 is the first).

        `random` is uniform in [0, 1). `at_least_seconds` is what the other side asked for (429's `retry_after_ms`): it
        is obeyed even beyond `longest_seconds`, and the jitter is added to it rather than taken off.

        Raises ValueError where `failures` < 1 or `random` is outside [0, 1].
        """
        if failures < 1 or not 0 <= random <= 1:
            raise ValueError(f"failures {failures} must be at least 1 and random {random} in [0, 1]")
        whole = self._whole_seconds(failures)
        if at_least_seconds is not None and at_least_seconds > whole / 2:
            return at_least_seconds + random * whole / 2
        return whole / 2 + random * whole / 2

    def _whole_seconds(self, failures: int) -> float:
        try:
            grown = self.first_seconds * self.factor ** (failures - 1)
        except OverflowError:
            return self.longest_seconds
        return min(self.longest_seconds, grown)


#: Servers that we are connected to: IMAP, Matrix.
RECONNECT = Backoff(first_seconds=1, longest_seconds=300)
#: Servers that refuse our login: only an administrator mends that, and repeated tries get the account locked.
REFUSED = Backoff(first_seconds=300, longest_seconds=3600)
