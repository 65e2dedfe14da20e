"""Serves as a team would without us: one stock ``StableDiffusionPipeline`` with PEFT, in four ways.

Every peer answers PNG files of the same images, made by the same encoder as ours, and keeps the empty prompt's
embedding, as ours does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from peft.tuners.lora import LoraLayer

from benchmarks.serving.sides.calls import Timed, noise_of, random_call
from benchmarks.serving.sides.side import Spec
from benchmarks.serving.world import Subject, Wanted
from services.generator.images import encoding


class Stock:
    """One pipeline. ``threads`` of torch."""

    def __init__(self, spec: Spec) -> None:
        torch.set_num_threads(spec.threads)
        self._world = spec.world
        self._pipeline: Any = StableDiffusionPipeline.from_pretrained(
            spec.world.foundation.path, safety_checker=None, dtype=torch.float32
        )
        self._pipeline.set_progress_bar_config(disable=True)
        with torch.inference_mode():
            self._nothing_1TD: Any = self._pipeline.encode_prompt("", "cpu", 1, False)[0]

    def load(self, subject: Subject, name: str, *, hotswap: bool = False) -> None:
        """As any user of diffusers loads a LoRA file."""
        path = subject.path
        self._pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name=name, hotswap=hotswap)

    def generate(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """One call of the pipeline, with the adapters that are active."""
        package = self._world.package
        made = self._pipeline(
            [one.prompt for one in wanted],
            negative_prompt_embeds=self._nothing_1TD.repeat(len(wanted), 1, 1),
            latents=torch.from_numpy(noise_of(wanted, package)),
            num_inference_steps=self._world.steps,
            guidance_scale=self._world.guidance,
            height=package.native_height_px,
            width=package.native_width_px,
            output_type="pil",
        ).images
        return [encoding.encode(np.asarray(image), "png") for image in made]


class Grouped(Stock):
    """(c) Every adapter in memory; requests of one subject wait for each other and go as one batch."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        for subject in spec.world.subjects:
            self.load(subject, subject.name)

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of each, all of one subject."""
        self._pipeline.set_adapters(wanted[0].subject.name)
        return self.generate(wanted)


class Preloaded(Grouped):
    """(a) Every adapter in memory, ``set_adapters`` a request."""


class Reload(Stock):
    """(b) ``load_lora_weights`` before every request and ``unload_lora_weights`` after it."""

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of each, all of one subject."""
        self.load(wanted[0].subject, "only")
        try:
            return self.generate(wanted)
        finally:
            self._pipeline.unload_lora_weights()


class Mixed(Grouped):
    """(d) Every adapter in memory; a batch of any subjects, by PEFT's ``adapter_names``."""

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of each."""
        names = [one.subject.name for one in wanted]
        # The rows of the negative prompt come first.
        with _adapters_of_rows(self._pipeline.unet, names * 2):
            return self.generate(wanted)


class Hotswap(Stock):
    """One adapter whose weights are overwritten by the next subject's, as ``hotswap=True`` does."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.load(spec.world.subjects[0], "only")

    async def cold(self, subject: Subject) -> Timed:
        """From the file to the first UNet call's prediction."""
        begin = time.perf_counter()
        self.load(subject, "only", hotswap=True)
        loaded = time.perf_counter()
        timed = await self.call(2)
        return Timed(time.perf_counter() - begin, loaded - begin, timed.prediction_BCHW)

    async def call(self, rows: int) -> Timed:
        """One UNet call."""
        call = random_call(self._world.package, rows)
        inputs = [torch.from_numpy(call[name]) for name in ("sample", "timestep", "context")]
        begin = time.perf_counter()
        with torch.inference_mode():
            prediction = self._pipeline.unet(*inputs, return_dict=False)[0].numpy()
        return Timed(time.perf_counter() - begin, 0.0, prediction)


def _inject(layer: Any, args: Any, kwargs: dict[str, Any], names: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    return args, {**kwargs, "adapter_names": names}


@contextmanager
def _adapters_of_rows(unet: torch.nn.Module, names: Sequence[str]) -> Iterator[None]:
    """Each row's adapter by name, told to every layer, as a ``PeftModel`` tells what its ``adapter_names`` says.

    diffusers puts PEFT's layers into its UNet without one.
    """
    hook = partial(_inject, names=names)
    layers = [module for module in unet.modules() if isinstance(module, LoraLayer)]
    handles = [layer.register_forward_pre_hook(hook, with_kwargs=True) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
