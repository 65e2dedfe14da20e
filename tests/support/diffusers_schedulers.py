"""Schedulers of diffusers, the truth that sampler tables are held against: in double precision, our noise injected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    TCDScheduler,
)
from torch.overrides import TorchFunctionMode

CLASSES: Mapping[str, Any] = {
    "ddim": DDIMScheduler,
    "euler": EulerDiscreteScheduler,
    "euler_ancestral": EulerAncestralDiscreteScheduler,
    "dpmpp_2m": DPMSolverMultistepScheduler,
    "dpmpp_2m_sde": DPMSolverMultistepScheduler,
    "lcm": LCMScheduler,
    "tcd": TCDScheduler,
}
"""Of each sampler."""
DRAWING = ("euler_ancestral", "dpmpp_2m_sde", "lcm", "tcd")
"""Samplers whose steps draw noise."""


def scheduler_for(sampler: str, config: Mapping[str, Any]) -> Any:
    """diffusers' scheduler of a configuration. DDIM's class alone would clip latents where nothing is said."""
    kind = {"dpmpp_2m": "dpmsolver++", "dpmpp_2m_sde": "sde-dpmsolver++"}.get(sampler)
    told = {"algorithm_type": kind} if kind else {"clip_sample": False} if sampler == "ddim" else {}
    return CLASSES[sampler].from_config({**config, **told})


class InjectedNoise(TorchFunctionMode):
    """What torch draws within is ``draw(0)``, ``draw(1)`` … instead, each call's shape for shape.

    With ``double`` nothing is rounded to single precision meanwhile: schedulers that add and take away sigmas of
    thousands would lose the digits that are to be compared.
    """

    def __init__(self, draw: Callable[[int, tuple[int, ...]], torch.Tensor], *, double: bool = False) -> None:
        super().__init__()
        self._draw, self._double, self.drawn = draw, double, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if func is torch.randn:
            noise = self._draw(self.drawn, tuple(args[0]))
            self.drawn += 1
            return noise
        if self._double and func is torch.Tensor.to and torch.float32 in (*args, *given.values()):
            return args[0] if args[0].dtype is torch.float64 else func(*args, **given)
        return func(*args, **given)
