"""The preparation of a run: its loss masks, the photos it holds out, and the weights it starts from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.files import diffusers_lora_bytes
from headshots.diffusion.lora.pairs import pairs_of_peft
from services.trainer.lora.frozen import encode_images, load_vae
from services.trainer.lora.recipe import Recipe
from services.trainer.run.masks import loss_masks
from tests.support.images.faces import ColourAnalyzer, draw_head
from tests.support.trainer.runs import OneFaceAnalyzer, crops_of, judged_task, prepare_run, set_recipe, training_task

pytestmark = pytest.mark.usefixtures("one_thread")


def test_without_an_analyzer_whole_photos_are_learned_and_a_warning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    photo = np.zeros((64, 64, 3), np.uint8)
    with caplog.at_level("WARNING"):
        masks = loss_masks(None, [photo], 8, 8, Recipe(scene_share=0.5))
    assert torch.equal(masks.photo_share_BHW, torch.ones(1, 8, 8))
    assert not masks.has_head_B.any()
    assert "scenes are left out" in caplog.text


def test_four_photos_are_too_few_to_hold_one_out(judged_foundation: Path, tmp_path: Path) -> None:
    prepared = prepare_run(judged_task(judged_foundation, tmp_path, photos=4), OneFaceAnalyzer())
    assert prepared.held_out == []
    assert prepared.selection.judge is None
    assert "too few photos" in prepared.selection.not_measured_because


@pytest.mark.parametrize("crops_per_photo", [1, 2])
def test_no_held_out_photo_is_among_what_is_trained_on(
    judged_foundation: Path, tmp_path: Path, crops_per_photo: int
) -> None:
    foundation = Path(shutil.copytree(judged_foundation, tmp_path / "foundation"))
    set_recipe(foundation, crops_per_photo=crops_per_photo)
    task = judged_task(foundation, tmp_path, photos=10)
    prepared = prepare_run(task, OneFaceAnalyzer())
    crops = [crop.pixels for crop in crops_of(task)]
    held_out = [
        photo
        for photo in range(10)
        if any(np.array_equal(crops[photo * crops_per_photo], kept) for kept in prepared.held_out)
    ]
    assert len(held_out) == len(prepared.held_out) == 2
    # Each latent that is trained on is nearest to the crop that it was encoded from.
    all_CHW = encode_images(load_vae(Foundation.read(foundation)), crops, torch.device("cpu"))
    trained = prepared.loop._batches.data.subject_BCHW
    nearest = [int((all_CHW - latent).flatten(1).norm(dim=1).argmin()) for latent in trained]
    assert nearest == [index for index in range(len(crops)) if index // crops_per_photo not in held_out]


def test_held_out_photos_are_not_among_those_that_copying_is_measured_against(
    judged_foundation: Path, tmp_path: Path
) -> None:
    prepared = prepare_run(judged_task(judged_foundation, tmp_path, photos=10), OneFaceAnalyzer())
    judge = prepared.selection.judge
    assert judge is not None
    assert (len(judge._held_out_ND), len(judge._trained_ND)) == (2, 8)
    assert (judge._held_out_ND @ judge._trained_ND.T).max() < 0.99


def test_a_run_starts_from_the_foundations_initial_weights(judged_foundation: Path, tmp_path: Path) -> None:
    foundation = Path(shutil.copytree(judged_foundation, tmp_path / "foundation"))
    fresh = prepare_run(training_task(foundation, tmp_path)).loop.weights()
    random = np.random.default_rng(1)
    learned = {name: random.standard_normal(weight.shape, np.float32) for name, weight in fresh.items()}
    (foundation / "adapter_start.safetensors").write_bytes(diffusers_lora_bytes(pairs_of_peft(learned), {}))
    started = prepare_run(training_task(foundation, tmp_path)).loop.weights()
    assert started.keys() == learned.keys()
    for name, weight in learned.items():
        np.testing.assert_array_equal(started[name], weight)


@pytest.mark.parametrize("corner", ["left", "right"])
def test_a_face_whose_parts_nobody_tells_weighs_where_its_box_is(corner: str) -> None:
    image = Image.new("RGB", (64, 64), (120, 120, 120))
    left = 4 if corner == "left" else 36
    draw_head(image, "ada", (left, 4, left + 24, 28))
    masks = loss_masks(ColourAnalyzer(), [np.asarray(image)], 8, 8, Recipe(face_weight=3.0))
    weight_HW = masks.weight_BHW[0]
    torch.testing.assert_close(weight_HW.mean(), torch.tensor(1.0))
    column = left // 8
    inside, across = weight_HW[1:3, column + 1], weight_HW[1:3, 7 - column - 1]
    torch.testing.assert_close(inside, 4 * across)
    assert not masks.has_head_B.any()


def test_a_photo_without_a_face_is_weighed_as_without_an_analyzer() -> None:
    photo, recipe = np.zeros((64, 64, 3), np.uint8), Recipe(face_weight=3.0)
    one, other = (loss_masks(analyzer, [photo], 8, 8, recipe).weight_BHW for analyzer in (ColourAnalyzer(), None))
    assert torch.equal(one, other)
    assert float(one.max()) > 2 * float(one.min())
