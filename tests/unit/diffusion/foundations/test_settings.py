"""What the bundled foundation's folder says of itself is what the foundry would write."""

from __future__ import annotations

import yaml

from foundry.model_settings import settings
from headshots.diffusion.foundations.foundation import Foundation
from headshots.settings import default_foundation
from services.trainer.lora.recipe import Recipe
from services.trainer.selection.selection import checkpoint_steps


def test_the_settings_file_is_the_foundrys() -> None:
    assert yaml.safe_load((default_foundation() / "headshots.yaml").read_text("utf-8")) == settings()


def test_its_recipe_is_valid_and_judges_more_than_the_last_step() -> None:
    recipe = Recipe.resolve(Foundation.read(default_foundation()))
    assert {name: getattr(recipe, name) for name in settings()["training"]} == settings()["training"]
    assert len(checkpoint_steps(recipe)) > 1
