"""Tiny foundations that several of the trainer's tests train on."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With v-prediction and without class images; never changed by a test."""
    from tests.support.foundations.tiny import make_tiny_foundation  # imports torch, which most tests do without
    from tests.support.trainer.runs import set_recipe

    path = make_tiny_foundation(tmp_path_factory.mktemp("tiny") / "foundation", prediction_type="v_prediction")
    set_recipe(path, prior_rows=0)
    return path


@pytest.fixture(scope="session")
def judged_foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With v-prediction and three judged checkpoints in 12 steps; never changed by a test."""
    from tests.support.foundations.tiny import make_tiny_foundation
    from tests.support.trainer.runs import set_recipe

    path = make_tiny_foundation(tmp_path_factory.mktemp("judged") / "foundation", prediction_type="v_prediction")
    # Few denoising steps against many rows, so that the work allows three checkpoints.
    set_recipe(
        path, prior_rows=0, steps=12, batch_rows=40, learning_rate=0.01, crops_per_photo=1, checkpoints=3,
        score_prompts=2, score_steps=2,
    )  # fmt: skip
    return path
