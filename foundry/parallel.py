"""Runs data-parallel ranks on one machine: a process a core, which meet once a step.

Two threads inside one process meet thousands of times a step; as soon as another program takes one core for a time
slice, the other thread waits at every meeting (measured: 1.3 steps a second alone, 0.18 beside one busy process).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from headshots.processes.parent_death import end_with_parent


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process's number among `world` equal ones; a world of one needs no messages."""

    rank: int = 0
    world: int = 1

    def sum_flat(self, flat: Tensor) -> None:
        """Add up `flat` over all ranks, in place."""
        if self.world > 1:
            dist.all_reduce(flat)

    def mean_gradients(self, parameters: Sequence[Tensor], extras: Sequence[float]) -> list[float]:
        """Average every parameter's gradient over the ranks, in place, and sum the extra numbers."""
        if self.world == 1:
            return list(extras)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([*[gradient.flatten() for gradient in gradients], torch.tensor(extras)])
        self.sum_flat(flat)
        *parts, sums = torch.split(flat, [*[gradient.numel() for gradient in gradients], len(extras)])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient) / self.world)
        return [float(value) for value in sums]


def run_ranks(world: int, work: Callable[..., None], *arguments: Any) -> None:
    """Call `work(ranks, *arguments)` in `world` processes of one thread each, or right here if there is only one."""
    if world == 1:
        work(Ranks(), *arguments)
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spawn(_enter, (world, port, os.getpid(), work, arguments), nprocs=world)  # type: ignore[no-untyped-call]


def _enter(
    rank: int, world: int, port: int, parent: int, work: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    # A rank that outlived its parent would train on, and write over the checkpoints of the next run.
    end_with_parent(parent)
    torch.set_num_threads(max((os.cpu_count() or 1) // world, 1))
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    work(Ranks(rank, world), *arguments)
    dist.destroy_process_group()
