"""The foundry trains the initial weights of adapters."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from foundry import initial_weights_people as people_module
from foundry import train_initial_weights as training
from foundry.initial_weights_people import PORTRAITS, People
from foundry.parallel import Ranks
from foundry.portraits import FIRST_HELD_OUT
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.faces import Pixels, open_analyzer
from headshots.looks.placing import head_of
from headshots.settings import default_foundation
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import load_unet
from services.trainer.lora.recipe import Recipe

CPU = torch.device("cpu")
COMPUTING = Computing.on(CPU)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(default_foundation(), tmp_path / "model"))
    (folder / "adapter_start.safetensors").unlink(missing_ok=True)
    return folder


def weights(model: Path) -> torch.Tensor:
    """The initial weights of an adapter."""
    return training.Learner(Foundation.read(model), foundation_digest(model), 0).flat


def test_the_initial_weights_move_less_and_less() -> None:
    moves = [training.share_to_move(progress) for progress in np.linspace(0, 1, 21)]
    assert moves[0] == training.MOVE
    assert moves[-1] == pytest.approx(training.LAST_MOVE)
    assert moves == sorted(moves, reverse=True)


def train(model: Path, work: Path, rounds: int) -> torch.Tensor:
    """What is learned by then, also from an earlier run's checkpoint."""
    options = argparse.Namespace(work=work, model=model, minutes=None, rounds=rounds, move=0.3)
    training.train(Ranks(), options)
    return torch.load(work / "start_checkpoint.pt", weights_only=True)["flat"]  # type: ignore[no-any-return]


def test_it_leaves_the_initial_weights_and_goes_on_where_it_stopped(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "STEPS", 2)
    # Otherwise how far it moves depends on how much is still to come.
    monkeypatch.setattr(training, "share_to_move", lambda progress, first: first)
    before, digest = weights(model), foundation_digest(model)
    at_once = train(model, tmp_path / "at once", 2)
    (model / "adapter_start.safetensors").unlink()
    train(model, tmp_path / "in two", 1)
    (model / "adapter_start.safetensors").unlink()
    in_two = train(model, tmp_path / "in two", 2)
    torch.testing.assert_close(in_two, at_once, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(in_two, before, atol=1e-3)
    torch.testing.assert_close(weights(model), in_two, rtol=1e-3, atol=1e-5)
    assert foundation_digest(model) == digest


def test_a_checkpoint_of_other_weights_is_refused(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", 1)
    train(model, tmp_path / "work", 1)
    monkeypatch.setattr(training, "foundation_digest", lambda path: "f" * 64)
    (model / "adapter_start.safetensors").unlink()
    with pytest.raises(ValueError, match="of another foundation"):
        train(model, tmp_path / "work", 2)


def test_people_are_of_those_that_models_may_be_trained_on_and_every_draw_is_the_same(model: Path) -> None:
    foundation = Foundation.read(model)
    recipe = Recipe.resolve(foundation)
    people = People(
        foundation, AdaptedUNet(load_unet(foundation, COMPUTING), foundation.adapted_layers, recipe, COMPUTING), recipe
    )
    one, again, other = (people.draw(np.random.default_rng(number)) for number in (1, 1, 2))
    assert one.seed == again.seed != other.seed
    assert max(one.seed, other.seed) < FIRST_HELD_OUT
    shown = one.portraits.data.subject_BCHW
    torch.testing.assert_close(shown, again.portraits.data.subject_BCHW, rtol=0, atol=0)
    rows = one.portraits.step(1)
    assert len(rows.caption_B) == recipe.batch_rows
    assert int(rows.caption_B.max()) < PORTRAITS == len(shown)
    # v = a ε - s x and x_t = a x + s ε give the latents back: every row is the whole portrait that its prompt asks for.
    alpha = one.portraits.objective.alphas_cumprod_T[rows.timestep_B].sqrt().view(-1, 1, 1, 1)
    clean = alpha * rows.noisy_BCHW - (1 - alpha**2).sqrt() * rows.target_BCHW
    torch.testing.assert_close(clean, shown[rows.caption_B], rtol=1e-3, atol=1e-3)
    assert not torch.equal(rows.timestep_B, one.selfies.step(1).timestep_B), "another random stream"


def test_a_close_foundation_learns_from_selfies_that_are_cut_as_trainings_cut_them(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[list[Pixels]] = []
    encode = people_module.encode_images
    monkeypatch.setattr(
        people_module, "encode_images", lambda vae, some, on: pictures.append(some) or encode(vae, some, on)
    )

    def head_heights() -> list[float]:
        """Of the selfies and of the true portraits of one person."""
        pictures.clear()
        foundation = Foundation.read(model)
        recipe = Recipe.resolve(foundation)
        unet = AdaptedUNet(load_unet(foundation, COMPUTING), foundation.adapted_layers, recipe, COMPUTING)
        People(foundation, unet, recipe).draw(np.random.default_rng(1))
        analyzer = open_analyzer("bundled")
        assert analyzer is not None
        return [
            float(np.median([head_of(analyzer.faces(one)[0].landmarks)[2] / len(one) for one in some]))
            for some in pictures
        ]

    card = model / "headshots.yaml"
    card.write_text(card.read_text().replace("head_height", "#").replace("eye_line", "#"))
    assert head_heights() == [pytest.approx(0.61, abs=0.04), pytest.approx(0.58, abs=0.04)]
    card.write_text(card.read_text() + "head_height: 0.78\n")
    # Crops after the first are up to 8 % smaller, so heads are a little larger.
    assert head_heights() == [pytest.approx(0.81, abs=0.04), pytest.approx(0.78, abs=0.04)]
