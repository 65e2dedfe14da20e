"""Makes the tables of samplers over ``sigma = sqrt((1 - alphas_cumprod) / alphas_cumprod)``: Euler and DPM-Solver++."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headshots.diffusion.sampling.levels import clean_from
from headshots.diffusion.sampling.tables import Schedule, rounded
from headshots.diffusion.sampling.timesteps import Double, karras_sigmas, spaced, timestep_of

_SMALLEST_ALPHA = 2.0**-24
"""What these samplers put in place of a zero terminal SNR, so that the first sigma is finite."""
_FEW_STEPS = 15
"""Below this many steps DPM-Solver++ ends with a first-order step (``lower_order_final``)."""


@dataclass(frozen=True)
class _Levels:
    """Of N steps: N timesteps and N + 1 sigmas; ``trained``: timesteps in all."""

    timesteps: Double
    sigmas: Double
    trained: int


def euler(settings: Mapping[str, Any], alphas: Double, steps: int) -> Schedule:
    """x lives at x0 + sigma noise; the model sees it scaled to unit variance (arXiv 2206.00364)."""
    levels = _levels(settings, alphas, steps, euler=True)
    return _euler(settings, levels, levels.sigmas[1:], np.zeros(steps))


def euler_ancestral(settings: Mapping[str, Any], alphas: Double, steps: int) -> Schedule:
    """Euler to below the next sigma, and up to it by fresh noise (k-diffusion's ``sample_euler_ancestral``)."""
    # Its class knows no other way to place sigmas, nor another end than zero.
    plain = {"use_karras_sigmas": False, "final_sigmas_type": "zero"}
    levels = _levels({**settings, **plain}, alphas, steps, euler=True)
    # In single precision, as diffusers does: what is left of the difference of two near squares is mostly rounding.
    # Where it rounds to less than nothing, diffusers' images are no numbers; here the step goes down to the end.
    now, then = levels.sigmas[:-1].astype(np.float32), levels.sigmas[1:].astype(np.float32)
    up = np.sqrt(then**2 * (now**2 - then**2) / now**2)
    down = np.sqrt(np.maximum(then**2 - up**2, 0))
    return _euler(settings, levels, down.astype(np.float64), up.astype(np.float64))


def dpmpp_2m(settings: Mapping[str, Any], alphas: Double, steps: int, skip: int, *, sde: bool) -> Schedule:
    """Second order from the second step that is taken; first order where the schedule ends (arXiv 2211.01095).

    ``sde``: of the stochastic equation, whose steps draw noise.
    """
    levels = _levels(settings, alphas, steps, euler=False)
    alpha = 1 / np.sqrt(levels.sigmas**2 + 1)
    sigma = levels.sigmas * alpha
    with np.errstate(divide="ignore"):
        h = np.diff(np.log(alpha) - np.log(sigma))
    # The stochastic equation's decay is twice as fast, and the noise makes up for it.
    pace = 2 * h if sde else h
    a = sigma[1:] / sigma[:-1] * (np.exp(-h) if sde else 1.0)
    b = -alpha[1:] * np.expm1(-pace)
    c = np.zeros(steps)
    for i in range(skip + 1, steps - 1 if _ends_in_first_order(settings, steps) else steps):
        if int(settings.get("solver_order", 2)) == 1:
            break
        slope = 0.5 * b[i]
        if settings.get("solver_type", "midpoint") == "heun":
            slope = alpha[i + 1] * (np.expm1(-pace[i]) / pace[i] + 1)
        extra = slope * h[i] / h[i - 1]
        b[i] += extra
        c[i] = -extra
    p, q = clean_from(str(settings.get("prediction_type", "epsilon")), alpha[:-1], sigma[:-1])
    return rounded(
        trained=levels.trained, timestep=levels.timesteps.astype(np.int64), p=p, q=q, a=a, b=b, c=c,
        fresh=sigma[1:] * np.sqrt(-np.expm1(-2 * h)) if sde else None, signal=alpha[:-1], noise=sigma[:-1],
    )  # fmt: skip


def _ends_in_first_order(settings: Mapping[str, Any], steps: int) -> bool:
    return bool(
        settings.get("euler_at_final", False)
        or (settings.get("lower_order_final", True) and steps < _FEW_STEPS)
        or settings.get("final_sigmas_type", "zero") == "zero"
    )


def _euler(settings: Mapping[str, Any], levels: _Levels, down: Double, up: Double) -> Schedule:
    """From each sigma ``down`` in a straight line, and ``up`` by noise."""
    now = levels.sigmas[:-1]
    variance = now**2 + 1
    if settings.get("prediction_type", "epsilon") == "epsilon":
        p, q = np.ones_like(now), -now
    else:
        p, q = 1 / variance, -now / np.sqrt(variance)
    # diffusers' step from sigma to sigma is in single precision; where sigmas are thousands, that shows.
    a = 1 + (down.astype(np.float32) - now.astype(np.float32)).astype(np.float64) / now
    spaced_to_the_end = settings["timestep_spacing"] in ("linspace", "trailing")
    highest = levels.sigmas.max()
    return rounded(
        trained=levels.trained, timestep=levels.timesteps, input_scale=1 / np.sqrt(variance), p=p, q=q, a=a, b=1 - a,
        fresh=up, signal=np.ones_like(now), noise=now,
        initial_scale=float(highest if spaced_to_the_end else math.sqrt(highest**2 + 1)),
    )  # fmt: skip


def _levels(settings: Mapping[str, Any], alphas: Double, steps: int, *, euler: bool) -> _Levels:
    """Timesteps and sigmas, the last where ``final_sigmas_type`` says."""
    trained = len(alphas)
    if settings.get("rescale_betas_zero_snr", False):
        alphas = np.append(alphas[:-1], _SMALLEST_ALPHA)
    timesteps = spaced(settings, trained, steps, extra=0 if euler else 1)
    if not euler:
        timesteps = timesteps.round()
    table = np.sqrt((1 - alphas) / alphas)
    sigmas = np.interp(timesteps, np.arange(trained), table)
    if settings.get("use_karras_sigmas", False):
        # diffusers' Euler spans the sigmas of its own timesteps, or those that its settings name; its DPM-Solver++ all
        # that were trained.
        lowest, highest = (sigmas[-1], sigmas[0]) if euler else (table[0], table[-1])
        if euler:
            lowest, highest = settings.get("sigma_min") or lowest, settings.get("sigma_max") or highest
        sigmas = karras_sigmas(lowest, highest, steps)
        timesteps = timestep_of(sigmas, table)
        if not euler and settings.get("beta_schedule") != "squaredcos_cap_v2":
            timesteps = timesteps.round()
    last = table[0] if settings.get("final_sigmas_type", "zero") == "sigma_min" else 0.0
    # The schedulers keep their sigmas in single precision; so must we, to land on the same image.
    return _Levels(timesteps, np.append(sigmas, last).astype(np.float32).astype(np.float64), trained)
