"""Estimates what a shoot will take from what earlier work took. Pure; `rates` reads the database.

A job of a size (optimizer steps, images) takes a fixed time and a time for each unit. Both are fitted to the measured
jobs by medians, which a few odd jobs do not move (Theil, 1950; Sen, 1968). Each measured job, by how much it took more
or less than fitted, then says how long the new one could take; fewer than three say it with an assumed spread. A shoot
may take any sum of such a training and such a gallery. See docs/decisions/0022.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST = 0.9
_SHORTEST_SECONDS = 1e-3
# By this factor a job may take more or less than the one or two that were measured, where no third tells the spread.
_ASSUMED_FACTORS = {1: 2.0, 2: 1.5}


@dataclass(frozen=True)
class Measured:
    """A job that ended well. Times are seconds since the epoch."""

    size: int
    """Optimizer steps, or images painted."""
    started_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(self.ended_at - self.started_at, _SHORTEST_SECONDS)


@dataclass(frozen=True)
class Rates:
    """What recent work of the present foundation took."""

    trainings: tuple[Measured, ...] = ()
    galleries: tuple[Measured, ...] = ()
    training_steps: int = 0
    """Optimizer steps of a training without options; 0: none was measured."""
    tries: tuple[float, ...] = ()
    """Images painted for each image that was asked for, of galleries that may paint again."""


@dataclass(frozen=True)
class Queue:
    """What waits and runs now for one pool, of all tenants."""

    waiting_trainings: int = 0
    running_trainings: tuple[float | None, ...] = ()
    """Seconds that each has left, as its trainer says; None: it does not."""
    waiting_shots: int = 0
    running_shots: int = 0


@dataclass(frozen=True)
class Quote:
    """What a shoot will take; fields as in the contract's Quote. Times are seconds since the epoch."""

    queue_place: int
    training_steps: int
    images: int
    expected_at: float | None = None
    """None: nothing was measured yet."""
    latest_at: float | None = None
    device_seconds: float = 0.0
    measured_on: int = 0
    beyond_expiry: bool = False
    """Whether it is expected to end after the time until which its subject is kept."""

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Quote:
        """From a JSON column."""
        return cls(**document)


def quote(rates: Rates, queue: Queue, *, trains: bool, asked: int, max_tries: int, now: float) -> Quote:
    """What a shoot of `asked` portraits would take if it was made `now`; `trains`: whether a training comes first."""
    ratio = min(statistics.fmean(rates.tries), max_tries) if rates.tries else 1.0
    images = math.ceil(asked * ratio - 1e-9)
    rough = Quote(
        queue_place=queue.waiting_trainings if trains else queue.waiting_shots,
        training_steps=rates.training_steps if trains else 0,
        images=images,
    )
    if not rates.galleries or (trains and not rates.trainings):
        return rough
    paintings = possible_seconds(rates.galleries, images)
    trainings = possible_seconds(rates.trainings, rates.training_steps) if trains else [0.0]
    if trains:
        wait = _training_wait(rates.trainings, queue, statistics.median(trainings))
    else:
        wait = _shot_wait(rates.galleries, queue)
    sums = sorted(one + other for one, other in itertools.product(trainings, paintings))
    return dataclasses.replace(
        rough,
        expected_at=now + wait + statistics.median(sums),
        latest_at=now + wait + sums[math.ceil(_MOST * len(sums)) - 1],
        device_seconds=statistics.median(trainings) + statistics.median(paintings),
        measured_on=len(rates.galleries) + (len(rates.trainings) if trains else 0),
    )


def possible_seconds(measured: Sequence[Measured], size: int) -> list[float]:
    """How long a job of this size could take: one answer of each measured job.

    The answers of one or two jobs are no spread: there each is joined by those of a longer and a shorter job, by an
    assumed factor, which leaves the median where it is, or near to it.
    """
    slopes = [
        (one.seconds - other.seconds) / (one.size - other.size)
        for one, other in itertools.combinations(measured, 2)
        if one.size != other.size
    ]
    if slopes:
        per_unit = max(statistics.median(slopes), 0.0)
    else:
        per_unit = statistics.median(job.seconds / max(job.size, 1) for job in measured)
    fixed = max(statistics.median(job.seconds - per_unit * job.size for job in measured), 0.0)

    def fitted(units: int) -> float:
        return max(fixed + per_unit * units, _SHORTEST_SECONDS)

    answers = [job.seconds / fitted(job.size) * fitted(size) for job in measured]
    factor = _ASSUMED_FACTORS.get(len(answers), 1.0)
    spread = (1 / factor, 1.0, factor) if factor > 1 else (1.0,)
    return [seconds * by for seconds in answers for by in spread]


def most_at_once(measured: Sequence[Measured]) -> int:
    """How many of the jobs ran at the same time, at most."""
    changes = [(job.started_at, 1) for job in measured] + [(job.ended_at, -1) for job in measured]
    return max(itertools.accumulate(change for _, change in sorted(changes)), default=0)


def _training_wait(measured: Sequence[Measured], queue: Queue, one_takes: float) -> float:
    """Seconds until a trainer is free: there are as many as were ever seen at work at once."""
    trainers = max(most_at_once(measured), len(queue.running_trainings), 1)
    if len(queue.running_trainings) + queue.waiting_trainings < trainers:
        return 0.0
    left = sum(one_takes / 2 if seconds is None else seconds for seconds in queue.running_trainings)
    return (left + queue.waiting_trainings * one_takes) / trainers


def _shot_wait(measured: Sequence[Measured], queue: Queue) -> float:
    """Seconds until the shots that are there now are painted, at the pace of a gallery."""
    per_image = statistics.median(job.seconds / max(job.size, 1) for job in measured)
    return (queue.waiting_shots + queue.running_shots) * per_image
