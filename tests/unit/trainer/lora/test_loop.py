"""The training loop: it learns, only the adapter changes, it resumes exactly, and it reports divergence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import FailedPreconditionError
from services.trainer.lora import data_parallel
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import TrainingData
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import encode_captions, load_unet, noise_levels
from services.trainer.lora.loop import TrainingLoop
from services.trainer.lora.objective import LossMasks, Objective
from services.trainer.lora.recipe import Recipe
from services.trainer.run.checkpoint import Checkpoint, pack, unpack
from tests.support.foundations.engines import tiny_sdxl
from tests.support.trainer.runs import prepare_loop, training_task

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_loss_falls(foundation: Path, tmp_path: Path) -> None:
    run = prepare_loop(training_task(foundation, tmp_path, steps=75, learning_rate=0.01, batch_rows=4))
    losses = [step.loss for step in run.steps()]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:10])
    assert [step for step, _ in run.curve][-1] == 75


def test_only_the_adapters_weights_change(foundation: Path, tmp_path: Path) -> None:
    run = prepare_loop(training_task(foundation, tmp_path, steps=3))
    before = {name: p.detach().clone() for name, p in run.unet.named_parameters() if not p.requires_grad}
    for _ in run.steps():
        pass
    for name, parameter in run.unet.named_parameters():
        if not parameter.requires_grad:
            assert torch.equal(parameter, before[name]), name
    adapted = {name.rsplit(".lora_", 1)[0] for name in run.weights()}
    layers = Foundation.read(foundation).adapted_layers
    assert all(any(name.endswith(f".{layer}") for name in adapted) for layer in layers)
    assert all(name.endswith(tuple(f".{layer}" for layer in layers)) for name in adapted)
    assert all(np.abs(matrix).max() > 0 for name, matrix in run.weights().items())


@pytest.mark.parametrize("processes", [1, 2])
def test_a_resumed_run_equals_the_uninterrupted_one(
    foundation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(data_parallel, "MIN_STEPS", 12)
    task = replace(training_task(foundation, tmp_path, steps=12, learning_rate=0.01), processes=processes)
    whole, second = prepare_loop(task), prepare_loop(task)
    packed = b""
    for step in whole.steps():
        if step.number == 5:
            packed = pack(Checkpoint(whole.snapshot()), "mark")
    checkpoint = unpack(packed, "mark")
    assert checkpoint is not None
    assert checkpoint.loop.step == 5
    second.restore(checkpoint.loop)
    for _ in second.steps():
        pass
    for name, matrix in whole.weights().items():
        np.testing.assert_allclose(second.weights()[name], matrix, rtol=1e-5, atol=1e-8, err_msg=name)
    assert second.curve == whole.curve
    for run in (whole, second):
        assert run._parallel.count == processes - 1
        run.end()


def test_a_loss_that_is_not_finite_ends_the_run(foundation: Path, tmp_path: Path) -> None:
    run = prepare_loop(training_task(foundation, tmp_path, steps=5))
    for parameter in run.unet.parameters():
        if parameter.requires_grad:
            parameter.data.fill_(float("nan"))
            break
    with pytest.raises(FailedPreconditionError, match="learning rate") as caught:
        list(run.steps())
    assert caught.value.reason == "TRAINING_DIVERGED"


def test_sdxl_trains() -> None:
    foundation, cpu = Foundation.read(tiny_sdxl()), torch.device("cpu")
    assert foundation.family == "sdxl"
    recipe = Recipe(steps=3, rank=2, batch_rows=2, caption_dropout=0.5)
    data = TrainingData(
        torch.randn(2, 4, 8, 8),
        LossMasks.of_photos([torch.ones(8, 8)] * 2),
        torch.randn(2, 4, 8, 8),
        encode_captions(foundation, ["photo of a sks man", "", "headshot"], cpu),
    )
    objective = Objective(noise_levels(foundation), False, recipe.snr_gamma)
    computing = Computing.on(cpu)
    adapted = AdaptedUNet(load_unet(foundation, computing), foundation.adapted_layers, recipe, computing)
    run = TrainingLoop(adapted, objective, data, replace(recipe, prior_rows=1), cpu)
    assert [step.number for step in run.steps()] == [1, 2, 3]
    assert all(np.abs(matrix).max() > 0 for matrix in run.weights().values())
