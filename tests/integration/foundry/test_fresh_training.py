"""A UNet that learns from portraits drawn meanwhile: the same weights with and without an interruption, what only
such portraits can be weighed by, and how well it knows faces."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from foundry import train_unet
from foundry.dataset import render_range
from foundry.latents import PatchCode, fit_patch_code
from foundry.parallel import Ranks
from foundry.training import Budget
from foundry.unet import face_cells, measure_faces, sheets
from foundry.unet.drawing import Order, draw
from foundry.unet.material import Portraits
from foundry.unet.measure_faces import LEVELS, Measured, face_errors
from foundry.unet.objective import Emphasis
from foundry.unet.rows import Rounds
from tests.support.foundations.tiny import smallest_unet

# diffusers' multistep scheduler hands tensors to numpy in a way that numpy 2 frowns upon.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PICTURES, BATCH, STEPS = 8, 4, 6
ALL = Emphasis(face=1.0, features=4.0, eye_channels=0.5, truth=0.3)


def tiny_unet(channels: int) -> UNet2DConditionModel:
    return smallest_unet(sample_size=16, in_channels=channels, out_channels=channels, cross_attention_dim=128)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (train_unet, sheets):
        monkeypatch.setattr(module, "make_unet", tiny_unet)
    monkeypatch.setattr(sheets, "SHEET_PROMPTS", sheets.SHEET_PROMPTS[:1])
    monkeypatch.setattr(face_cells, "VARIANCE_OF", 8)


@pytest.fixture(scope="module")
def code() -> PatchCode:
    return fit_patch_code(render_range(0, PICTURES))


def trainer(work: Path, emphasis: Emphasis = ALL, workers: int = 0, fresh: bool = True) -> train_unet.UNetTrainer:
    portraits = Portraits(PICTURES, "close", 16, Rounds(batches=2, passes=2), workers) if fresh else Portraits(PICTURES)
    return train_unet.UNetTrainer(Ranks(), work, train_unet.Settings(portraits, BATCH, 2e-3, emphasis=emphasis))


def states(work: Path) -> list[torch.Tensor]:
    """Every number of the checkpoint's models and average, and of what is published."""
    checkpoint = torch.load(work / "unet_checkpoint.pt", weights_only=True)
    published = torch.load(work / "unet.pt", weights_only=True)
    assert set(published) == {"unet", "text"}, "heads are dropped"
    models = [*checkpoint["models"].values(), *checkpoint["average"].values(), *published.values()]
    return [value for model in models for value in model.values()]


def test_an_interrupted_run_ends_with_the_same_weights(code: PatchCode, tmp_path: Path) -> None:
    whole, in_two = tmp_path / "whole", tmp_path / "in two"
    for work in (whole, in_two):
        work.mkdir()
        code.save(work / "patch_code.npz")
    losses = train_unet.train(trainer(whole), Budget(None, STEPS), save_every=1e9, sheet_every=1e9)
    assert len(losses) == STEPS
    before = trainer(in_two)
    for step in range(STEPS // 2):
        before.train_step((step + 1) / STEPS)
    before.save(1.0)
    # One that draws in another process meets the same portraits.
    after = trainer(in_two, workers=1)
    try:
        after.resume()
        assert after.step == STEPS // 2
        train_unet.train(after, Budget(None, STEPS), save_every=1e9, sheet_every=1e9)
    finally:
        after.source.close()
    pairs = list(zip(states(whole), states(in_two), strict=True))
    assert len(pairs) > 100
    assert all(torch.equal(one, other) for one, other in pairs)
    with pytest.raises(ValueError, match="--truth-weight"):
        trainer(in_two, Emphasis()).resume()


def test_kept_portraits_have_no_truth_to_weigh_by(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="add --fresh"):
        trainer(tmp_path, Emphasis(face=1.0), fresh=False).train_step(0.5)
    with pytest.raises(ValueError, match="needs --fresh"):
        Portraits(PICTURES, "close")


def test_a_better_unet_errs_less_and_a_perfect_one_as_the_code_does(
    code: PatchCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code.save(tmp_path / "patch_code.npz")
    made = trainer(tmp_path)
    measured = Measured.of(draw(Order(seed=0, first=0, count=4, framing="close", held_out=True)), made.code)

    def errors() -> dict[str, dict[str, list[float]]]:
        return face_errors(made.unet, made.text, made.tokenizer, made.code, measured)

    first = errors()
    for step in range(12):
        made.train_step(step / 20)
    second = errors()
    assert set(second) == {"eyes", "head", "all"}
    for region in ("head", "all"):
        assert sum(second[region]["v"]) < sum(first[region]["v"])
    monkeypatch.setattr(measure_faces, "predict", lambda unet, given, context: given.target_BCHW)
    perfect = errors()
    left = (made.code.decode(measured.latents_BCHW) - measured.pixels_BCHW).square().mean().sqrt() * 127.5
    assert perfect["all"]["v"] == perfect["eyes"]["v"] == [0.0] * len(LEVELS)
    assert perfect["all"]["grey"] == pytest.approx([float(left)] * len(LEVELS), abs=0.02)
    assert perfect["eyes"]["grey"][0] > perfect["all"]["grey"][0], "a linear code leaves most out where most is to see"
