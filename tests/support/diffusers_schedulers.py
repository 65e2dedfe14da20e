"""Schedulers of diffusers, the truth that sampler tables are held against: in double precision."""

from __future__ import annotations

from typing import Any

import torch

from headshots.diffusion.checking.stock_sampling import InjectedNoise

DRAWING = ("euler_ancestral", "dpmpp_2m_sde", "lcm", "tcd")
"""Samplers whose steps draw noise."""


class InDouble(InjectedNoise):
    """Nothing is rounded to single precision, besides what is drawn.

    Schedulers that add and take away sigmas of thousands would lose the digits that are to be compared.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        to_single = func is torch.Tensor.to and torch.float32 in (*args, *given.values())
        if to_single and args[0].dtype is torch.float64:
            return args[0]
        return super().__torch_function__(func, types, args, given)
