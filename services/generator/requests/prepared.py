"""What a request has in memory before it can start.

Shapes: C latent channels, H, W latent cells, P floats of an adapter row.
"""

from __future__ import annotations

from dataclasses import dataclass

from headshots.diffusion.backends.base import FloatArray
from headshots.diffusion.sampling.schedule import Schedule
from headshots.diffusion.text import Context
from services.generator.requests.source_images import SourcePixels


@dataclass(frozen=True, eq=False)
class SourceLatents:
    """The latents of a source image.

    ``mask_HW``: 1 where they are repainted, 0 where they are kept; None: everywhere. ``starts_from_noise``: the image
    starts from noise alone, as inpainting pipelines do when every step is taken.
    """

    latents_CHW: FloatArray
    mask_HW: FloatArray | None
    starts_from_noise: bool


@dataclass(frozen=True)
class DenoisingInputs:
    """What does not change while an image is denoised. ``negative`` is None without guidance.

    ``strengths``: the adapter's, one a row.
    """

    schedule: Schedule
    guidance: float
    strengths: tuple[float, ...]
    positive: Context
    negative: Context | None
    time_ids: tuple[float, ...] | None = None
    source: SourceLatents | None = None

    @property
    def contexts(self) -> list[Context]:
        """One a row: the negative prompt's first, as in diffusers."""
        return [self.positive] if self.negative is None else [self.negative, self.positive]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a request needs in memory before it can start.

    Attributes:
        inputs: of every image.
        row_P: the adapter's; None generates with the bare foundation.
        source: the source image's pixels, for those that its mask keeps.
    """

    inputs: DenoisingInputs
    row_P: FloatArray | None
    source: SourcePixels | None
