"""The bundled foundation as it ships: stock diffusers loads it, and what it paints is what was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline

from foundry.dataset import render_range
from foundry.evaluate import autoencoder_psnr, follow_prompts, paint, prompt_following
from foundry.faces.judge_scores import VIEWS, scores
from foundry.judges import Judges
from foundry.latents import to_tensor
from foundry.model_settings import settings
from foundry.train_judges import JUDGES_FOLDER, load_judges
from headshots.diffusion.foundations.foundation import Foundation
from headshots.styles.prompts import check_template
from tests.support.paths import ROOT

# diffusers' multistep scheduler hands tensors to numpy in a way that numpy 2 frowns upon.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MODEL = ROOT / "models" / "tiny-portrait"


@pytest.fixture(scope="module")
def judges() -> Judges:
    return load_judges(JUDGES_FOLDER)


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(MODEL)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_the_folder_is_small_and_described() -> None:
    assert sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file()) < 40e6
    foundation = Foundation.read(MODEL)
    check_template(foundation.prompt_template)
    assert dict(foundation.training) == settings()["training"]
    assert (foundation.native_width_px, foundation.native_height_px) == (128, 128)


@pytest.mark.parametrize("view", VIEWS)
def test_the_judges_are_fit_to_judge(judges: Judges, view: str) -> None:
    found: dict[str, Any] = scores(judges, VIEWS[view], people=4)
    assert min(found["probe_accuracy"].values()) >= 0.9
    assert found["landmark_error_px"]["median"] < 1
    assert found["landmark_error_px"]["percentile_95"] < 3
    assert found["hard_pairs"]["auc_hard"] >= 0.98
    assert found["hard_pairs"]["share_of_doubles"] <= 0.6
    assert found["verification"]["roc_area"] >= 0.995


def test_unseen_pictures_survive_the_autoencoder(pipeline: StableDiffusionPipeline) -> None:
    assert autoencoder_psnr(pipeline, to_tensor(render_range(0, 8, held_out=True))) > 24


def test_prompts_are_followed(pipeline: StableDiffusionPipeline, judges: Judges) -> None:
    asked = follow_prompts(16)
    painted = paint(pipeline, [prompt.text for prompt in asked], 0)
    assert torch.isfinite(painted).all()
    found = prompt_following(judges.probe, asked, painted)
    assert found["backdrop"] >= 0.75
    assert found["outfit"] >= 0.75


def test_the_scores_beside_the_model_have_their_keys() -> None:
    scores = json.loads((MODEL / "scores.json").read_text())
    assert {"autoencoder_psnr_db", "prompt_following", "identity_diversity", "probe_accuracy", "fid_like"} <= set(
        scores
    )
    assert set(scores["prompt_following"]) == {"outfit", "backdrop", "light", "hair", "glasses", "beard"}
