"""The recipe's layers, its limits, and its learning rate."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.fusing.few_steps import KINDS
from headshots.errors import InvalidArgumentError
from headshots.settings import default_foundation
from services.trainer.lora.recipe import Recipe, TrainingOptions
from tests.support.trainer.foundation import described_foundation


def test_caller_overrides_foundation_overrides_family(tmp_path: Path) -> None:
    foundation = described_foundation(
        tmp_path, {"steps": 123, "rank": 8, "caption": "selfie of a {trigger} {class_noun}"}
    )
    recipe = Recipe.resolve(foundation, TrainingOptions(rank=2, seed=7))
    assert (recipe.steps, recipe.rank, recipe.seed) == (123, 2, 7)
    assert recipe.caption == "selfie of a {trigger} {class_noun}"
    assert recipe.prior_rows == Recipe.resolve(described_foundation(tmp_path)).prior_rows == 1


def test_numbers_written_as_text_or_whole_numbers_are_converted(tmp_path: Path) -> None:
    recipe = Recipe.resolve(described_foundation(tmp_path, {"learning_rate": "1e-3", "snr_gamma": 5}))
    assert recipe.learning_rate == 1e-3
    assert isinstance(recipe.snr_gamma, float)


@pytest.mark.parametrize(
    ("training", "word"),
    [
        ({"stepz": 3}, "stepz"),
        ({"steps": "many"}, "steps"),
        ({"steps": 4.7}, "steps"),
        ({"caption": "photo of {person}"}, "caption"),
        ({"steps": 0}, "steps"),
        ({"crop_jitter": 0.9}, "crop_jitter"),
        ({"prior_scenes": 300}, "prior_scenes"),
        ({"prior_caption": "photo of a {class_noun}, {shown}"}, "prior_caption"),
    ],
)
def test_an_invalid_recipe_is_refused_and_its_field_is_named(
    tmp_path: Path, training: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"training.{word}") as caught:
        Recipe.resolve(described_foundation(tmp_path, training))
    assert caught.value.reason == "FOUNDATION_RECIPE_INVALID"


def test_learning_rate_warms_up_and_falls_to_its_floor() -> None:
    recipe = dataclasses.replace(Recipe(), steps=200, warmup_steps=10, learning_rate=1.0, final_rate_share=0.1)
    rates = [recipe.learning_rate_at(step) for step in range(1, 201)]
    assert rates[0] == pytest.approx(1 / 11)
    assert rates[:10] == sorted(rates[:10])
    assert max(rates) <= 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1)


def test_a_short_run_spends_a_tenth_on_warming_up() -> None:
    recipe = dataclasses.replace(Recipe(), steps=10, warmup_steps=50, learning_rate=1.0)
    assert recipe.learning_rate_at(2) > 0.9


@pytest.mark.parametrize("setting", [{"scene_share": 1.1}, {"passes": 0}, {"scenes": 0}, {"head_margin": 0.6}])
def test_hyperparameters_beyond_their_limits_are_refused(setting: dict[str, float]) -> None:
    foundation = replace(Foundation.read(default_foundation()), training=setting)
    with pytest.raises(InvalidArgumentError) as caught:
        Recipe.resolve(foundation)
    assert caught.value.reason == "FOUNDATION_RECIPE_INVALID"


def test_portraits_of_few_step_foundations_have_no_more_steps_than_images(tmp_path: Path) -> None:
    plain = described_foundation(tmp_path)
    assert Recipe.resolve(plain).score_steps == 8
    for kind, steps in (("dmd2-4", 4), ("hyper-1", 1), ("lightning-8", 8)):
        (tmp_path / "headshots.yaml").write_text(yaml.safe_dump(dict(KINDS[kind].settings)))
        assert Recipe.resolve(Foundation.read(tmp_path)).score_steps == steps
    taught = {**KINDS["dmd2-4"].settings, "training": {"score_steps": 8}}
    (tmp_path / "headshots.yaml").write_text(yaml.safe_dump(taught))
    with pytest.raises(InvalidArgumentError, match=r"training.score_steps: .*lcm.* 8 steps.* 1 to 4") as caught:
        Recipe.resolve(Foundation.read(tmp_path))
    assert caught.value.reason == "FOUNDATION_RECIPE_INVALID"
