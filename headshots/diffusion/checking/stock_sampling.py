"""Makes stock diffusers sample as it is asked to: by which scheduler, with whose noise, guided at which steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import diffusers
import torch
from torch.overrides import TorchFunctionMode

from headshots.diffusion.sampling.options import SAMPLERS
from headshots.diffusion.sampling.schedule import step_noise

Draw = Callable[[int, tuple[int, ...]], torch.Tensor]
"""The noise of the n-th draw, of a shape."""


def scheduler_for(sampler: str, config: Mapping[str, Any]) -> Any:
    """diffusers' own scheduler for a sampler, from a ``scheduler_config.json``."""
    known = SAMPLERS[sampler]
    told: dict[str, Any] = {"algorithm_type": known.algorithm_types[0]} if known.algorithm_types else {}
    # DDIM's class alone would clip latents where nothing is said, which have no bounds to clip to.
    if "clip_sample" in known.only and "clip_sample" not in config:
        told["clip_sample"] = False
    return getattr(diffusers, known.scheduler).from_config({**config, **told})


class InjectedNoise(TorchFunctionMode):
    """What torch draws within is ``draw(0)``, ``draw(1)`` … instead, as schedulers draw once a step."""

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        self._draw, self.drawn = draw, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not torch.randn:
            return func(*args, **(kwargs or {}))
        noise = self._draw(self.drawn, tuple(args[0]))
        self.drawn += 1
        return noise


def noise_of(seed: int) -> Draw:
    """What the engine draws at the steps of a seed's image; a batch of one."""
    return lambda step, shape: torch.from_numpy(step_noise(seed, step, shape))


def guide_within(pipeline: Any, interval: tuple[float, float]) -> Callable[..., dict[str, Any]]:
    """Let a pipeline's guidance be 1 at steps outside of the interval of the noise schedule.

    Returns what it must be given as ``callback_on_step_end``, for one call.
    """
    low, high = interval
    done = 0

    class Guided(type(pipeline)):  # type: ignore[misc]
        @property
        def guidance_scale(self) -> float:
            last = self.scheduler.config.num_train_timesteps - 1
            place = float(self.scheduler.timesteps[done]) / last
            return float(self._guidance_scale) if low <= place <= high else 1.0

    pipeline.__class__ = Guided

    def count(_: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        nonlocal done
        done += 1
        return tensors

    return count
