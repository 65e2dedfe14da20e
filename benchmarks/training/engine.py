"""Generates images with the exported engine in this process: the graph that serves, without the service around it.

Shapes: B portraits, C latent channels, H, W latent cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise, make_schedule, step_noise
from headshots.diffusion.sampling.tables import denoise

_SLOT = 1

Pixels = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Guidance:
    """How far a picture is led away from the empty prompt, and how much of the adapter its rows see."""

    scale: float
    negative_share: float = 1.0
    strength: float = 1.0


class EnginePainter:
    """One subject at a time, many portraits at once."""

    def __init__(self, foundation: Path, engines: Path, threads: int) -> None:
        """``engines``: where packages are kept; the foundation's is exported if it is not there."""
        self._package = EnginePackage.read(ensure_package(foundation, engines))
        self._backend = OnnxRuntimeBackend(self._package, OnnxRuntimeOptions(threads=threads))

    def guidance(self, with_adapter: bool) -> Guidance:
        """The package's own."""
        if with_adapter:
            package = self._package
            return Guidance(package.adapter_guidance_scale, package.negative_adapter_share, package.adapter_strength)
        return Guidance(self._package.guidance_scale)

    def paint(
        self, adapter: bytes | None, orders: Sequence[tuple[str, int]], guidance: Guidance | None = None
    ) -> list[Pixels]:
        """A picture each (prompt, seed), by the package's sampler and steps; without an adapter the bare foundation's.

        ``guidance``: the package's own by default.
        """
        package = self._package
        row = None if adapter is None else load_row(adapter, package.layout, package.foundation_digest)
        self._backend.write_slot(_SLOT, row)
        guidance = guidance or self.guidance(adapter is not None)
        at_once = max(package.max_rows // 2, 1)
        pictures: list[Pixels] = []
        for start in range(0, len(orders), at_once):
            pictures += self._some(orders[start : start + at_once], guidance)
        return pictures

    def _some(self, orders: Sequence[tuple[str, int]], guidance: Guidance) -> list[Pixels]:
        package = self._package
        factor = package.vae_scale_factor
        shape = (package.latent_channels, package.native_height_px // factor, package.native_width_px // factor)
        table = make_schedule(package.scheduler, package.sampler, package.steps, eta=package.eta)
        is_guided = table.guided(package.guidance_interval)
        noise = np.stack([initial_noise(seed, shape) for _, seed in orders])
        prompts = ["" for _ in orders] + [prompt for prompt, _ in orders]
        context = np.stack([self._backend.encode_text(prompt).context_TD for prompt in prompts])
        strengths = [guidance.strength * guidance.negative_share, guidance.strength]
        strength_B = np.repeat(np.asarray(strengths, np.float32), len(orders))

        def predict(step: int, scaled_BCHW: FloatArray) -> FloatArray:
            predicted = self._backend.unet(
                UNetBatch(
                    sample_BCHW=np.tile(scaled_BCHW, (2, 1, 1, 1)).astype(np.float32),
                    timestep_B=np.full(len(prompts), float(table.timestep[step]), np.float32),
                    context_BTD=context,
                    slot_B=np.full(len(prompts), _SLOT, np.int64),
                    strength_B=strength_B,
                )
            )
            empty, asked = np.split(predicted, 2)
            guided: FloatArray = empty + np.float32(guidance.scale) * (asked - empty) if is_guided[step] else asked
            return guided

        def draw(step: int) -> FloatArray:
            return np.stack([step_noise(seed, step, shape) for _, seed in orders])

        start_BCHW: FloatArray = noise * np.float32(table.initial_scale)
        return list(self._backend.decode(denoise(table, start_BCHW, predict, draw)))
