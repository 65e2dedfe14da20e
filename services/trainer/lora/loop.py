"""The training itself: a loop that yields its steps, so that progress, checkpoints and cancelling are the caller's.

Shapes: B rows, C channels, H × W cells, R rank.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from peft.utils import get_peft_model_state_dict
from torch import Tensor

from headshots.errors import FailedPreconditionError
from services.trainer.lora.adapted import ADAPTER, AdaptedUNet
from services.trainer.lora.batches import Batches, Material
from services.trainer.lora.data_parallel import Mates
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe
from services.trainer.run.checkpoint import Array, Snapshot

CURVE_POINTS = 200


@dataclass(frozen=True)
class Step:
    """One optimizer step that has been done. ``point`` closes a stretch of the curve: (step, mean loss)."""

    number: int
    total: int
    loss: float
    seconds: float
    point: tuple[int, float] | None


class Run:
    """A LoRA being learned on a frozen UNet. ``steps`` does the work; ``snapshot`` and ``restore`` stop time."""

    def __init__(
        self,
        adapted: AdaptedUNet,
        objective: Objective,
        material: Material,
        recipe: Recipe,
        device: torch.device,
        mates: Mates | None = None,
    ) -> None:
        """``mates``: processes that work out their share of the gradients; they have the same UNet."""
        self.unet, self._adapted, self._parameters = adapted.unet, adapted, adapted.parameters
        self._recipe, self._objective, self._conditions = recipe, objective, material.conditions
        self._mates = mates or Mates.none()
        self._mates.join(self._learned, material, objective)
        bare = partial(adapted.predict_bare, material.conditions)
        self._batches = Batches(objective, material, recipe, device, bare, (0, self._mates.count + 1))
        self._optimizer = torch.optim.AdamW(
            self._learned, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self._stretch = -(-recipe.steps // CURVE_POINTS)
        self._open_losses: list[float] = []
        self.curve: list[tuple[int, float]] = []
        self.step = 0

    def steps(self) -> Iterator[Step]:
        """Do the steps that are left, yielding after each.

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
            point = self._note(loss)
            yield Step(self.step, self._recipe.steps, loss, time.perf_counter() - begin, point)

    @property
    def _learned(self) -> list[torch.nn.Parameter]:
        return list(self._parameters.values())

    def _advance(self, number: int) -> float:
        """One optimizer step; returns its loss."""
        their_loss = self._mates.ask(number)
        rows = self._batches.step(number)
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._adapted.loss(self._conditions, self._objective, rows)
        loss.backward()  # type: ignore[no-untyped-call]
        total = loss.item() + their_loss()
        self._mates.add_gradients(self._learned)
        torch.nn.utils.clip_grad_norm_(self._learned, self._recipe.max_gradient_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate_at(number)
        self._optimizer.step()
        return total

    def _note(self, loss: float) -> tuple[int, float] | None:
        """Add to the curve; returns the point that this step closed."""
        self._open_losses.append(loss)
        if len(self._open_losses) < self._stretch and self.step < self._recipe.steps:
            return None
        return self._close()

    def _close(self) -> tuple[int, float]:
        point = (self.step, sum(self._open_losses) / len(self._open_losses))
        self.curve.append(point)
        self._open_losses = []
        return point

    def end(self) -> None:
        """No step follows: close the curve, let the mates go."""
        self._mates.close()
        if self._open_losses:
            self._close()

    def weights(self) -> dict[str, Array]:
        """The LoRA by PEFT's names within the UNet: ``….lora_A.weight`` [R, in], ``….lora_B.weight`` [out, R]."""
        state: Mapping[str, Tensor] = get_peft_model_state_dict(self.unet)
        return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in state.items()}

    def load(self, weights: Mapping[str, Array]) -> None:
        """Take up weights that :meth:`weights` once gave; the optimizer is left as it is, so no step should follow."""
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(torch.from_numpy(weights[name.replace(f".{ADAPTER}.", ".")]))

    def snapshot(self) -> Snapshot:
        """Copy what the next step depends on."""
        moments = {}
        for name, parameter in self._parameters.items():
            for kind in ("exp_avg", "exp_avg_sq"):
                if state := self._optimizer.state.get(parameter):
                    moments[f"{kind}/{name}"] = state[kind].cpu().numpy().copy()
        lora = {name: p.detach().cpu().numpy().copy() for name, p in self._parameters.items()}
        return Snapshot(self.step, lora, moments, list(self.curve), list(self._open_losses))

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from ``snapshot``, of a run with the same material and recipe."""
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(torch.from_numpy(snapshot.lora[name]))
                self._optimizer.state[parameter] = {
                    "step": torch.tensor(float(snapshot.step), device=parameter.device),
                    **{
                        kind: torch.from_numpy(snapshot.moments[f"{kind}/{name}"]).to(parameter.device)
                        for kind in ("exp_avg", "exp_avg_sq")
                    },
                }
        self.step = snapshot.step
        self.curve = list(snapshot.curve)
        self._open_losses = list(snapshot.open_losses)
