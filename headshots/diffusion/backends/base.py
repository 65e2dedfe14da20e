"""Defines the Protocol that every backend implements.

Shapes: B rows, C latent channels, H, W latent cells, T tokens, D context width, E pooled width, S slots, P floats of an
adapter row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from headshots.diffusion.text import Context

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class UNetBatch:
    """One UNet call; all arrays float32 but ``slot_B`` (int64). The last two are SDXL's added conditions."""

    sample_BCHW: FloatArray
    timestep_B: FloatArray
    context_BTD: FloatArray
    slot_B: npt.NDArray[np.int64]
    strength_B: FloatArray
    pooled_BE: FloatArray | None = None
    time_ids_B6: FloatArray | None = None


class Backend(Protocol):
    """Networks of one package on one device, and the bank that lives there.

    ``unet`` and ``write_slot`` are called from one thread at a time; ``decode``, ``encode`` and ``encode_text`` may run
    beside them.
    """

    @property
    def name(self) -> str:
        """What runs and where, e.g. ``onnxruntime:CPUExecutionProvider``."""
        ...

    def unet(self, batch: UNetBatch) -> FloatArray:
        """The model's prediction, [B, C, H, W]."""
        ...

    def write_slot(self, slot: int, row_P: FloatArray | None) -> None:
        """Copy an adapter row into the bank; None clears the slot."""
        ...

    def decode(self, latents_BCHW: FloatArray) -> npt.NDArray[np.uint8]:
        """Pixels, [B, height, width, 3]."""
        ...

    def encode(self, pixels_BHWC: npt.NDArray[np.uint8]) -> FloatArray:
        """Latents of pictures, [B, C, height / factor, width / factor]: scaled as the UNet takes them.

        The mean of the VAE's distribution, so the same pixels are always the same latents. Heights and widths are
        multiples of the package's ``vae_scale_factor``.
        """
        ...

    def encode_text(self, prompt: str) -> Context:
        """The context of a prompt, cached."""
        ...

    def device_memory_bytes(self) -> int:
        """Bytes that the bank and the networks' weights take on the device."""
        ...
