"""Data-parallel processes: each computes its share of every step's gradient, on a CPU of its own.

A small UNet gains nothing from threads, which synchronise at each of its thousand layers; processes synchronise once a
step. Weights and gradients lie in shared memory: the main process, which has the optimizer, changes the weights in
place between two steps, and every other process leaves its gradients where the main process reads them. A step's rows
follow from its number, so the number is all that is sent. Only the main process has the curve and writes checkpoints;
the others have no state of their own, so a resumed run needs nothing from them.

If one of the processes is lost, the main process kills itself: the service sees a killed training.
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
from headshots.processes.parent_death import end_with_parent
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import Batches, TrainingData
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import load_unet
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe

# A process takes some seconds to load: shorter runs finish sooner alone.
MIN_STEPS = 100


class DataParallelProcesses:
    """``count`` processes beside this one, which end with it. They load the UNet at once, while this one prepares."""

    def __init__(self, count: int, foundation: Path, recipe: Recipe) -> None:
        context = mp.get_context("spawn")
        self._connections: list[Connection] = []
        self._gradients: list[Tensor] = []
        self._processes: list[BaseProcess] = []
        for _ in range(count):
            connection, other_end = context.Pipe()
            arguments = (other_end, os.getpid(), str(foundation), recipe)
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            other_end.close()
            self._connections.append(connection)
            self._processes.append(process)

    @classmethod
    def for_run(cls, processes: int, foundation: Path, recipe: Recipe) -> DataParallelProcesses:
        """So many that there are ``processes`` with this one; none without a row of its own, none for a short run."""
        wanted = min(processes, recipe.batch_rows) if recipe.steps >= MIN_STEPS else 1
        return cls(wanted - 1, foundation, recipe)

    @classmethod
    def none(cls) -> DataParallelProcesses:
        """No processes: this one works alone."""
        return cls(0, Path(), Recipe())

    @property
    def count(self) -> int:
        """The number of processes beside this one."""
        return len(self._connections)

    def share(self, parameters: Sequence[torch.nn.Parameter], data: TrainingData, objective: Objective) -> None:
        """Move ``parameters`` to shared memory and send the processes what they need; create optimizers after this."""
        if not self._connections:
            return
        weights = _shared(parameters)
        for parameter, view in zip(parameters, _views(weights, parameters), strict=True):
            view.copy_(parameter.data)
            parameter.data = view
        for number, connection in enumerate(self._connections, 1):
            self._gradients.append(_shared(parameters))
            part = (number, self.count + 1)
            _send(connection, (weights, self._gradients[-1], data, objective, part))

    def start_step(self, step: int) -> Callable[[], float]:
        """Let each process work on its part of ``step``.

        Returns a function that waits until their gradients are there, and returns the sum of their losses.
        """
        for connection in self._connections:
            _send(connection, step)
        return lambda: sum(_receive(connection) for connection in self._connections)

    def add_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Add the processes' gradients to this one's, always in the same order."""
        for gradients in self._gradients:
            for parameter, view in zip(parameters, _views(gradients, parameters), strict=True):
                assert parameter.grad is not None
                parameter.grad += view

    def close(self) -> None:
        """End the processes: from now on this one works alone."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join()
        self._connections.clear()
        self._processes.clear()
        self._gradients.clear()


def _serve(connection: Connection, parent: int, path: str, recipe: Recipe) -> None:
    """Compute gradients for the main process until it is gone."""
    end_with_parent(parent, signal.SIGKILL)
    # The main process's stdout is for its events.
    os.dup2(2, 1)
    torch.set_num_threads(1)
    device = torch.device("cpu")
    foundation = Foundation.read(Path(path))
    computing = Computing.on(device)
    unet = AdaptedUNet(load_unet(foundation, computing), foundation.adapted_layers, recipe, computing)
    try:
        weights, gradients, data, objective, part = connection.recv()
        parameters = list(unet.parameters.values())
        for parameter, view in zip(parameters, _views(weights, parameters), strict=True):
            parameter.data = view
        for parameter, view in zip(parameters, _views(gradients, parameters), strict=True):
            parameter.grad = view
        conditions = data.conditions
        batches = Batches(objective, data, recipe, device, partial(unet.predict_bare, conditions), part)
        while True:
            rows = batches.step(connection.recv())
            gradients.zero_()
            loss = unet.loss(conditions, objective, rows)
            loss.backward()  # type: ignore[no-untyped-call]
            connection.send(loss.item())
    except (EOFError, BrokenPipeError):
        # Tearing torch down would only delay the end.
        os._exit(0)


def _shared(parameters: Sequence[torch.nn.Parameter]) -> Tensor:
    flat = torch.zeros(sum(parameter.numel() for parameter in parameters))
    flat.share_memory_()  # type: ignore[no-untyped-call]
    return flat


def _views(flat: Tensor, parameters: Sequence[torch.nn.Parameter]) -> list[Tensor]:
    """``flat`` split into views of the parameters' shapes."""
    pieces = torch.split(flat, [parameter.numel() for parameter in parameters])
    return [piece.view_as(parameter) for piece, parameter in zip(pieces, parameters, strict=True)]


def _send(connection: Connection, value: object) -> None:
    try:
        connection.send(value)
    except (BrokenPipeError, ConnectionResetError):
        _end_as_killed()


def _receive(connection: Connection) -> float:
    try:
        return float(connection.recv())
    except (EOFError, ConnectionResetError):
        _end_as_killed()


def _end_as_killed() -> NoReturn:
    """A process is gone, most likely killed: end this one in the same way, so that the service reports it."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
