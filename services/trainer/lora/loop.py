"""The training loop, which yields its steps: progress, checkpoints and cancelling are left to the caller.

Shapes: B rows, C channels, H × W cells, R rank.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from peft.utils import get_peft_model_state_dict
from torch import Tensor

from headshots.errors import FailedPreconditionError
from services.trainer.lora.adapted import ADAPTER, AdaptedUNet
from services.trainer.lora.batches import Batches, TrainingData
from services.trainer.lora.data_parallel import DataParallelProcesses
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe

CURVE_POINTS = 200

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Step:
    """One optimizer step that was done. ``point``: a new point of the loss curve, (step, mean loss)."""

    number: int
    total: int
    loss: float
    seconds: float
    point: tuple[int, float] | None


@dataclass(frozen=True)
class LoopState:
    """The loop between two steps. With the data and the recipe it determines everything that follows."""

    step: int
    lora: dict[str, Array]
    moments: dict[str, Array]
    curve: list[tuple[int, float]]
    # Losses since the last point of the curve.
    open_losses: list[float]


class TrainingLoop:
    """Trains a LoRA on a frozen UNet. ``steps`` does the work; ``snapshot`` and ``restore`` allow resuming."""

    def __init__(
        self,
        adapted: AdaptedUNet,
        objective: Objective,
        data: TrainingData,
        recipe: Recipe,
        device: torch.device,
        parallel: DataParallelProcesses | None = None,
    ) -> None:
        """``parallel``: processes with the same UNet that compute their share of the gradients."""
        self.unet, self._adapted, self._parameters = adapted.unet, adapted, adapted.parameters
        self._recipe, self._objective, self._conditions = recipe, objective, data.conditions
        self._parallel = parallel or DataParallelProcesses.none()
        self._parallel.share(self._learned, data, objective)
        bare = partial(adapted.predict_bare, data.conditions)
        self._batches = Batches(objective, data, recipe, device, bare, (0, self._parallel.count + 1))
        self._optimizer = torch.optim.AdamW(
            self._learned, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self._steps_per_point = -(-recipe.steps // CURVE_POINTS)
        self._open_losses: list[float] = []
        self.curve: list[tuple[int, float]] = []
        self.step = 0

    def steps(self) -> Iterator[Step]:
        """Do the remaining steps, yielding after each.

        Raises:
            FailedPreconditionError: TRAINING_DIVERGED, when a loss is not finite.
        """
        while self.step < self._recipe.steps:
            begin = time.perf_counter()
            loss = self._advance(self.step + 1)
            if not np.isfinite(loss):
                raise FailedPreconditionError(
                    "TRAINING_DIVERGED",
                    f"the loss of step {self.step + 1} is {loss}; train again with a lower learning rate than "
                    f"{self._recipe.learning_rate:g}",
                )
            self.step += 1
            point = self._add_to_curve(loss)
            yield Step(self.step, self._recipe.steps, loss, time.perf_counter() - begin, point)

    @property
    def _learned(self) -> list[torch.nn.Parameter]:
        return list(self._parameters.values())

    def _advance(self, number: int) -> float:
        """One optimizer step; returns its loss."""
        other_losses = self._parallel.start_step(number)
        rows = self._batches.step(number)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._adapted.loss(self._conditions, self._objective, rows)
        loss.backward()  # type: ignore[no-untyped-call]
        total = loss.item() + other_losses()
        self._parallel.add_gradients(self._learned)
        torch.nn.utils.clip_grad_norm_(self._learned, self._recipe.max_gradient_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate_at(number)
        self._optimizer.step()
        return total

    def _add_to_curve(self, loss: float) -> tuple[int, float] | None:
        """Add a loss to the curve; returns the point that this step completed."""
        self._open_losses.append(loss)
        if len(self._open_losses) < self._steps_per_point and self.step < self._recipe.steps:
            return None
        return self._close_point()

    def _close_point(self) -> tuple[int, float]:
        point = (self.step, sum(self._open_losses) / len(self._open_losses))
        self.curve.append(point)
        self._open_losses = []
        return point

    def end(self) -> None:
        """Complete the curve and end the data-parallel processes; no step may follow."""
        self._parallel.close()
        if self._open_losses:
            self._close_point()

    def weights(self) -> dict[str, Array]:
        """The LoRA by PEFT's names within the UNet: ``….lora_A.weight`` [R, in], ``….lora_B.weight`` [out, R]."""
        state: Mapping[str, Tensor] = get_peft_model_state_dict(self.unet)
        return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in state.items()}

    def load(self, weights: Mapping[str, Array]) -> None:
        """Set the weights to earlier ones of :meth:`weights`; the optimizer is unchanged, so no step may follow."""
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(torch.from_numpy(weights[name.replace(f".{ADAPTER}.", ".")]))

    def snapshot(self) -> LoopState:
        """A copy of everything that the next step depends on."""
        moments = {}
        for name, parameter in self._parameters.items():
            for kind in ("exp_avg", "exp_avg_sq"):
                if state := self._optimizer.state.get(parameter):
                    moments[f"{kind}/{name}"] = state[kind].cpu().numpy().copy()
        lora = {name: p.detach().cpu().numpy().copy() for name, p in self._parameters.items()}
        return LoopState(self.step, lora, moments, list(self.curve), list(self._open_losses))

    def restore(self, state: LoopState) -> None:
        """Continue from ``state``, of a run with the same data and recipe."""
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(torch.from_numpy(state.lora[name]))
                self._optimizer.state[parameter] = {
                    "step": torch.tensor(float(state.step), device=parameter.device),
                    **{
                        kind: torch.from_numpy(state.moments[f"{kind}/{name}"]).to(parameter.device)
                        for kind in ("exp_avg", "exp_avg_sq")
                    },
                }
        self.step = state.step
        self.curve = list(state.curve)
        self._open_losses = list(state.open_losses)
