"""How a training uses its device: types, checkpointing, and what lies in the device's memory only while it is used."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

# Of images that go through a network in one call: two of SDXL's size take about as much memory as a training's step.
_PIXELS_AT_ONCE = 2 << 20


@dataclass(frozen=True)
class Computing:
    """How the UNet is trained on a device.

    ``dtype``: of the frozen weights; the LoRA and its optimizer's state are fp32. ``checkpointing``: of every block
    only the inputs are kept, and the rest is computed again for the gradients (arXiv 1604.06174), which saves most of
    the memory for about a third more work. ``autocast``: the LoRA's products are in ``dtype`` too. ``merged``: LoRA
    layers are computed as one matrix (:mod:`.merged_forward`).
    """

    device: torch.device
    dtype: torch.dtype
    checkpointing: bool
    autocast: bool
    merged: bool

    @classmethod
    def on(cls, device: torch.device) -> Computing:
        """What fits the device: on CUDA memory is the limit, on a CPU the time.

        CPUs have bf16 only where they multiply it natively.
        """
        if device.type == "cuda":
            return cls(device, torch.bfloat16, checkpointing=True, autocast=True, merged=False)
        native = torch.cpu._is_avx512_bf16_supported()
        dtype = torch.bfloat16 if native else torch.float32
        return cls(device, dtype, checkpointing=False, autocast=False, merged=True)


def images_at_once(width_px: int, height_px: int, most: int) -> int:
    """How many images of a size go through a network in one call: ``most``, or fewer where they are large, but one."""
    return max(min(most, _PIXELS_AT_ONCE // (width_px * height_px)), 1)


@contextmanager
def borrowed(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Have ``model`` on ``device`` within the block, and else in main memory."""
    model.to(device)
    try:
        yield
    finally:
        model.to("cpu")
        release(device)


def release(device: torch.device) -> None:
    """Give back the device memory of what nobody refers to any more; pipelines refer to themselves."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
