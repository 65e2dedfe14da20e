"""Tells clocks that jumped from clocks that went."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_JUMP_SECONDS = 300.0
"""More than clocks are corrected by while they run."""
_DISTRUST_SECONDS = 3600.0
"""For the operator to set a clock that jumped."""


def _uptime() -> float:
    """Seconds since the host was started; those in which it slept count, which `time.monotonic` leaves out on Linux."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockWatch:
    """Tells when the database's clock has jumped ahead: what is erased by a wrong clock does not come back."""

    def __init__(self, monotonic: Callable[[], float] = _uptime) -> None:
        self._monotonic = monotonic
        self._last: tuple[float, float] | None = None
        self._distrusted_until = float("-inf")

    def trusts(self, now: float) -> bool:
        """Whether the database's time, seconds since the epoch, may be acted on. Call it regularly."""
        at = self._monotonic()
        last, self._last = self._last, (now, at)
        jumped = 0.0 if last is None else (now - last[0]) - (at - last[1])
        if jumped > _JUMP_SECONDS:
            self._distrusted_until = at + _DISTRUST_SECONDS
            _LOG.warning(
                "the database's clock has jumped %.0f s ahead; set it if it is wrong: for an hour nothing is erased at "
                "the end of its term, and nothing that waits fails by it",
                jumped,
            )
        elif jumped < -_JUMP_SECONDS:
            self._distrusted_until = at
        return at >= self._distrusted_until
