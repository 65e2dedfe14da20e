"""Holds what all training stages share: a budget, a schedule over it, an average of the weights, checkpoints."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn


@dataclass
class Budget:
    """Stops a stage at a number of seconds or of steps, whichever comes first; either may be None, not both."""

    seconds: float | None
    steps: int | None
    spent: float = 0.0  # by earlier runs of the same stage
    _started: float | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.steps is None:
            raise ValueError("a budget needs seconds or steps")

    @property
    def elapsed(self) -> float:
        """Seconds spent, earlier runs included; the clock starts when first asked."""
        if self._started is None:
            self._started = time.monotonic()
        return self.spent + time.monotonic() - self._started

    def progress(self, step: int) -> float:
        """The share used, 0..1."""
        shares = [0.0]
        if self.seconds is not None:
            shares.append(self.elapsed / self.seconds if self.seconds else 1.0)
        if self.steps is not None:
            shares.append(step / self.steps if self.steps else 1.0)
        return min(max(shares), 1.0)


def learning_rate_factor(step: int, progress: float, warmup: int = 100, decay_from: float = 0.6) -> float:
    """Warm-up by steps, constant, then linear to zero over the budget's last part."""
    return min((step + 1) / warmup, 1.0, (1 - progress) / (1 - decay_from))


class Average:
    """Exponential moving average of several models' floating-point state."""

    def __init__(self, models: dict[str, nn.Module], decay: float = 0.999) -> None:
        self.decay = decay
        self.states = {
            name: {key: value.clone() for key, value in m.state_dict().items()} for name, m in models.items()
        }

    @torch.no_grad()
    def update(self, models: dict[str, nn.Module], step: int) -> None:
        """Follow the models; a young average follows faster, so that it is never dominated by the start."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, model in models.items():
            kept, fresh = [], []
            for key, value in model.state_dict().items():
                if value.is_floating_point():
                    kept.append(self.states[name][key])
                    fresh.append(value)
            torch._foreach_lerp_(kept, fresh, 1 - decay)


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """A reader, or a run killed while writing, never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def set_learning_rate(optimizers: Iterable[torch.optim.Optimizer], lr: float) -> None:
    """The same rate for every group."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr


def pick_device() -> torch.device:
    """CUDA where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
