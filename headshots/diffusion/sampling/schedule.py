"""Makes samplers' tables of coefficients, and the noise that they start from.

Every sampler here is linear: at step i of a request

    d  = p[i] * x + q[i] * model(input_scale[i] * x, timestep[i])     the prediction of the clean latent
    x' = a[i] * x + b[i] * d + c[i] * d_previous

so that one vectorised update serves rows of one batch at different steps of different samplers. The latents of a
source image enter before step i as ``signal[i] * its latents + noise[i] * standard noise``. The tables equal diffusers'
DDIMScheduler (eta 0; arXiv 2010.02502), EulerDiscreteScheduler (arXiv 2206.00364) and DPMSolverMultistepScheduler
(dpmsolver++, order 2; arXiv 2211.01095) with their ``add_noise``, made from the same ``scheduler_config.json``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.diffusion.sampling.timesteps import Double, alphas_cumprod, karras_sigmas, spaced, timestep_of
from headshots.errors import InvalidArgumentError

FloatArray = npt.NDArray[np.float32]

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
_FEW_STEPS = 15
"""Below this many steps DPM-Solver++ ends with a first-order step (``lower_order_final``)."""


@dataclass(frozen=True)
class Schedule:
    """The tables of one request, N steps each, float32; ``initial_scale`` multiplies the noise of a whole schedule."""

    timestep: FloatArray
    input_scale: FloatArray
    p: FloatArray
    q: FloatArray
    a: FloatArray
    b: FloatArray
    c: FloatArray
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


def steps_of_share(steps: int, share: float) -> int:
    """How many of ``steps`` steps are taken when only the last ``share`` of them is, as diffusers' pipelines count."""
    return min(int(steps * share), steps)


def make_schedule(config: Mapping[str, Any], sampler: str, steps: int, skip: int = 0) -> Schedule:
    """The tables of ``sampler`` over ``steps`` steps for a diffusers scheduler config, without the first ``skip``.

    Where steps are skipped, a noised source is what to start from: see ``signal`` and ``noise``.

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
        whole = _ddim(settings, alphas, trained, steps)
    else:
        whole = _sigma_sampler(settings, alphas, trained, steps, skip, sampler)
    assert 0 <= skip < steps
    return whole.after(skip) if skip else whole


def initial_noise(seed: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal noise of a seed: ``numpy.random.RandomState(seed % 2**32).standard_normal(shape)`` as float32.

    RandomState's stream is frozen for good (NEP 19), on every platform, so a seed means the same noise in any program:
    reshape to [C, height / factor, width / factor] and hand it to a pipeline as ``latents``.
    """
    return np.random.RandomState(seed % 2**32).standard_normal(shape).astype(np.float32)


def _clean_from(prediction: str, alpha: Double, sigma: Double) -> tuple[Double, Double]:
    """p and q of ``d = p x + q out`` for x = alpha d + sigma noise."""
    if prediction == "epsilon":
        return 1 / alpha, -sigma / alpha
    return alpha, -sigma


def _ddim(settings: Mapping[str, Any], alphas: Double, trained: int, steps: int) -> Schedule:
    """eta 0: the noise found is put back at the previous timestep's level."""
    timesteps = spaced(settings, trained, steps, extra=0).round().astype(np.int64)
    final = 1.0 if settings.get("set_alpha_to_one", True) else alphas[0]
    previous = timesteps - trained // steps
    bar, bar_next = alphas[timesteps], np.where(previous >= 0, alphas[previous], final)
    alpha, sigma = np.sqrt(bar), np.sqrt(1 - bar)
    alpha_next, sigma_next = np.sqrt(bar_next), np.sqrt(1 - bar_next)
    prediction = str(settings.get("prediction_type", "epsilon"))
    p, q = _clean_from(prediction, alpha, sigma)
    a = sigma_next / sigma
    b = alpha_next - a * alpha
    return _schedule(timesteps, np.ones(steps), p, q, a, b, np.zeros(steps), alpha, sigma, 1.0)


def _sigma_sampler(
    settings: Mapping[str, Any], alphas: Double, trained: int, steps: int, skip: int, sampler: str
) -> Schedule:
    """Euler and DPM-Solver++ 2M, over sigmas = sqrt((1 - alpha) / alpha)."""
    if settings.get("rescale_betas_zero_snr", False):
        alphas = np.append(alphas[:-1], _SMALLEST_ALPHA)
    euler = sampler == "euler"
    timesteps = spaced(settings, trained, steps, extra=0 if euler else 1)
    if not euler:
        timesteps = timesteps.round()
    table = np.sqrt((1 - alphas) / alphas)
    sigmas = np.interp(timesteps, np.arange(trained), table)
    if settings.get("use_karras_sigmas", False):
        # diffusers' Euler spans the sigmas of its own timesteps, its DPM-Solver++ all that were trained.
        sigmas = karras_sigmas(sigmas[::-1] if euler else table, steps)
        timesteps = timestep_of(sigmas, table)
        if not euler and settings.get("beta_schedule") != "squaredcos_cap_v2":
            timesteps = timesteps.round()
    last = table[0] if settings.get("final_sigmas_type", "zero") == "sigma_min" else 0.0
    # The schedulers keep their sigmas in single precision; so must we, to land on the same image.
    sigmas = np.append(sigmas, last).astype(np.float32).astype(np.float64)
    prediction = str(settings.get("prediction_type", "epsilon"))
    if euler:
        return _euler(settings, timesteps, sigmas, prediction)
    return _dpmpp_2m(settings, timesteps.astype(np.int64), sigmas, skip, prediction)


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
    return _schedule(timesteps, 1 / np.sqrt(variance), p, q, a, 1 - a, zeros, np.ones_like(now), now, scale)


def _dpmpp_2m(
    settings: Mapping[str, Any], timesteps: npt.NDArray[np.int64], sigmas: Double, skip: int, prediction: str
) -> Schedule:
    """Second order from the second step that is taken; first order where the schedule ends."""
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
    second_order = range(skip + 1, steps - 1 if last_is_first_order else steps)
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
    return _schedule(timesteps, np.ones(steps), p, q, a, b, c, alpha[:-1], sigma[:-1], 1.0)


def _schedule(
    timestep: npt.NDArray[Any], scale: Double, p: Double, q: Double, a: Double, b: Double, c: Double,
    signal: Double, noise: Double, initial: float,
) -> Schedule:  # fmt: skip
    """Round the tables to float32, once."""
    singles = [np.asarray(table, np.float32) for table in (timestep, scale, p, q, a, b, c, signal, noise)]
    return Schedule(*singles, initial_scale=initial)  # type: ignore[arg-type, misc]
