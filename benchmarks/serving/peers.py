"""Serves as a team would without us: one stock ``StableDiffusionPipeline`` with PEFT, in three ways.

Every peer answers PNG files of the same images, made by the same encoder as ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from benchmarks.serving.world import Subject, Wanted, World, grouped
from headshots.diffusion.sampling.schedule import initial_noise
from services.generator.images import encoding


class Peer:
    """Serves one request after the other. ``threads``: of torch, set before each image."""

    name: str

    def __init__(self, world: World) -> None:
        self._world = world
        self._pipeline: Any = StableDiffusionPipeline.from_pretrained(
            world.foundation.path, safety_checker=None, dtype=torch.float32
        )
        self._pipeline.set_progress_bar_config(disable=True)
        self.threads = torch.get_num_threads()

    def paint(self, wanted: Wanted) -> bytes:
        """The PNG of one image."""
        raise NotImplementedError

    def paint_all(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of every image, in order."""
        return [self.paint(one) for one in wanted]

    def _call(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """One call of the pipeline for images of one subject, whose adapter is active."""
        world = self._world
        torch.set_num_threads(self.threads)
        cells = (world.package.native_height_px, world.package.native_width_px)
        shape = (world.package.latent_channels, *(side // world.package.vae_scale_factor for side in cells))
        noise = np.stack([initial_noise(one.seed, shape) for one in wanted])
        made = self._pipeline(
            [one.prompt for one in wanted],
            latents=torch.from_numpy(noise),
            num_inference_steps=world.steps,
            guidance_scale=world.guidance,
            height=cells[0],
            width=cells[1],
            output_type="pil",
        ).images
        return [encoding.encode(np.asarray(image), "png") for image in made]


class Preloaded(Peer):
    """(a) Every adapter in memory, ``set_adapters`` a request."""

    name = "preloaded"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        for subject in world.subjects:
            load(self._pipeline, subject.path, subject.name)

    def paint(self, wanted: Wanted) -> bytes:
        self._pipeline.set_adapters(wanted.subject.name)
        return self._call([wanted])[0]


class Grouped(Preloaded):
    """(c) As (a), but requests of one subject wait for each other and go as one batch."""

    name = "grouped"

    def paint_all(self, wanted: Sequence[Wanted]) -> list[bytes]:
        found: dict[int, bytes] = {}
        for places in grouped(wanted):
            self._pipeline.set_adapters(wanted[places[0]].subject.name)
            found.update(zip(places, self._call([wanted[place] for place in places]), strict=True))
        return [found[place] for place in range(len(wanted))]


class Reload(Peer):
    """(b) ``load_lora_weights`` before every request and ``unload_lora_weights`` after it."""

    name = "reload"

    def paint(self, wanted: Wanted) -> bytes:
        self.load(wanted.subject)
        try:
            return self._call([wanted])[0]
        finally:
            self.unload()

    def load(self, subject: Subject) -> None:
        """Load one adapter, active at once."""
        load(self._pipeline, subject.path, "only")

    def unload(self) -> None:
        """Forget it."""
        self._pipeline.unload_lora_weights()


def load(pipeline: Any, path: Path, name: str) -> None:
    """As any user of diffusers loads a LoRA file."""
    pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name=name)
