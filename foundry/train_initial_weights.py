"""Stage 6: trains the initial weights of adapters.

`python -m foundry.train_initial_weights --model models/tiny-portrait --minutes 60`

Reptile (arXiv 1803.02999): again and again an adapter learns a training person for a few dozen steps, and the initial
weights move a share of the way to where that led. Steps on selfies, as the trainer makes them, alternate with steps on
the person's true portraits: so weights are found from which selfies lead to portraits.

Resumes from `DIR/start_checkpoint.pt`, leaves `adapter_start.safetensors` in the model's folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft.utils import get_peft_model_state_dict
from torch import Tensor

from foundry.framing import framing_of
from foundry.initial_weights_people import People, Person
from foundry.parallel import Ranks, run_ranks
from foundry.progress import tqdm
from foundry.training import Budget, save_atomically
from headshots.diffusion.foundations.files import INITIAL_WEIGHTS
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.lora.files import DIGEST_KEY, LoraPair, pairs_of_peft, write_diffusers_lora
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import load_unet
from services.trainer.lora.recipe import Recipe

# Of a person, and its learning rate.
STEPS, LEARNING_RATE = 60, 3e-3
# How far the initial weights move at first, until which share of the budget; then linearly down to the last.
MOVE, MOVE_UNTIL, LAST_MOVE = 0.3, 0.4, 0.03
_SAVE_SECONDS = 120.0


class Learner:
    """An adapter that learns one person after the other, each from the initial weights as they are by then."""

    def __init__(self, foundation: Foundation, digest: str, rank: int) -> None:
        """``rank``: which of the processes this is; every one learns other people."""
        computing, recipe = Computing.on(torch.device("cpu")), Recipe.resolve(foundation)
        self._adapted = AdaptedUNet(load_unet(foundation, computing), foundation.adapted_layers, recipe, computing)
        if foundation.initial_weights is not None:
            self._adapted.load_initial_weights(foundation.initial_weights, digest)
        self._learned = list(self._adapted.parameters.values())
        self._sizes = [parameter.numel() for parameter in self._learned]
        self._optimizer = torch.optim.Adam(self._learned, lr=LEARNING_RATE)
        self._people = People(foundation, self._adapted, recipe)
        self._recipe, self._rank = recipe, rank

    @property
    def flat(self) -> Tensor:
        """All weights, one after the other."""
        return torch.cat([parameter.detach().flatten() for parameter in self._learned])

    @torch.no_grad()
    def put(self, flat: Tensor) -> None:
        """Inverse of :attr:`flat`."""
        for parameter, part in zip(self._learned, torch.split(flat, self._sizes), strict=True):
            parameter.copy_(part.view_as(parameter))

    @property
    def moments(self) -> dict[str, Any]:
        """The optimizer's state, kept from person to person: the second moments are much the same for all people."""
        return self._optimizer.state_dict()

    def put_moments(self, moments: dict[str, Any]) -> None:
        """Inverse of :attr:`moments`."""
        self._optimizer.load_state_dict(moments)

    def learn(self, round_number: int) -> float:
        """Learn one person; the last steps' mean loss."""
        person = self._people.draw(np.random.default_rng([round_number, self._rank, 0x57A7]))
        for state in self._optimizer.state.values():
            state["exp_avg"].zero_()
        losses = [self._step(person, number) for number in range(1, STEPS + 1)]
        return float(np.mean(losses[-10:]))

    def _step(self, person: Person, number: int) -> float:
        on_selfies = number % 2 == 1
        batches = person.selfies if on_selfies else person.portraits
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._adapted.loss(batches.data.conditions, batches.objective, batches.step(number))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._learned, self._recipe.max_gradient_norm)
        self._optimizer.step()
        return loss.item()

    def pairs(self) -> dict[str, LoraPair]:
        """The adapter by layers; in fp16, which its file keeps."""
        state = get_peft_model_state_dict(self._adapted.unet)
        return pairs_of_peft({name: tensor.detach().half().numpy() for name, tensor in state.items()})


def share_to_move(progress: float, first: float = MOVE) -> float:
    """How far the initial weights move towards those of a person, at ``progress``, 0 to 1."""
    down = (progress - MOVE_UNTIL) / (1 - MOVE_UNTIL)
    return first + (LAST_MOVE - first) * max(down, 0.0)


def train(ranks: Ranks, options: argparse.Namespace) -> None:
    """Until the budget is spent: every rank learns a person, and the initial weights move to their mean.

    Raises:
        ValueError: the checkpoint in the work folder is of another foundation, framing, layers or rank.
    """
    foundation = Foundation.read(options.model)
    digest = foundation_digest(options.model)
    learner = Learner(foundation, digest, ranks.rank)
    checkpoint = options.work / "start_checkpoint.pt"
    mark = f"{digest} {framing_of(foundation)} {' '.join(foundation.adapted_layers)} {Recipe.resolve(foundation).rank}"
    state = _first_state(learner, checkpoint, mark)
    budget = Budget(options.minutes * 60 if options.minutes is not None else None, options.rounds, state["spent"])
    saved = budget.elapsed
    with tqdm(desc="initial weights", unit="round", disable=ranks.rank > 0) as bar:
        # The ranks' clocks differ: all go by their mean.
        while (progress := _mean(ranks, torch.tensor([budget.progress(state["round"])]))[0]) < 1:
            loss = _round(ranks, learner, state, share_to_move(float(progress), options.move))
            bar.set_postfix(loss=f"{loss:.3f}", done=f"{float(progress):.0%}")
            bar.update()
            if ranks.rank == 0 and budget.elapsed - saved > _SAVE_SECONDS:
                saved = budget.elapsed
                save_atomically({**state, "spent": saved, "moments": learner.moments}, checkpoint)
    if ranks.rank == 0:
        save_atomically({**state, "spent": budget.elapsed, "moments": learner.moments}, checkpoint)
        learner.put(state["flat"])
        header = {DIGEST_KEY: digest, "people": str(state["people"]), "steps": str(STEPS)}
        write_diffusers_lora(options.model / INITIAL_WEIGHTS, learner.pairs(), header)


def _first_state(learner: Learner, checkpoint: Path, mark: str) -> dict[str, Any]:
    """The checkpoint's state, with the learner's moments put back; a new run's where there is none.

    ``mark``: what the checkpoint must be of.
    """
    if not checkpoint.exists():
        return {"mark": mark, "flat": learner.flat, "round": 0, "people": 0, "spent": 0.0}
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    if state["mark"] != mark:
        raise ValueError(
            f"{checkpoint} is of another foundation, framing, layers or rank; remove it, or take another --work"
        )
    learner.put_moments(state["moments"])
    return state


def _round(ranks: Ranks, learner: Learner, state: dict[str, Any], share: float) -> float:
    """Every rank learns a person; ``state`` moves ``share`` of the way to their mean. The mean loss."""
    learner.put(state["flat"])
    loss = learner.learn(state["round"])
    moved = _mean(ranks, torch.cat([learner.flat - state["flat"], torch.tensor([loss])]))
    state["flat"] = state["flat"] + share * moved[:-1]
    state |= {"round": state["round"] + 1, "people": state["people"] + ranks.world}
    return float(moved[-1])


def _mean(ranks: Ranks, flat: Tensor) -> Tensor:
    """Over the ranks."""
    ranks.sum_flat(flat)
    return flat / ranks.world


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_initial_weights", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where the checkpoint lives")
    parser.add_argument("--model", type=Path, default=Path("models/tiny-portrait"), help="the foundation's folder")
    parser.add_argument("--minutes", type=float, help="training time, earlier runs included")
    parser.add_argument("--rounds", type=int, help="rounds, earlier ones included")
    parser.add_argument("--move", type=float, default=MOVE, help="how far the weights move at first; learned ones less")
    parser.add_argument("--ranks", type=int, default=1, help="processes, each with a person a round")
    options = parser.parse_args()
    if options.minutes is None and options.rounds is None:
        parser.error("say --minutes, --rounds or both")
    run_ranks(options.ranks, train, options)


if __name__ == "__main__":
    main()
