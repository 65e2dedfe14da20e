"""Computes what all samplers share: the signal left at a training timestep, and the timesteps of a schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.errors import InvalidArgumentError

Double = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]

_KARRAS_RHO = 7.0


def alphas_cumprod(settings: Mapping[str, Any]) -> Double:
    """The cumulative product of 1 - beta over the training timesteps.

    Raises:
        InvalidArgumentError: SCHEDULER_UNSUPPORTED.
    """
    start, end = float(settings.get("beta_start", 0.0001)), float(settings.get("beta_end", 0.02))
    count = int(settings.get("num_train_timesteps", 1000))
    kind = settings.get("beta_schedule", "linear")
    if settings.get("trained_betas") is not None:
        betas = np.asarray(settings["trained_betas"], np.float32)
    elif kind == "linear":
        betas = _single_linspace(start, end, count)
    elif kind == "scaled_linear":
        betas = _single_linspace(math.sqrt(start), math.sqrt(end), count) ** 2
    elif kind == "squaredcos_cap_v2":
        bar = np.cos((np.arange(count + 1) / count + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = np.minimum(1 - bar[1:] / bar[:-1], 0.999).astype(np.float32)
    else:
        raise InvalidArgumentError("SCHEDULER_UNSUPPORTED", f"beta_schedule={kind!r} is not implemented")
    if settings.get("rescale_betas_zero_snr", False):
        betas = _zero_terminal_snr(betas)
    return _cumprod(1 - betas).astype(np.float64)


# The schedulers keep their levels in single precision, made by torch's linspace and cumprod. Where almost no signal is
# left the rounding decides the sigma, so both are made here as torch makes them.


def _single_linspace(start: float, end: float, count: int) -> Single:
    """From both ends to the middle, in single precision."""
    first, last = np.float32(start), np.float32(end)
    step = (last - first) / np.float32(count - 1)
    up = np.arange(count, dtype=np.float32)
    return np.where(np.arange(count) < count // 2, first + step * up, last - step * up[::-1])


def _cumprod(factors: Single) -> Single:
    """Multiplied up in double precision, each rounded to single."""
    return np.cumprod(factors, dtype=np.float64).astype(np.float32)


def _zero_terminal_snr(betas: Single) -> Single:
    """arXiv 2305.08891, algorithm 1: shift and scale sqrt(alpha) so that the last is zero and the first is kept."""
    roots = np.sqrt(_cumprod(1 - betas))
    scaled = np.square((roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1])))
    return 1 - np.append(scaled[:1], scaled[1:] / scaled[:-1])


def spaced(settings: Mapping[str, Any], trained: int, steps: int, *, extra: int) -> Double:
    """Timesteps from high to low by ``timestep_spacing``; ``extra`` is 1 where the rule leaves out the lowest."""
    spacing = settings["timestep_spacing"]
    if spacing == "linspace":
        even: Double = np.linspace(0, trained - 1, steps + extra)
        return even[::-1][:steps]
    if spacing == "leading":
        whole: Double = np.arange(steps + extra, dtype=np.float64) * (trained // (steps + extra))
        return whole[::-1][:steps] + float(settings.get("steps_offset", 0))
    if spacing == "trailing":
        even = np.arange(trained, 0, -trained / steps)
        return even.round() - 1.0
    raise InvalidArgumentError("SCHEDULER_UNSUPPORTED", f"timestep_spacing={spacing!r} is not implemented")


def karras_sigmas(lowest: float, highest: float, steps: int) -> Double:
    """arXiv 2206.00364, equation 5, from the highest to the lowest."""
    sigmas: Double = np.linspace(highest ** (1 / _KARRAS_RHO), lowest ** (1 / _KARRAS_RHO), steps) ** _KARRAS_RHO
    return sigmas


def timestep_of(sigmas: Double, table: Double) -> Double:
    """The fractional timestep of each sigma, linear in log sigma."""
    return np.interp(np.log(sigmas), np.log(table), np.arange(len(table)))
