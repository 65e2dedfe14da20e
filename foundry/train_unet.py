"""Stage 2: trains the UNet and the text encoder together, on latents of the fixed patch code.

`python -m foundry.train_unet --work DIR --minutes 90`; resumes from `DIR/unet_checkpoint.pt`, leaves the averaged
weights in `DIR/unet.pt` and a sample sheet in `DIR/sheets/`. With `--start FOLDER` the first run goes on from a
published pipeline; with `--fresh` portraits are drawn while it trains. A run that is resumed with the same options and
a budget of steps ends with the same weights as one that was never interrupted.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from foundry.latents import CHANNELS
from foundry.model_settings import FRAMING
from foundry.models import make_text_encoder, make_unet
from foundry.optim import make_optimizers
from foundry.parallel import Ranks, run_ranks
from foundry.portraits import FRAMINGS
from foundry.progress import tqdm
from foundry.published import check_code, load_published
from foundry.training import Average, Budget, learning_rate_factor, pick_device, save_atomically, set_learning_rate
from foundry.unet.drawing import typical_traits
from foundry.unet.face_cells import channel_weights
from foundry.unet.material import Portraits, prepare, row_source
from foundry.unet.objective import Emphasis, UNetObjective
from foundry.unet.rows import Rounds
from foundry.unet.sheets import paint_sheet
from foundry.unet.truth_heads import TruthHeads


@dataclass(frozen=True)
class Settings:
    """What a run learns from and how.

    ``batch``: rows of a step, all ranks together. ``learning_rate``: the peak. ``start``: a pipeline whose weights are
    the first. ``compiled``: whether a GPU's UNet is.
    """

    portraits: Portraits
    batch: int
    learning_rate: float
    seed: int = 0
    emphasis: Emphasis = field(default_factory=Emphasis)
    start: Path | None = None
    compiled: bool = True


class UNetTrainer:
    """The models, their optimizers and average, and the step counter."""

    def __init__(self, ranks: Ranks, work: Path, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.ranks, self.work, self.settings = ranks, work, settings
        self.device = pick_device()
        self.tokenizer, self.code = prepare(work, settings.portraits)
        self.unet = make_unet(self.code.channels).to(self.device, memory_format=torch.channels_last)
        self.text = make_text_encoder(self.tokenizer).to(self.device)
        if settings.start is not None:
            check_code(settings.start, self.code)
            load_published(settings.start, self.tokenizer, self.unet, self.text)
        self.published: dict[str, nn.Module] = {"unet": self.unet, "text": self.text}
        self.average = Average(self.published)
        emphasis = settings.emphasis
        heads = TruthHeads(self.unet, len(typical_traits()[0])).to(self.device) if emphasis.truth else None
        self.models = self.published if heads is None else {**self.published, "heads": heads}
        compiled = settings.compiled and self.device.type == "cuda"
        # On CPUs the compiler did not finish within minutes; on CUDA the same code is compiled once for a whole run.
        forward: UNet2DConditionModel = torch.compile(self.unet) if compiled else self.unet
        counts = channel_weights(self.code, settings.portraits.framing, emphasis.eye_channels)
        self.objective = UNetObjective(forward, self.text, emphasis, heads, counts, self.device)
        self.parameters = [parameter for model in self.models.values() for parameter in model.parameters()]
        self.optimizers = make_optimizers(self.models.values(), settings.learning_rate, ranks)
        self.step = 0
        self.source = row_source(
            work, settings.portraits, self.tokenizer, self.code, settings.batch, settings.seed, ranks
        )

    def train_step(self, progress: float) -> tuple[float, float]:
        """One update; the loss, and the progress that the first rank sees.

        The batch depends on the seed and the step alone, so that a resumed run repeats nothing.
        """
        rows = self.source.rows(self.step)
        generator = torch.Generator().manual_seed(int(rows.rng.integers(1 << 62)) + self.ranks.rank)
        loss = self.objective.loss(rows, generator)
        torch.autograd.backward(loss)
        known = progress if self.ranks.rank == 0 else 0.0
        total, progress = self.ranks.mean_gradients(self.parameters, [loss.item(), known])
        set_learning_rate(self.optimizers, self.settings.learning_rate * learning_rate_factor(self.step, progress))
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        if self.ranks.rank == 0:
            self.average.update(self.published, self.step)
        return total / self.ranks.world, progress

    def save(self, elapsed: float) -> None:
        """The checkpoint to resume from and the averaged weights to use."""
        save_atomically(self.average.states, self.work / "unet.pt")
        state: dict[str, Any] = {
            "step": self.step,
            "elapsed": elapsed,
            "models": {name: model.state_dict() for name, model in self.models.items()},
            "average": self.average.states,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        save_atomically(state, self.work / "unet_checkpoint.pt")

    def resume(self) -> float:
        """Load the last checkpoint, if any; the seconds that it had taken.

        Raises:
            ValueError: the checkpoint's run had heads for the truth and this one has none, or the reverse.
        """
        path = self.work / "unet_checkpoint.pt"
        if not path.exists():
            return 0.0
        state = torch.load(path, map_location=self.device, weights_only=True)
        if set(state["models"]) != set(self.models):
            raise ValueError(
                f"{path} holds {', '.join(state['models'])}, this run has {', '.join(self.models)}: give it the "
                "--truth-weight of the run that it goes on with, or another --work and --start"
            )
        for name, model in self.models.items():
            model.load_state_dict(state["models"][name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.average.states = state["average"]
        self.step = state["step"]
        return float(state["elapsed"])

    def write_sheet(self) -> None:
        """Paint the fixed prompts with the averaged weights, through the linear decoder."""
        sheet = paint_sheet(self.average.states, self.tokenizer, self.code, self.device)
        folder = self.work / "sheets"
        folder.mkdir(exist_ok=True)
        sheet.save(folder / f"step_{self.step:06d}.png")


def train(trainer: UNetTrainer, budget: Budget, save_every: float, sheet_every: float) -> list[float]:
    """Run until the first rank's budget is spent; returns the losses. The two periods are in seconds."""
    losses: list[float] = []
    leads = trainer.ranks.rank == 0
    saved = drawn = time.monotonic()
    progress = budget.progress(trainer.step)
    with tqdm(desc="unet", unit="step", initial=trainer.step, mininterval=5, disable=not leads) as bar:
        while progress < 1:
            loss, progress = trainer.train_step(budget.progress(trainer.step + 1))
            losses.append(loss)
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-100:]):.4f}", refresh=False)
            if leads and time.monotonic() - saved > save_every:
                trainer.save(budget.elapsed)
                saved = time.monotonic()
            if leads and time.monotonic() - drawn > sheet_every:
                trainer.write_sheet()
                drawn = time.monotonic()
    if leads:
        trainer.save(budget.elapsed)
        trainer.write_sheet()
    return losses


def run_rank(ranks: Ranks, options: argparse.Namespace) -> None:
    """One rank's whole run."""
    trainer = UNetTrainer(ranks, options.work, settings_of(options))
    try:
        spent = trainer.resume()
        budget = Budget(None if options.minutes is None else 60 * options.minutes, options.steps, spent)
        train(trainer, budget, options.save_every, options.sheet_every)
    finally:
        trainer.source.close()


def settings_of(options: argparse.Namespace) -> Settings:
    """What the command line asks for.

    Raises:
        ValueError: options that do not go together.
    """
    rounds = Rounds(options.round_batches, options.passes) if options.fresh else None
    return Settings(
        portraits=Portraits(options.pictures, options.framing, options.channels, rounds, options.workers),
        batch=options.batch,
        learning_rate=options.lr,
        seed=options.seed,
        emphasis=Emphasis(options.face_weight, options.features_weight, options.eye_channels, options.truth_weight),
        start=options.start,
        compiled=not options.eager,
    )


def parser() -> argparse.ArgumentParser:
    """The command line's."""
    arguments = argparse.ArgumentParser(prog="python -m foundry.train_unet", description=__doc__)
    add = arguments.add_argument
    add("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    add("--pictures", type=int, default=36_000, help="kept portraits, also those that the latents' code is fitted to")
    add("--minutes", type=float, help="time budget, earlier runs included")
    add("--steps", type=int, help="step budget, earlier runs included")
    add("--batch", type=int, default=48, help="pictures a step, all ranks together")
    add("--ranks", type=int, default=1, help="processes to share a CPU's cores among")
    add("--lr", type=float, default=2e-3, help="peak learning rate")
    add("--start", type=Path, help="a pipeline's folder whose weights are the first")
    add("--seed", type=int, default=0)
    add("--save-every", type=float, default=180, help="seconds between checkpoints")
    add("--sheet-every", type=float, default=600, help="seconds between sample sheets")
    add("--fresh", action="store_true", help="learn from portraits that are drawn meanwhile, not from kept ones")
    add("--framing", default=FRAMING, choices=tuple(FRAMINGS), help="how near the camera is; with --fresh")
    add("--channels", type=int, default=CHANNELS, help="of the latents, those of --start or more; with --fresh")
    add("--eager", action="store_true", help="do not compile the UNet, which takes a GPU a minute or two")
    add("--workers", type=int, default=1, help="processes a rank that draw portraits; 0: the trainer itself does")
    add("--round-batches", type=int, default=Rounds().batches, help="batches that are drawn at once")
    add("--passes", type=int, default=Rounds().passes, help="steps that a drawn portrait is used in")
    add("--face-weight", type=float, default=0.0, help="how much more the head's cells count; with --fresh")
    add("--features-weight", type=float, default=0.0, help="how much more eyes and mouth count; with --fresh")
    add("--eye-channels", type=float, default=0.0, help="channels count by what they tell of eyes, to this power")
    add("--truth-weight", type=float, default=0.0, help="of heads that read the truth off the features; with --fresh")
    return arguments


def main() -> None:
    """Parse the command line and train."""
    options = parser().parse_args()
    if options.minutes is None and options.steps is None:
        parser().error("say --minutes, --steps or both")
    prepare(options.work, settings_of(options).portraits)
    run_ranks(options.ranks, run_rank, options)


if __name__ == "__main__":
    main()
