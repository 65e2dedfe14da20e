"""Defines what an engine package is made for, and checks it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from headshots.diffusion.foundations.files import SETTINGS, read_json, short
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.tensorrt.rtx.targets import check_targets
from headshots.errors import InvalidArgumentError

DEFAULT_MAX_RANK = 16
DEFAULT_BUILD_MEMORY_GB = 12.0
LARGEST_SIDE_PX = 4096
_SIZE = re.compile(r"^(\d+)x(\d+)$")

Progress = Callable[[str, float], None]
"""Called with what is being done now and the share done, 0 to 1."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class ExportOptions:
    """What an engine is made for.

    Attributes:
        max_rank: largest LoRA rank that fits; 0 takes the foundation's training recipe's, else 16. Every call pays
            for it, so no more than is needed.
        slots: S of the bank, slot 0 (the bare foundation) included; 2 to 1024.
        max_rows: rows a UNet call takes at most, 2 to 256 (an image with guidance takes two).
        precision: ``fp32`` or ``fp16``; the UNet's, which is where the time goes. In fp16 its normalisations and
            timestep embedding stay fp32, as do the text encoders (cached) and the VAE (which overflows in fp16).
        sizes: widths and heights in pixels that the package is for, the first of them what TensorRT tunes for. The
            engine takes any width and any height from the smallest to the largest of them. Empty: the native size, and
            on the CPU and on CUDA, which need no profiles, any other up to twice as large.
        tensorrt_rtx: GPUs that engines of TensorRT for RTX are built for, as ``sm89``; empty: none are built.
        build_memory_gb: gigabytes (10⁹ bytes) that the process which builds engines may take. The package is the same.
    """

    max_rank: int = 0
    slots: int = 16
    max_rows: int = 16
    precision: str = "fp32"
    sizes: tuple[Size, ...] = ()
    tensorrt_rtx: tuple[str, ...] = ()
    build_memory_gb: float = DEFAULT_BUILD_MEMORY_GB

    def resolved(self, foundation: Foundation) -> ExportOptions:
        """With ``max_rank`` filled in, and checked.

        Raises:
            InvalidArgumentError: EXPORT_OPTIONS_INVALID; FOUNDATION_SETTINGS_INVALID (a rank that is no number, or a
                native size that no image can have), FOUNDATION_INVALID.
        """
        rank = self.max_rank or _rank_of(foundation)
        limits = ((rank, 1, 128, "max_rank"), (self.slots, 2, 1024, "slots"), (self.max_rows, 2, 256, "max_rows"))
        for value, low, high, name in limits:
            if not low <= value <= high:
                raise _invalid(f"{name}={value}; use {low} to {high}")
        if self.precision not in ("fp32", "fp16"):
            raise _invalid(f"precision {self.precision!r}; use fp32 or fp16")
        # Lists where they come from JSON.
        sizes = tuple((int(width), int(height)) for width, height in self.sizes)
        multiple = size_multiple_px(foundation)
        native = foundation.native_width_px, foundation.native_height_px
        if any(side % multiple for side in native):
            raise _unsettled(foundation, f"{native[0]}x{native[1]} pixels; multiples of {multiple} are needed")
        for size in sizes:
            if any(side % multiple or not multiple <= side <= LARGEST_SIDE_PX for side in size):
                raise _invalid(
                    f"size {size[0]}x{size[1]}; use multiples of {multiple} from {multiple} to {LARGEST_SIDE_PX}"
                )
        if not 0 < self.build_memory_gb < math.inf:
            raise _invalid(f"build_memory_gb={self.build_memory_gb}; use a finite number above 0")
        return replace(self, max_rank=rank, sizes=sizes, tensorrt_rtx=check_targets(self.tensorrt_rtx))


def size_multiple_px(foundation: Foundation) -> int:
    """What widths and heights are multiples of: a latent cell for each of the UNet's halvings.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID.
    """
    config = read_json(foundation.path / "unet" / "config.json", "block_out_channels")
    multiple: int = foundation.vae_scale_factor * 2 ** (len(config["block_out_channels"]) - 1)
    return multiple


def parse_sizes(text: str) -> tuple[Size, ...]:
    """``512x512,512x768`` to widths and heights; nothing to none.

    Raises:
        InvalidArgumentError: EXPORT_OPTIONS_INVALID.
    """
    return tuple(_parse_size(part.strip()) for part in text.split(",") if part.strip())


def _parse_size(text: str) -> Size:
    found = _SIZE.match(text.lower())
    if found is None:
        raise _invalid(f"size {text!r}; write WIDTHxHEIGHT in pixels, as in 512x768")
    return int(found[1]), int(found[2])


def _rank_of(foundation: Foundation) -> int:
    """The rank of the foundation's recipe."""
    told = foundation.training.get("rank", DEFAULT_MAX_RANK)
    try:
        return int(told)
    except (TypeError, ValueError, OverflowError) as error:
        raise _unsettled(foundation, f"training.rank is {short(told)}; a number is needed") from error


def _unsettled(foundation: Foundation, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_SETTINGS_INVALID", f"{foundation.path / SETTINGS}: {why}")


def _invalid(why: str) -> InvalidArgumentError:
    return InvalidArgumentError("EXPORT_OPTIONS_INVALID", why)
