"""The judges' nets learn on a toy budget: losses fall, runs resume, and a step's pictures follow from its number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from foundry.faces.families import MEMBERS
from foundry.faces.judge_pictures import JudgePictures, prepare_judge_pictures
from foundry.faces.judge_stages import MEMORY_FROM_STEP, EmbedderStage, LandmarkerStage, ProbeStage
from foundry.faces.landmarker import Landmarker
from foundry.judges import CropEmbedder, Probe
from foundry.stages import Stage, Trainer, train
from foundry.training import Budget

FAMILIES = 2
Make = Callable[[JudgePictures], Stage]


def probe(pictures: JudgePictures) -> Stage:
    return ProbeStage(pictures, 3, Probe(8), rows=8)


def landmarker(pictures: JudgePictures) -> Stage:
    return LandmarkerStage(pictures, 3, Landmarker(4), rows=4)


def embedder(pictures: JudgePictures) -> EmbedderStage:
    return EmbedderStage(pictures, 3, CropEmbedder(8))


STAGES = pytest.mark.parametrize("make", [probe, landmarker, embedder])


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> JudgePictures:
    return prepare_judge_pictures(tmp_path_factory.mktemp("judges"), FAMILIES, processes=1)


@STAGES
def test_losses_fall_and_a_run_resumes(make: Make, pictures: JudgePictures, tmp_path: Path) -> None:
    trainer = Trainer(make(pictures), tmp_path)
    losses = train(trainer, Budget(None, 24), save_every=1e9)
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    resumed = Trainer(make(pictures), tmp_path)
    assert resumed.resume()
    assert resumed.step == 24
    assert resumed.take_step(0.5) == pytest.approx(trainer.take_step(0.5), rel=1e-5)


@pytest.mark.parametrize("make", [landmarker, embedder])
def test_a_step_learns_the_same_again(make: Make, pictures: JudgePictures) -> None:
    losses = []
    for step in (5, 5, 6):
        torch.manual_seed(0)  # of the weights
        losses.append(float(make(pictures).loss(step).item()))
    assert losses[0] == losses[1] != losses[2]


def test_the_memory_begins_late_and_holds_everybody_of_a_step(pictures: JudgePictures) -> None:
    stage = embedder(pictures)
    assert isinstance(stage, EmbedderStage)
    stage.loss(MEMORY_FROM_STEP - 1)
    assert len(stage.memory) == 0
    stage.loss(MEMORY_FROM_STEP)
    assert len(stage.memory) == len(stage.remembered) == FAMILIES * len(MEMBERS)


def test_a_budget_of_no_steps_is_spent() -> None:
    assert Budget(None, 0).progress(0) == 1
