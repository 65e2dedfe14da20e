"""The preparation of a run: its loss masks, and the photos it holds out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from services.trainer.lora.recipe import Recipe
from services.trainer.run.preparing import loss_masks
from tests.support.trainer.runs import OneFaceAnalyzer, judged_task, prepare_run

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
