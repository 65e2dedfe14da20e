"""Trains the bundled analyzer's two nets on renders of training people only.

`python -m foundry.train_analyzer --work DIR --embedder-minutes 20 --detector-minutes 12` trains both and writes
`models/portrait-analyzer`; run again with more minutes (or `--embedder-steps`, `--detector-steps`), it goes on from its
checkpoints. Every step's pictures follow from the seed and the step's number alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from foundry.optim import make_optimizers
from foundry.progress import tqdm
from foundry.training import Average, Budget, learning_rate_factor, pick_device, save_atomically, set_learning_rate

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

    def __init__(self, stage: Stage, work: Path) -> None:
        self.stage = stage
        self.path = work / f"analyzer_{stage.name}.pt"
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


def stages(work: Path, pictures: int, scenes: int, seed: int) -> dict[str, Callable[[], Stage]]:
    """How to set up each stage, in the order of training."""
    from foundry.analyzer_detecting import DetectorStage
    from foundry.analyzer_embedding import EmbedderStage

    device = pick_device()
    return {
        "embedder": lambda: EmbedderStage(work, pictures, seed=seed, device=device),
        "detector": lambda: DetectorStage(work, scenes, seed=seed, device=device),
    }


def main() -> None:
    """Parse the command line, train both nets and export them."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_analyzer", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    parser.add_argument("--pictures", type=int, default=36_000, help="pictures that the embedder learns from")
    parser.add_argument("--scenes", type=int, default=6_000, help="rendered people that the detector learns from")
    parser.add_argument("--embedder-minutes", type=float, default=20, help="0 keeps its checkpoint as it is")
    parser.add_argument("--detector-minutes", type=float, default=12, help="0 keeps its checkpoint as it is")
    parser.add_argument("--embedder-steps", type=int, help="stop at so many steps, or before by the minutes")
    parser.add_argument("--detector-steps", type=int, help="the same for the detector")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--out", type=Path, help="the analyzer's folder to write; by default none is written")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name, make in stages(options.work, options.pictures, options.scenes, options.seed).items():
        minutes = getattr(options, f"{name}_minutes")
        if not minutes:
            continue
        trainer = Trainer(make(), options.work)
        trainer.resume()
        train(trainer, Budget(60 * minutes, getattr(options, f"{name}_steps")))
    if options.out:
        from foundry.export_analyzer import export_analyzer

        export_analyzer(options.work, options.out)


if __name__ == "__main__":
    main()
