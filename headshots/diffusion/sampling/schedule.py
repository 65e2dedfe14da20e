"""Makes samplers' tables of coefficients, and the noise that they start from and draw.

Every sampler here is linear: at step i of a request

    d  = p[i] * x + q[i] * model(input_scale[i] * x, timestep[i])     the prediction of the clean latent
    x' = a[i] * x + b[i] * d + c[i] * d_previous + fresh[i] * standard noise

so that one vectorised update serves rows of one batch at different steps of different samplers. The latents of a
source image enter before step i as ``signal[i] * its latents + noise[i] * standard noise``. The tables equal those of
diffusers' schedulers, with their ``add_noise``, made from the same ``scheduler_config.json``:

    ddim              DDIMScheduler, with its ``eta``               arXiv 2010.02502
    euler             EulerDiscreteScheduler                        arXiv 2206.00364
    euler_ancestral   EulerAncestralDiscreteScheduler               k-diffusion
    dpmpp_2m          DPMSolverMultistepScheduler, dpmsolver++      arXiv 2211.01095
    dpmpp_2m_sde      the same, sde-dpmsolver++                     arXiv 2211.01095
    lcm               LCMScheduler                                  arXiv 2310.04378
    tcd               TCDScheduler, with its ``eta``                arXiv 2402.19159
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headshots.diffusion.sampling import levels, sigmas
from headshots.diffusion.sampling.options import SAMPLERS, check_options
from headshots.diffusion.sampling.tables import FloatArray, Schedule
from headshots.diffusion.sampling.timesteps import alphas_cumprod
from headshots.errors import InvalidArgumentError


def steps_of_share(steps: int, share: float) -> int:
    """How many of ``steps`` steps are taken when only the last ``share`` of them is, as diffusers' pipelines count."""
    return min(int(steps * share), steps)


def make_schedule(
    config: Mapping[str, Any], sampler: str, steps: int, skip: int = 0, *, eta: float | None = None
) -> Schedule:
    """The tables of ``sampler`` over ``steps`` steps for a diffusers scheduler config, without the first ``skip``.

    Where steps are skipped, a noised source is what to start from: see ``signal`` and ``noise``. ``eta``: the share of
    the noise that is drawn anew, 0 to 1, by the samplers that have it; None: ddim's 0, tcd's 0.3.

    Raises:
        InvalidArgumentError: SCHEDULER_UNSUPPORTED, SAMPLER_UNKNOWN, STEPS_INVALID.
    """
    check_options(config, sampler)
    known = SAMPLERS[sampler]
    settings = {**known.defaults, **config}
    trained = int(settings.get("num_train_timesteps", 1000))
    if not 1 <= steps < trained:
        raise InvalidArgumentError("STEPS_INVALID", f"{steps} steps; use 1 to {trained - 1}")
    assert 0 <= skip < steps
    share = known.eta if eta is None else eta
    whole = _whole(settings, sampler, steps, skip, 0.0 if share is None else share)
    return whole.after(skip) if skip else whole


def _whole(settings: Mapping[str, Any], sampler: str, steps: int, skip: int, eta: float) -> Schedule:
    """All steps; ``skip``: where a multistep rule begins."""
    alphas = alphas_cumprod(settings)
    match sampler:
        case "ddim":
            return levels.ddim(settings, alphas, steps, eta)
        case "lcm":
            return levels.lcm(settings, alphas, steps)
        case "tcd":
            return levels.tcd(settings, alphas, steps, eta)
        case "euler":
            return sigmas.euler(settings, alphas, steps)
        case "euler_ancestral":
            return sigmas.euler_ancestral(settings, alphas, steps)
    return sigmas.dpmpp_2m(settings, alphas, steps, skip, sde=sampler == "dpmpp_2m_sde")


def initial_noise(seed: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal noise of a seed: ``numpy.random.RandomState(seed % 2**32).standard_normal(shape)`` as float32.

    RandomState's stream is frozen for good (NEP 19), on every platform, so a seed means the same noise in any program:
    reshape to [C, height / factor, width / factor] and hand it to a pipeline as ``latents``.
    """
    return np.random.RandomState(seed % 2**32).standard_normal(shape).astype(np.float32)


def step_noise(seed: int, step: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal noise that a step of a seed's image draws; ``step``: from 0, of those that are taken.

    ``numpy.random.RandomState(Philox(key=seed % 2**32, counter=[0, 0, 0, step + 1])).standard_normal(shape)`` as
    float32. Philox counts (Salmon et al., 2011): a step's noise depends on nothing that was drawn before, so an image
    is the same in any batch. Its streams and RandomState's are frozen, as :func:`initial_noise` needs them too.
    """
    counted = np.random.Philox(key=seed % 2**32, counter=[0, 0, 0, step + 1])
    return np.random.RandomState(counted).standard_normal(shape).astype(np.float32)
