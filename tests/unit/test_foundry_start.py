"""How the foundry learns what adapters start from."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from foundry import train_start
from foundry.parallel import Ranks
from foundry.portraits import FIRST_HELD_OUT
from foundry.start_people import PORTRAITS, People
from headshots.diffusion.foundation import Foundation, foundation_digest
from headshots.settings import default_foundation
from services.trainer.adapted import AdaptedUNet
from services.trainer.base import load_unet
from services.trainer.options import Recipe

CPU = torch.device("cpu")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(default_foundation(), tmp_path / "model"))
    (folder / "adapter_start.safetensors").unlink(missing_ok=True)
    return folder


def weights(model: Path) -> dict[str, torch.Tensor]:
    """What an adapter starts from."""
    foundation = Foundation.read(model)
    recipe = Recipe.resolve(foundation)
    adapted = AdaptedUNet(load_unet(foundation, CPU), foundation, recipe, CPU)
    return {name: parameter.detach() for name, parameter in adapted.parameters.items()}


def test_the_start_moves_less_and_less() -> None:
    moves = [train_start.share_to_move(progress) for progress in np.linspace(0, 1, 21)]
    assert moves[0] == train_start.MOVE
    assert moves[-1] == pytest.approx(train_start.LAST_MOVE)
    assert moves == sorted(moves, reverse=True)


def test_it_leaves_what_adapters_then_start_from(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_start, "STEPS", 4)
    before, digest = weights(model), foundation_digest(model)
    options = argparse.Namespace(work=tmp_path / "work", model=model, minutes=None, rounds=2, move=0.3)
    train_start.train(Ranks(), options)
    after = weights(model)
    assert all(not torch.equal(after[name], before[name]) for name in before), "every layer has learned"
    assert foundation_digest(model) == digest
    options.rounds = 3
    train_start.train(Ranks(), options)
    assert any(not torch.equal(weights(model)[name], after[name]) for name in after), "it goes on"
    state = torch.load(tmp_path / "work" / "start_checkpoint.pt", weights_only=True)
    assert state["round"] == 3


def test_people_are_of_those_that_models_may_be_trained_on_and_every_draw_is_the_same(model: Path) -> None:
    foundation = Foundation.read(model)
    recipe = Recipe.resolve(foundation)
    people = People(foundation, AdaptedUNet(load_unet(foundation, CPU), foundation, recipe, CPU), recipe)
    one, again, other = (people.draw(np.random.default_rng(number)) for number in (1, 1, 2))
    assert one.seed == again.seed != other.seed
    assert max(one.seed, other.seed) < FIRST_HELD_OUT
    torch.testing.assert_close(one.portraits.subject_BCHW, again.portraits.subject_BCHW, rtol=0, atol=0)
    rows = one.portrait_rows(1)
    assert len(rows.caption_B) == recipe.batch_rows
    assert int(rows.caption_B.max()) < PORTRAITS == len(one.portraits.subject_BCHW)
