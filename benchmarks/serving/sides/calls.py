"""Makes what UNets are called with, the same for all sides.

B rows, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from benchmarks.serving.world import Wanted
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Timed:
    """A UNet call after a load.

    Attributes:
        seconds: of both.
        load_seconds: of the load alone.
        prediction_BCHW: what came out.
    """

    seconds: float
    load_seconds: float
    prediction_BCHW: npt.NDArray[np.float32]


def latent_shape(package: EnginePackage) -> tuple[int, int, int]:
    """[C, H, W] at the native size."""
    factor = package.vae_scale_factor
    return package.latent_channels, package.native_height_px // factor, package.native_width_px // factor


def noise_of(wanted: Sequence[Wanted], package: EnginePackage) -> npt.NDArray[np.float32]:
    """What the images start from, [B, C, H, W]."""
    return np.stack([initial_noise(one.seed, latent_shape(package)) for one in wanted])


def random_call(package: EnginePackage, rows: int = 2) -> Arrays:
    """Random inputs of a UNet call at the native size: sample, timestep and context."""
    random = np.random.default_rng(rows)
    tokens = package.text_encoders[0].max_tokens
    return {
        "sample": random.standard_normal((rows, *latent_shape(package)), dtype=np.float32),
        "timestep": random.integers(0, 1000, rows).astype(np.float32),
        "context": random.standard_normal((rows, tokens, package.context_width), dtype=np.float32),
    }


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)
