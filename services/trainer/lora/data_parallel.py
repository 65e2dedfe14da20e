"""Processes that work out their share of every step's gradient, a core each.

A small UNet gains nothing from threads, which meet at each of its thousand layers; processes meet once a step. Weights
and gradients lie in memory that they share: the first process, which has the optimizer, changes the weights in place
between two steps, and each mate leaves its gradients where the first one reads them. A step's rows follow from its
number, so that is all a mate is told. What a run is (curve, checkpoints) is the first one's alone; a mate has nothing
that it could not make anew, so a resumed run needs nothing of it.

A mate that is lost takes the run with it: the first process ends as if it had been killed, as far as anybody can tell.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn

import torch
import torch.multiprocessing as mp
from torch import Tensor

from headshots.diffusion.foundations.foundation import Foundation
from headshots.parent_death import end_with_parent
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import Batches, Material
from services.trainer.lora.frozen import load_unet
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe

# Loading costs a mate some seconds: shorter runs are over sooner without any.
LEAST_STEPS = 100


class Mates:
    """``count`` processes, which end with this one; they load the UNet from their start on, while it prepares."""

    def __init__(self, count: int, foundation: Path, recipe: Recipe) -> None:
        context = mp.get_context("spawn")
        self._ends: list[Connection] = []
        self._gradients: list[Tensor] = []
        self._processes: list[BaseProcess] = []
        for _ in range(count):
            mine, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, os.getpid(), str(foundation), recipe), daemon=True)
            process.start()
            theirs.close()
            self._ends.append(mine)
            self._processes.append(process)

    @classmethod
    def of_run(cls, processes: int, foundation: Path, recipe: Recipe) -> Mates:
        """As many as make ``processes`` with this one, but none without a row, and none for a run of few steps."""
        wanted = min(processes, recipe.batch_rows) if recipe.steps >= LEAST_STEPS else 1
        return cls(wanted - 1, foundation, recipe)

    @classmethod
    def none(cls) -> Mates:
        """A process that has no mates."""
        return cls(0, Path(), Recipe())

    @property
    def count(self) -> int:
        """How many there are beside this process."""
        return len(self._ends)

    def join(self, parameters: Sequence[torch.nn.Parameter], material: Material, objective: Objective) -> None:
        """Share ``parameters``, which from now on lie in memory that all see; optimizers must be made after it."""
        if not self._ends:
            return
        weights = _shared(parameters)
        for parameter, view in zip(parameters, _views(weights, parameters), strict=True):
            view.copy_(parameter.data)
            parameter.data = view
        for number, end in enumerate(self._ends, 1):
            self._gradients.append(_shared(parameters))
            part = (number, self.count + 1)
            _send(end, (weights, self._gradients[-1], material, objective, part))

    def ask(self, step: int) -> Callable[[], float]:
        """Let each mate work on its part of ``step``. What is returned waits for them: the sum of their losses, and
        their gradients are there."""
        for end in self._ends:
            _send(end, step)
        return lambda: sum(_receive(end) for end in self._ends)

    def add_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Add what the mates worked out to this process's own gradients, always in the same order."""
        for gradients in self._gradients:
            for parameter, view in zip(parameters, _views(gradients, parameters), strict=True):
                assert parameter.grad is not None
                parameter.grad += view

    def close(self) -> None:
        """Let them go: from now on this process works alone."""
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.join()
        self._ends.clear()
        self._processes.clear()
        self._gradients.clear()


def _serve(end: Connection, parent: int, path: str, recipe: Recipe) -> None:
    """What a mate does until the first process is gone."""
    end_with_parent(parent, signal.SIGKILL)
    # The first process's stdout is for its events.
    os.dup2(2, 1)
    torch.set_num_threads(1)
    device = torch.device("cpu")
    foundation = Foundation.read(Path(path))
    unet = AdaptedUNet(load_unet(foundation, device), foundation.adapted_layers, recipe, device)
    try:
        weights, gradients, material, objective, part = end.recv()
        parameters = list(unet.parameters.values())
        for parameter, view in zip(parameters, _views(weights, parameters), strict=True):
            parameter.data = view
        for parameter, view in zip(parameters, _views(gradients, parameters), strict=True):
            parameter.grad = view
        conditions = material.conditions
        batches = Batches(objective, material, recipe, device, partial(unet.predict_bare, conditions), part)
        while True:
            rows = batches.step(end.recv())
            gradients.zero_()
            loss = unet.loss(conditions, objective, rows)
            loss.backward()  # type: ignore[no-untyped-call]
            end.send(loss.item())
    except (EOFError, BrokenPipeError):
        # Tearing torch down would only delay the end.
        os._exit(0)


def _shared(parameters: Sequence[torch.nn.Parameter]) -> Tensor:
    flat = torch.zeros(sum(parameter.numel() for parameter in parameters))
    flat.share_memory_()  # type: ignore[no-untyped-call]
    return flat


def _views(flat: Tensor, parameters: Sequence[torch.nn.Parameter]) -> list[Tensor]:
    """``flat`` in pieces of the parameters' shapes."""
    pieces = torch.split(flat, [parameter.numel() for parameter in parameters])
    return [piece.view_as(parameter) for piece, parameter in zip(pieces, parameters, strict=True)]


def _send(end: Connection, value: object) -> None:
    try:
        end.send(value)
    except (BrokenPipeError, ConnectionResetError):
        _lost()


def _receive(end: Connection) -> float:
    try:
        return float(end.recv())
    except (EOFError, ConnectionResetError):
        _lost()


def _lost() -> NoReturn:
    """A mate is gone, killed most likely: this process follows, and the service tells of a killed training."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
