"""Makes the tables of samplers that step between levels of ``alphas_cumprod``: DDIM, LCM and TCD.

x lives at ``alpha * clean + sigma * noise`` with ``alpha² + sigma² = 1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.diffusion.sampling.tables import Schedule, rounded
from headshots.diffusion.sampling.timesteps import Double, spaced
from headshots.errors import InvalidArgumentError

_SIGMA_DATA = 0.5
"""Of LCM's boundary condition: its standard deviation of data."""

Steps = npt.NDArray[np.int64]


def clean_from(prediction: str, alpha: Double, sigma: Double) -> tuple[Double, Double]:
    """p and q of ``d = p x + q out`` for x = alpha d + sigma noise.

    Raises:
        InvalidArgumentError: SCHEDULER_UNSUPPORTED, for a noise that is to be found where there is nothing else.
    """
    if prediction == "epsilon":
        if not alpha.all():
            raise InvalidArgumentError(
                "SCHEDULER_UNSUPPORTED",
                "rescale_betas_zero_snr with prediction_type epsilon: noise alone has no noise to find; use a model "
                "that predicts v, or the sampler euler",
            )
        return 1 / alpha, -sigma / alpha
    return alpha, -sigma


def ddim(settings: Mapping[str, Any], alphas: Double, steps: int, eta: float) -> Schedule:
    """The noise found is put back at the previous timestep's level, a share of it drawn anew (arXiv 2010.02502)."""
    trained = len(alphas)
    timesteps = spaced(settings, trained, steps, extra=0).round().astype(np.int64)
    previous = timesteps - trained // steps
    bar = alphas[timesteps]
    bar_next = np.where(previous >= 0, alphas[previous], 1.0 if settings.get("set_alpha_to_one", True) else alphas[0])
    alpha, sigma = np.sqrt(bar), np.sqrt(1 - bar)
    fresh = eta * np.sqrt((1 - bar_next) / (1 - bar) * (1 - bar / bar_next))
    p, q = clean_from(str(settings.get("prediction_type", "epsilon")), alpha, sigma)
    a = np.sqrt(1 - bar_next - fresh**2) / sigma
    b = np.sqrt(bar_next) - a * alpha
    return rounded(
        trained=trained, timestep=timesteps, p=p, q=q, a=a, b=b, fresh=fresh, signal=alpha, noise=sigma
    )  # fmt: skip


def lcm(settings: Mapping[str, Any], alphas: Double, steps: int) -> Schedule:
    """The clean latents, noised anew to the next level (latent consistency models, arXiv 2310.04378)."""
    timesteps = _distilled(settings, len(alphas), steps)
    alpha, sigma = np.sqrt(alphas[timesteps]), np.sqrt(1 - alphas[timesteps])
    p, q = clean_from(str(settings.get("prediction_type", "epsilon")), alpha, sigma)
    scaled = timesteps * float(settings.get("timestep_scaling", 10.0))
    skip = _SIGMA_DATA**2 / (scaled**2 + _SIGMA_DATA**2)
    out = scaled / np.sqrt(scaled**2 + _SIGMA_DATA**2)
    # The last step gives the clean latents themselves.
    alpha_next, sigma_next = np.append(alpha[1:], 1.0), np.append(sigma[1:], 0.0)
    return rounded(
        trained=len(alphas), timestep=timesteps, p=p, q=q, a=alpha_next * skip, b=alpha_next * out, fresh=sigma_next,
        signal=alpha, noise=sigma,
    )  # fmt: skip


def tcd(settings: Mapping[str, Any], alphas: Double, steps: int, eta: float) -> Schedule:
    """Down to below the next level, and up to it by fresh noise (trajectory consistency, arXiv 2402.19159).

    ``eta`` is the paper's gamma: 0 draws nothing, 1 goes down to the end.
    """
    timesteps = _distilled(settings, len(alphas), steps)
    following = np.append(timesteps[1:], 0)
    # In single precision, as diffusers does.
    below = np.floor(np.float32(1 - eta) * following.astype(np.float32)).astype(np.int64)
    bar, bar_next, bar_below = alphas[timesteps], alphas[following], alphas[below]
    alpha, sigma = np.sqrt(bar), np.sqrt(1 - bar)
    p, q = clean_from(str(settings.get("prediction_type", "epsilon")), alpha, sigma)
    up = bar_next / bar_below
    a = np.sqrt((1 - bar_below) * up) / sigma
    b = np.sqrt(bar_below * up) - a * alpha
    return rounded(
        trained=len(alphas), timestep=timesteps, p=p, q=q, a=a, b=b, fresh=np.sqrt(1 - up), signal=alpha, noise=sigma
    )  # fmt: skip


def _distilled(settings: Mapping[str, Any], trained: int, steps: int) -> Steps:
    """Evenly chosen of the timesteps that the model was distilled at, from high to low.

    Raises:
        InvalidArgumentError: STEPS_INVALID.
    """
    count = int(settings.get("original_inference_steps", 50))
    if steps > count:
        raise InvalidArgumentError("STEPS_INVALID", f"{steps} steps; a distilled model's sampler takes 1 to {count}")
    taught = np.arange(1, count + 1) * (trained // count) - 1
    chosen: Steps = taught[::-1][np.floor(np.linspace(0, count, steps, endpoint=False)).astype(np.int64)]
    return chosen
