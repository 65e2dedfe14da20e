"""Samplers as tables of coefficients, and the noise they start from.

Every sampler here is linear: at step i of a request

    d  = p[i] * x + q[i] * model(input_scale[i] * x, timestep[i])     the prediction of the clean latent
    x' = a[i] * x + b[i] * d + c[i] * d_previous

so that one vectorised update serves rows of one batch at different steps of different samplers. The tables equal
diffusers' DDIMScheduler (eta 0; arXiv 2010.02502), EulerDiscreteScheduler (arXiv 2206.00364) and
DPMSolverMultistepScheduler (dpmsolver++, order 2; arXiv 2211.01095), made from the same ``scheduler_config.json``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.errors import InvalidArgumentError

FloatArray = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]

# Where each diffusers class differs in what a missing setting means.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ddim": {"timestep_spacing": "leading"},
    "euler": {"timestep_spacing": "linspace"},
    "dpmpp_2m": {"timestep_spacing": "linspace"},
}
# Settings that change the rule itself; only these values are implemented. A missing clip_sample means no clipping for
# every sampler: latents have no bounds to clip to (diffusers' DDIM class alone would assume otherwise).
_ONLY: Mapping[str, tuple[Any, ...]] = {
    "thresholding": (False,),
    "clip_sample": (False,),
    "use_exponential_sigmas": (False,),
    "use_beta_sigmas": (False,),
    "use_lu_lambdas": (False,),
    "use_flow_sigmas": (False,),
    "interpolation_type": ("linear",),
    "timestep_type": ("discrete",),
}
_SMALLEST_ALPHA = 2.0**-24
"""What Euler and DPM-Solver++ put in place of a zero terminal SNR, so that the first sigma is finite."""
_KARRAS_RHO = 7.0
_FEW_STEPS = 15
"""Below this many steps DPM-Solver++ ends with a first-order step (``lower_order_final``)."""


@dataclass(frozen=True)
class Schedule:
    """The tables of one request, N steps each, float32; ``initial_scale`` multiplies the noise."""

    timestep: FloatArray
    input_scale: FloatArray
    p: FloatArray
    q: FloatArray
    a: FloatArray
    b: FloatArray
    c: FloatArray
    initial_scale: float

    @property
    def steps(self) -> int:
        """N."""
        return len(self.timestep)


def make_schedule(config: Mapping[str, Any], sampler: str, steps: int) -> Schedule:
    """The tables of ``sampler`` over ``steps`` steps for a diffusers scheduler config.

    Raises:
        InvalidArgumentError: SCHEDULER_UNSUPPORTED, SAMPLER_UNKNOWN, STEPS_INVALID.
    """
    if sampler not in _DEFAULTS:
        raise InvalidArgumentError("SAMPLER_UNKNOWN", f"sampler {sampler!r}; known are {', '.join(_DEFAULTS)}")
    settings = {**_DEFAULTS[sampler], **config}
    trained = int(settings.get("num_train_timesteps", 1000))
    if not 1 <= steps < trained:
        raise InvalidArgumentError("STEPS_INVALID", f"{steps} steps; use 1 to {trained - 1}")
    for key, allowed in _ONLY.items():
        if settings.get(key, allowed[0]) not in allowed:
            raise InvalidArgumentError("SCHEDULER_UNSUPPORTED", f"{key}={settings[key]!r} is not implemented")
    alphas = alphas_cumprod(settings)
    if sampler == "ddim":
        return _ddim(settings, alphas, trained, steps)
    return _sigma_sampler(settings, alphas, trained, steps, sampler)


def initial_noise(seed: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal noise of a seed: ``numpy.random.RandomState(seed % 2**32).standard_normal(shape)`` as float32.

    RandomState's stream is frozen for good (NEP 19), on every platform, so a seed means the same noise in any program:
    reshape to [C, height / factor, width / factor] and hand it to a pipeline as ``latents``.
    """
    return np.random.RandomState(seed % 2**32).standard_normal(shape).astype(np.float32)


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
        betas = np.linspace(start, end, count, dtype=np.float32)
    elif kind == "scaled_linear":
        betas = np.linspace(math.sqrt(start), math.sqrt(end), count, dtype=np.float32) ** 2
    elif kind == "squaredcos_cap_v2":
        bar = np.cos((np.arange(count + 1) / count + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = np.minimum(1 - bar[1:] / bar[:-1], 0.999).astype(np.float32)
    else:
        raise InvalidArgumentError("SCHEDULER_UNSUPPORTED", f"beta_schedule={kind!r} is not implemented")
    # In single precision like the schedulers': where almost no signal is left, the rounding decides the sigma.
    alphas = np.cumprod(1 - betas, dtype=np.float32)
    if settings.get("rescale_betas_zero_snr", False):
        # arXiv 2305.08891, algorithm 1: shift and scale sqrt(alpha) so that the last is zero and the first is kept.
        roots = np.sqrt(alphas)
        alphas = np.square((roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1])))
    return alphas.astype(np.float64)


def _spaced(settings: Mapping[str, Any], trained: int, steps: int, *, extra: int) -> Double:
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


def _clean_from(prediction: str, alpha: Double, sigma: Double) -> tuple[Double, Double]:
    """p and q of ``d = p x + q out`` for x = alpha d + sigma noise."""
    if prediction == "epsilon":
        return 1 / alpha, -sigma / alpha
    return alpha, -sigma


def _ddim(settings: Mapping[str, Any], alphas: Double, trained: int, steps: int) -> Schedule:
    """eta 0: the noise found is put back at the previous timestep's level."""
    timesteps = _spaced(settings, trained, steps, extra=0).round().astype(np.int64)
    final = 1.0 if settings.get("set_alpha_to_one", True) else alphas[0]
    previous = timesteps - trained // steps
    bar, bar_next = alphas[timesteps], np.where(previous >= 0, alphas[previous], final)
    alpha, sigma = np.sqrt(bar), np.sqrt(1 - bar)
    alpha_next, sigma_next = np.sqrt(bar_next), np.sqrt(1 - bar_next)
    prediction = str(settings.get("prediction_type", "epsilon"))
    p, q = _clean_from(prediction, alpha, sigma)
    a = sigma_next / sigma
    b = alpha_next - a * alpha
    return _schedule(timesteps, np.ones(steps), p, q, a, b, np.zeros(steps), 1.0)


def _sigma_sampler(settings: Mapping[str, Any], alphas: Double, trained: int, steps: int, sampler: str) -> Schedule:
    """Euler and DPM-Solver++ 2M, over sigmas = sqrt((1 - alpha) / alpha)."""
    if settings.get("rescale_betas_zero_snr", False):
        alphas = np.append(alphas[:-1], _SMALLEST_ALPHA)
    euler = sampler == "euler"
    timesteps = _spaced(settings, trained, steps, extra=0 if euler else 1)
    if not euler:
        timesteps = timesteps.round()
    table = np.sqrt((1 - alphas) / alphas)
    sigmas = np.interp(timesteps, np.arange(trained), table)
    if settings.get("use_karras_sigmas", False):
        sigmas = _karras(table, steps)
        timesteps = _timestep_of(sigmas, table)
        if not euler and settings.get("beta_schedule") != "squaredcos_cap_v2":
            timesteps = timesteps.round()
    last = table[0] if settings.get("final_sigmas_type", "zero") == "sigma_min" else 0.0
    # The schedulers keep their sigmas in single precision; so must we, to land on the same image.
    sigmas = np.append(sigmas, last).astype(np.float32).astype(np.float64)
    prediction = str(settings.get("prediction_type", "epsilon"))
    if euler:
        return _euler(settings, timesteps, sigmas, prediction)
    return _dpmpp_2m(settings, timesteps.astype(np.int64), sigmas, prediction)


def _euler(settings: Mapping[str, Any], timesteps: Double, sigmas: Double, prediction: str) -> Schedule:
    """x lives at x0 + sigma noise; the model sees it scaled to unit variance."""
    now, then = sigmas[:-1], sigmas[1:]
    variance = now**2 + 1
    if prediction == "epsilon":
        p, q = np.ones_like(now), -now
    else:
        p, q = 1 / variance, -now / np.sqrt(variance)
    a = then / now
    spaced_to_the_end = settings["timestep_spacing"] in ("linspace", "trailing")
    scale = float(sigmas.max() if spaced_to_the_end else math.sqrt(sigmas.max() ** 2 + 1))
    zeros = np.zeros_like(now)
    return _schedule(timesteps, 1 / np.sqrt(variance), p, q, a, 1 - a, zeros, scale)


def _dpmpp_2m(
    settings: Mapping[str, Any], timesteps: npt.NDArray[np.int64], sigmas: Double, prediction: str
) -> Schedule:
    """Second order from the second step on; first order where the schedule ends."""
    steps = len(timesteps)
    alpha = 1 / np.sqrt(sigmas**2 + 1)
    sigma = sigmas * alpha
    with np.errstate(divide="ignore"):
        log_snr = np.log(alpha) - np.log(sigma)
    h = np.diff(log_snr)
    a = sigma[1:] / sigma[:-1]
    b = -alpha[1:] * np.expm1(-h)
    c = np.zeros(steps)
    last_is_first_order = (
        settings.get("euler_at_final", False)
        or (settings.get("lower_order_final", True) and steps < _FEW_STEPS)
        or settings.get("final_sigmas_type", "zero") == "zero"
    )
    second_order = range(1, steps - 1 if last_is_first_order else steps)
    if int(settings.get("solver_order", 2)) == 1:
        second_order = range(0)
    for i in second_order:
        slope = 0.5 * b[i]
        if settings.get("solver_type", "midpoint") == "heun":
            slope = alpha[i + 1] * (np.expm1(-h[i]) / h[i] + 1)
        extra = slope * h[i] / h[i - 1]
        b[i] += extra
        c[i] = -extra
    p, q = _clean_from(prediction, alpha[:-1], sigma[:-1])
    return _schedule(timesteps, np.ones(steps), p, q, a, b, c, 1.0)


def _karras(table: Double, steps: int) -> Double:
    """arXiv 2206.00364, equation 5."""
    ends = (table[-1] ** (1 / _KARRAS_RHO), table[0] ** (1 / _KARRAS_RHO))
    sigmas: Double = np.linspace(ends[0], ends[1], steps) ** _KARRAS_RHO
    return sigmas


def _timestep_of(sigmas: Double, table: Double) -> Double:
    """The fractional timestep of each sigma, linear in log sigma."""
    return np.interp(np.log(sigmas), np.log(table), np.arange(len(table)))


def _schedule(
    timestep: npt.NDArray[Any], scale: Double, p: Double, q: Double, a: Double, b: Double, c: Double,
    initial: float,
) -> Schedule:  # fmt: skip
    """Round the tables to float32, once."""
    singles = [np.asarray(table, np.float32) for table in (timestep, scale, p, q, a, b, c)]
    return Schedule(*singles, initial_scale=initial)  # type: ignore[arg-type, misc]
