"""Defines what is painted by both sides, and what each remembers of it, stage by stage.

Shapes: C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headshots.diffusion.foundations.foundation import Foundation

FloatArray = npt.NDArray[np.float32]

ADAPTERS = ("bare", "adapter")
"""Each side paints without an adapter, and with a random one."""
SEED = 20_261
RANK = 4
"""Of the random adapter."""
_SCENE = {
    "outfit": "navy suit",
    "backdrop": "plain grey backdrop",
    "lighting": "soft studio lighting",
    "framing": "headshot",
}


@dataclass(frozen=True)
class Task:
    """What a side is to paint.

    Attributes:
        foundation, package: folders.
        provider, device: what the engine runs on, as the generator's settings name it.
        steps: of the sampler.
        work: a folder that both sides share.
    """

    foundation: str
    package: str
    provider: str
    device: int
    steps: int
    work: str

    def to_json(self) -> str:
        """For the command line of a side's process."""
        return json.dumps(asdict(self))

    @property
    def lora(self) -> Path:
        """The file of the random adapter, which the engine's side writes."""
        return Path(self.work) / "adapter.safetensors"

    def stages(self, side: str, adapter: str) -> Path:
        """The file of what a side remembers."""
        return Path(self.work) / f"{side}-{adapter}.npz"

    def decoded(self, adapter: str) -> Path:
        """The file of what stock's decoder makes of the engine's last latents."""
        return Path(self.work) / f"decoded-{adapter}.npy"


@dataclass(frozen=True)
class Stages:
    """What is compared: the positive prompt's context, the first call's prediction, the last latents, the pixels."""

    context_TD: FloatArray
    first_2CHW: FloatArray
    latents_CHW: FloatArray
    pixels_HWC: npt.NDArray[np.uint8]

    def save(self, path: Path) -> None:
        """Write the file."""
        np.savez(path, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def load(cls, path: Path) -> Stages:
        """Inverse of :meth:`save`."""
        with np.load(path) as file:
            return cls(**{name: file[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class SideFacts:
    """What a side tells of itself.

    Attributes:
        name: what ran, and where.
        seconds: of each painting, in the order of :data:`ADAPTERS`; a painting of one step came before.
        peak_bytes: the most memory that its process had.
        device_bytes: of weights and bank on the device; of stock diffusers what its GPU had at most, or 0.
        nodes: of the UNet's graph, by the provider that they were given to; empty where nothing tells.
    """

    name: str
    seconds: Sequence[float]
    peak_bytes: int
    device_bytes: int
    nodes: dict[str, int]


def prompt_of(foundation: Foundation) -> str:
    """Always the same, in the foundation's own template."""
    return foundation.prompt_template.format(subject=f"{foundation.trigger} {foundation.class_nouns[0]}", **_SCENE)


def guidance_of(foundation: Foundation, adapter: str) -> float:
    """The foundation's own, and at least so much that the negative prompt has a row of its own."""
    asked = foundation.adapter_guidance_scale if adapter == "adapter" else foundation.guidance_scale
    return max(asked, 1.5)
