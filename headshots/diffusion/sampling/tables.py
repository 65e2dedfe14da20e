"""Defines the tables of a request's sampler, and makes one step by them: of an image, or of many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from headshots.diffusion.sampling.timesteps import Double

FloatArray = npt.NDArray[np.float32]


class Latents(Protocol):
    """What is denoised: an array of numpy or a tensor of torch, float32."""

    def __mul__(self, other: Any, /) -> Self: ...
    def __rmul__(self, other: Any, /) -> Self: ...
    def __add__(self, other: Any, /) -> Self: ...


L = TypeVar("L", bound=Latents)


@dataclass(frozen=True)
class Coefficients:
    """Of one step: numbers, or for many images arrays that broadcast over their latents."""

    p: Any
    q: Any
    a: Any
    b: Any
    c: Any
    fresh: Any

    def step(self, x: L, prediction: L, previous: L, drawn: L | None) -> tuple[L, L]:
        """The next x, and the clean latents as they are predicted now.

        Args:
            x: latents.
            prediction: the model's, guided.
            previous: clean latents as predicted at the last step; zeros at the first.
            drawn: fresh standard noise; None where ``fresh`` is 0.
        """
        clean = self.p * x + self.q * prediction
        moved = self.a * x + self.b * clean + self.c * previous
        return (moved if drawn is None else moved + self.fresh * drawn), clean


COEFFICIENTS = tuple(field.name for field in fields(Coefficients))


@dataclass(frozen=True)
class Schedule:
    """The tables of one request, N steps each, float32; ``initial_scale`` multiplies the noise of a whole schedule.

    ``level``: where in the noise schedule a step is, 1 for noise alone to 0: its timestep over the last one trained.
    """

    timestep: FloatArray
    level: FloatArray
    input_scale: FloatArray
    p: FloatArray
    q: FloatArray
    a: FloatArray
    b: FloatArray
    c: FloatArray
    fresh: FloatArray
    signal: FloatArray
    noise: FloatArray
    initial_scale: float

    @property
    def steps(self) -> int:
        """N."""
        return len(self.timestep)

    def after(self, skip: int) -> Schedule:
        """The tables without the first ``skip`` steps."""
        cut = {field.name: getattr(self, field.name)[skip:] for field in fields(self) if field.name != "initial_scale"}
        return replace(self, **cut)

    def at(self, step: int) -> Coefficients:
        """The numbers of a step."""
        return Coefficients(*(float(getattr(self, name)[step]) for name in COEFFICIENTS))

    def guided(self, interval: tuple[float, float]) -> tuple[bool, ...]:
        """For each step whether its ``level`` lies in ``interval``, both ends included (arXiv 2404.07724)."""
        low, high = np.float32(interval[0]), np.float32(interval[1])
        return tuple(bool(low <= level <= high) for level in self.level)


def rows_at_once(schedules: Sequence[Schedule], steps: Sequence[int]) -> Coefficients:
    """The numbers of one step of each schedule, [N, 1, 1, 1]."""
    each = list(zip(schedules, steps, strict=True))
    columns = (np.asarray([getattr(table, name)[step] for table, step in each], np.float32) for name in COEFFICIENTS)
    return Coefficients(*(column[:, None, None, None] for column in columns))


def denoise(schedule: Schedule, x: L, predict: Callable[[int, L], L], draw: Callable[[int], L]) -> L:
    """The latents after all steps of a schedule; all images of ``x`` are at the same step.

    Args:
        schedule: the tables.
        x: what to start from: standard noise times ``initial_scale``.
        predict: the model's guided prediction of a step, for its scaled input.
        draw: fresh standard noise of a step; not called where the step takes none.
    """
    clean = x * 0.0
    for step in range(schedule.steps):
        numbers = schedule.at(step)
        prediction = predict(step, x * float(schedule.input_scale[step]))
        x, clean = numbers.step(x, prediction, clean, draw(step) if numbers.fresh else None)
    return x


def rounded(
    *, trained: int, timestep: npt.NDArray[Any], p: Double, q: Double, a: Double, b: Double, signal: Double,
    noise: Double, input_scale: Double | None = None, c: Double | None = None, fresh: Double | None = None,
    initial_scale: float = 1.0,
) -> Schedule:  # fmt: skip
    """Round the tables to float32, once. Missing: an input as it is, and no share of what it multiplies.

    ``trained``: the timesteps that the model was trained on.
    """
    zeros, ones = np.zeros(len(timestep)), np.ones(len(timestep))
    doubles = {
        "timestep": timestep, "level": timestep / (trained - 1),
        "input_scale": ones if input_scale is None else input_scale,
        "p": p, "q": q, "a": a, "b": b, "c": zeros if c is None else c, "fresh": zeros if fresh is None else fresh,
        "signal": signal, "noise": noise,
    }  # fmt: skip
    singles: dict[str, Any] = {name: np.asarray(table, np.float32) for name, table in doubles.items()}
    return Schedule(**singles, initial_scale=initial_scale)
