"""Steps, averages, saves and resumes the training of one net; what it learns and from what is a `Stage`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from foundry.optim import make_optimizers
from foundry.progress import tqdm
from foundry.training import Average, Budget, learning_rate_factor, save_atomically, set_learning_rate

SAVE_EVERY_SECONDS = 60.0


class Stage(Protocol):
    """What one net learns and from what."""

    name: str
    learning_rate: float
    models: dict[str, nn.Module]  # by name; the first is the net, others only help it to learn

    def loss(self, step: int) -> Tensor:
        """The loss on the pictures of step number `step`."""
        ...


class Trainer:
    """Steps, averages, saves and resumes one stage."""

    def __init__(self, stage: Stage, work: Path, of: str = "analyzer") -> None:
        self.stage = stage
        self.path = work / f"{of}_{stage.name}.pt"
        self.optimizers = make_optimizers(stage.models.values(), stage.learning_rate)
        self.average = Average(stage.models, decay=0.995)
        self.step = 0
        self.spent = 0.0

    def resume(self) -> bool:
        """Take up the checkpoint in the work folder, if there is one."""
        if not self.path.exists():
            return False
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, model in self.stage.models.items():
            model.load_state_dict(state["models"][name])
            for key, value in state["average"][name].items():
                self.average.states[name][key].copy_(value)
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.spent = state["step"], state["spent"]
        return True

    def save(self, spent: float) -> None:
        """Write all that `resume` needs."""
        state: dict[str, Any] = {
            "models": {name: model.state_dict() for name, model in self.stage.models.items()},
            "average": self.average.states,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "spent": spent,
        }
        save_atomically(state, self.path)

    def take_step(self, progress: float) -> float:
        """One update; returns its loss."""
        rate = self.stage.learning_rate * learning_rate_factor(self.step, progress, warmup=50, decay_from=0.3)
        set_learning_rate(self.optimizers, rate)
        loss = self.stage.loss(self.step)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.stage.models, self.step)
        self.step += 1
        return float(loss.item())


def train(trainer: Trainer, budget: Budget, save_every: float = SAVE_EVERY_SECONDS) -> list[float]:
    """Train until the budget is spent; returns each step's loss and leaves a checkpoint."""
    for model in trainer.stage.models.values():
        model.train()
    budget.spent = trainer.spent
    losses = []
    saved = time.monotonic()
    with tqdm(desc=trainer.stage.name, unit="step", mininterval=5, initial=trainer.step) as bar:
        while (progress := budget.progress(trainer.step)) < 1:
            losses.append(trainer.take_step(progress))
            bar.update()
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
            if time.monotonic() - saved > save_every:
                trainer.save(budget.elapsed)
                saved = time.monotonic()
    trainer.spent = budget.elapsed
    trainer.save(trainer.spent)
    return losses


def load_average(model: nn.Module, work: Path, stage: str, of: str = "analyzer") -> None:
    """The averaged weights of a stage's checkpoint, ready to answer."""
    state = torch.load(work / f"{of}_{stage}.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["average"][stage])
    model.eval()
