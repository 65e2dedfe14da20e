"""Estimates how long a running training still needs, from what it has measured of itself. No clock, no torch.

A step takes as long as the recent ones did; the first steps of a run, which warm up, are left out: they take many times
as long. Judging a checkpoint takes as long as the ones before it did; until one was judged, as many steps as it is work
(see `Selection.judging_work`). Whatever is not measured yet is not told.
"""

from __future__ import annotations

import statistics
from collections import deque

from services.trainer.progress.phases import Entered, JobProgress, Phase

# The first steps of a run allocate memory and compile kernels.
WARM_UP_STEPS = 5
# Nothing is told before so many others were measured: one or two may have been held up.
MIN_STEPS = 5
# The median of so many recent ones counts, so that the estimate follows a machine that gets slower.
_RECENT_STEPS = 30
_RECENT_UNITS = 8


class Estimates:
    """One run of a training. Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._now: Entered | None = None
        self._since = 0.0
        self._units = _Units()
        self._judgings: list[float] = []
        self._recent: deque[float] = deque(maxlen=_RECENT_STEPS)
        self._steps_of_run = 0
        self._step = self._total = 0
        self._judged_after: list[int] = []
        self._judging_work = 0.0

    def entered(self, what: Entered, now: float) -> None:
        """The run says what it does."""
        if self._now is None or self._now.phase is not what.phase:
            if self._now is not None and self._now.phase is Phase.VALIDATING:
                self._judgings.append(now - self._since)
            self._since, self._units = now, _Units()
        self._now = what
        self._units.add(what.done, now)
        if what.phase is Phase.VALIDATING:
            # It is under way, and counted as the phase.
            self._judged_after = [step for step in self._judged_after if step > self._step]

    def started(self, step: int, total: int, judged_after: list[int], judging_work: float, now: float) -> None:
        """The run begins its steps after ``step``; the others as in `Started`."""
        self._step, self._total = step, total
        self._judged_after, self._judging_work = list(judged_after), judging_work
        self.entered(Entered(Phase.TRAINING, step, total), now)

    def stepped(self, step: int, seconds: list[float], now: float) -> None:
        """The steps up to ``step`` are done; ``seconds``: what each new one took."""
        self._recent.extend(seconds[max(WARM_UP_STEPS - self._steps_of_run, 0) :])
        self._steps_of_run += len(seconds)
        self._step = step
        self.entered(Entered(Phase.TRAINING, step, self._total), now)

    @property
    def progress(self) -> JobProgress | None:
        """The phase, and what it still needs; None before the run has said anything."""
        if self._now is None:
            return None
        return JobProgress(self._now.phase, self._now.done, self._now.total, self._phase_seconds(self._now))

    @property
    def eta_seconds(self) -> float | None:
        """What the run still needs to its last step, judging included; None: not measured yet."""
        steps, judging = self._steps_seconds(), self._judging_seconds()
        if steps is None or self._now is None or self._now.phase not in (Phase.TRAINING, Phase.VALIDATING):
            return None
        still = len(self._judged_after) + (self._now.phase is Phase.VALIDATING)
        return steps + (still * judging if judging is not None else 0.0)

    def _phase_seconds(self, now: Entered) -> float | None:
        if now.phase is Phase.TRAINING:
            return self._steps_seconds()
        return self._judging_seconds() if now.phase is Phase.VALIDATING else self._units.seconds_left(now.total)

    def _steps_seconds(self) -> float | None:
        each = self._step_seconds()
        return (self._total - self._step) * each if each is not None else None

    def _step_seconds(self) -> float | None:
        return statistics.median(self._recent) if len(self._recent) >= MIN_STEPS else None

    def _judging_seconds(self) -> float | None:
        if self._judgings:
            return statistics.median(self._judgings)
        each = self._step_seconds()
        return each * self._judging_work if each is not None else None


class _Units:
    """What the units of one phase take: the first ones, which warm up, are left out."""

    def __init__(self) -> None:
        self._done = 0
        self._reports: deque[tuple[int, float]] = deque(maxlen=_RECENT_UNITS + 1)

    def add(self, done: int, now: float) -> None:
        """So many are done."""
        # Nothing done says only that the first begins.
        if done > self._done:
            self._done = done
            self._reports.append((done, now))

    def seconds_left(self, total: int) -> float | None:
        """What the others take; None before some were measured."""
        if len(self._reports) < 2:
            return None
        (first, begun), (last, ended) = self._reports[0], self._reports[-1]
        return (total - last) * (ended - begun) / (last - first)
