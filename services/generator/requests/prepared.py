"""What a request has in memory before it can start.

Shapes: C latent channels, H, W latent cells, P floats of an adapter row.
"""

from __future__ import annotations

from dataclasses import dataclass

from headshots.diffusion.backends.base import FloatArray
from headshots.diffusion.sampling.tables import Schedule
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
    """What does not change while an image is denoised.

    Attributes:
        schedule: of the steps that are taken.
        guided: for each of them whether it has guidance.
        guidance: its scale.
        positive, negative: contexts of the prompts; no negative one where no step has guidance.
        strength, negative_strength: of the adapter, where each is seen.
        time_ids: SDXL's sizes.
        source: what is painted over.
    """

    schedule: Schedule
    guided: tuple[bool, ...]
    guidance: float
    positive: Context
    negative: Context | None
    strength: float
    negative_strength: float
    time_ids: tuple[float, ...] | None = None
    source: SourceLatents | None = None

    def rows(self, step: int) -> list[tuple[Context, float]]:
        """Context and strength of each row of a step: the negative prompt's first, as in diffusers."""
        asked = (self.positive, self.strength)
        if not self.guided[step]:
            return [asked]
        assert self.negative is not None, "it is encoded for those steps"
        return [(self.negative, self.negative_strength), asked]


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
