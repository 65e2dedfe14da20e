"""Simulates trainers: each trains one subject at a time, and they come and go."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from headshots.simulation.outcomes import Cost
from headshots.simulation.policies import Policy
from headshots.simulation.queues import FairQueue
from headshots.simulation.scaling import ScaleRule, Scaling
from headshots.simulation.service_times import ServiceTimes


@dataclass(frozen=True)
class Training:
    """Of an order."""

    tenant: str
    order: int


@dataclass(eq=False)
class _Trainer:
    started_at: float
    is_ready: bool = False
    is_busy: bool = False


class Trainers:
    """Only those go that train nobody: a cluster with `components/idle-first` takes these first."""

    def __init__(
        self,
        policy: Policy,
        times: ServiceTimes,
        drawn: random.Random,
        at: Callable[[float, Callable[[], None]], None],
        trained: Callable[[Training, float], None],
    ) -> None:
        """`at`: has something happen then; `trained`: called when a training is done, with the time of its start."""
        self._policy, self._times, self._random = policy, times, drawn
        self._at, self._on_trained = at, trained
        self._queue: FairQueue[Training] = FairQueue()
        self._trainers: list[_Trainer] = []
        self._scaling = Scaling(_rule(policy))
        self._is_polling = False
        self._seconds = self._busy_seconds = 0.0
        self._most = 0
        for _ in range(policy.trainers_min):
            self._start(0.0, 0.0)

    def add(self, training: Training, now: float) -> None:
        """It waits for a trainer."""
        self._queue.add(training)
        if not self._scaling.is_fixed:
            if not self._trainers:
                self._scale(now)
            if not self._is_polling:
                self._is_polling = True
                self._at(now + self._policy.scale_poll_seconds, lambda: self._poll(now))
        self._begin(now)

    def cost(self, now: float) -> Cost:
        """Until now."""
        seconds = self._seconds + sum(now - one.started_at for one in self._trainers)
        used = self._busy_seconds / seconds if seconds else 0.0
        return Cost(seconds / 3600, seconds / 3600 * self._policy.trainers_price_per_hour, used, self._most)

    def _begin(self, now: float) -> None:
        for trainer in self._trainers:
            if not len(self._queue):
                return
            if trainer.is_ready and not trainer.is_busy:
                self._train(trainer, self._queue.take(), now)

    def _train(self, trainer: _Trainer, training: Training, now: float) -> None:
        trainer.is_busy = True
        spread = self._times.spread
        seconds = self._times.training_seconds * self._random.uniform(1 - spread, 1 + spread)
        self._at(now + seconds, lambda: self._end(trainer, training, now, now + seconds))

    def _end(self, trainer: _Trainer, training: Training, begun_at: float, now: float) -> None:
        trainer.is_busy = False
        self._busy_seconds += now - begun_at
        self._queue.done(training)
        self._on_trained(training, begun_at)
        self._begin(now)

    def _start(self, now: float, cold_start_seconds: float) -> None:
        trainer = _Trainer(now)
        self._trainers.append(trainer)
        self._most = max(self._most, len(self._trainers))
        ready_at = now + cold_start_seconds
        if cold_start_seconds:
            self._at(ready_at, lambda: self._ready(trainer, ready_at))
        else:
            trainer.is_ready = True

    def _ready(self, trainer: _Trainer, now: float) -> None:
        trainer.is_ready = True
        self._begin(now)

    def _poll(self, before: float) -> None:
        now = before + self._policy.scale_poll_seconds
        self._scale(now)
        self._is_polling = bool(self._queue.work) or len(self._trainers) > self._policy.trainers_min
        if self._is_polling:
            self._at(now + self._policy.scale_poll_seconds, lambda: self._poll(now))

    def _scale(self, now: float) -> None:
        wanted = self._scaling.wanted(now, self._queue.work, len(self._trainers))
        for _ in range(wanted - len(self._trainers)):
            self._start(now, self._policy.trainers_cold_start_seconds)
        # Of pods the cluster takes those first that are not ready yet.
        idle = sorted((one for one in self._trainers if not one.is_busy), key=lambda one: one.is_ready)
        for trainer in idle[: max(len(self._trainers) - wanted, 0)]:
            self._trainers.remove(trainer)
            self._seconds += now - trainer.started_at


def _rule(policy: Policy) -> ScaleRule:
    # Without policies of their own Kubernetes' defaults hold: twice as many or four more every 15 seconds.
    return ScaleRule(
        policy.trainers_min,
        policy.trainers_max,
        1.0,
        policy.trainers_scale_down_seconds,
        policy.to_zero_seconds,
        period_seconds=15.0,
        more=4,
    )
