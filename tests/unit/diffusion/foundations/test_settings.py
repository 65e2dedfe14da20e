"""What the bundled foundation's folder says of itself is what the foundry would write."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from foundry.model_settings import settings
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import InvalidArgumentError
from headshots.settings import default_foundation
from services.trainer.lora.recipe import Recipe
from services.trainer.selection.selection import checkpoint_steps
from tests.support.trainer.foundation import described_foundation


def test_the_settings_file_is_the_foundrys() -> None:
    assert yaml.safe_load((default_foundation() / "headshots.yaml").read_text("utf-8")) == settings()


def test_its_recipe_is_valid_and_judges_more_than_the_last_step() -> None:
    recipe = Recipe.resolve(Foundation.read(default_foundation()))
    assert {name: getattr(recipe, name) for name in settings()["training"]} == settings()["training"]
    assert len(checkpoint_steps(recipe)) > 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: 0", "steps is 0; 1 to 150 is possible"),
        ("steps: 151", "steps is 151"),
        ("steps: true", "steps is True; int is needed"),
        ("sampler: lcm\nsteps: 60", "steps: 60 steps; a distilled model's sampler takes 1 to 50"),
        ("sampler: lcm\noriginal_inference_steps: 4", "steps: 25 steps; a distilled model's sampler takes 1 to 4"),
        ("sampler: lcm\noriginal_inference_steps: 0", "original_inference_steps is 0"),
        ("sampler: lcm\nspacing: trailing", "it has steps of its own; leave spacing out"),
        ("spacing: middling", "spacing is 'middling'"),
        ("spacing: [trailing]", "str is needed"),
        ("eta: 7", "eta is 7; 0 to 1 is possible"),
        ("eta: .nan", "eta is nan"),
        ("sampler: euler\neta: 0.5", "eta means nothing to the sampler euler"),
        ("guidance_interval: [0.8, 0.2]", "the lower first"),
        ("guidance_interval: [.nan, 1]", "the lower first"),
        ("guidance_scale: .nan", "guidance_scale is nan; 0 to 30 is possible"),
        ("guidance_scale: -4", "guidance_scale is -4"),
        ("adapter_guidance_scale: .inf", "adapter_guidance_scale is inf"),
        ("adapter_strength: 2.5", "adapter_strength is 2.5; 0 to 2 is possible"),
        ("negative_adapter_share: 1.1", "negative_adapter_share is 1.1; 0 to 1 is possible"),
        ("width_px: 0", "width_px is 0; 1 to 8192 is possible"),
        ("height_px: -512", "height_px is -512"),
        ("head_height: 1.2", "head_height is 1.2; 0.1 to 1 of the portrait's height is possible"),
        ("head_height: .nan", "head_height is nan"),
        ("head_height: high", "int | float is needed"),
        ("head_height: 0.8\neye_line: 0.95", "eye_line is 0.95; 0.1 to 0.9 of the portrait's height is possible"),
        ("eye_line: 0.4", "eye_line is told without head_height; tell both or neither"),
        ("class_nouns: []", "class_nouns is []; one word or more are needed"),
        ("class_nouns: [1]", "class_nouns is [1]"),
        ("\xff", "not YAML"),
        ("[" * 9999, "not YAML"),
        ("steps: " + "[" + "7," * 9999 + "]", "steps is [7, 7, 7, 7, 7, 7, ...]; int is needed"),
    ],
)
def test_nonsense_is_refused_where_it_is_read(tmp_path: Path, text: str, told: str) -> None:
    described_foundation(tmp_path)
    (tmp_path / "headshots.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidArgumentError) as caught:
        Foundation.read(tmp_path)
    assert caught.value.reason == "FOUNDATION_SETTINGS_INVALID"
    assert told in caught.value.message
    assert str(tmp_path / "headshots.yaml") in caught.value.message
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("vae/config.json", '{"latent_channels": "x", "block_out_channels": [4]}', "latent_channels is 'x'"),
        ("vae/config.json", '{"latent_channels": 4, "block_out_channels": 4}', "block_out_channels 4"),
        ("unet/config.json", '{"sample_size": -1}', "sample_size is -1; a number from 1 to 1024"),
        ("unet/config.json", '{"sample_size": 1000000000}', "sample_size is 1000000000"),
        ("model_index.json", "[" * 200_000, "not JSON"),
        ("model_index.json", " " * (64 << 20) + "{}", "64 MB, and texts of a model have 64 MB at most"),
        ("scheduler/scheduler_config.json", '{"_class_name": "DDIMScheduler", "beta_end": "x"}', "no numbers"),
        (
            "scheduler/scheduler_config.json",
            '{"_class_name": "DDIMScheduler", "beta_start": -0.5}',
            "no noise schedule",
        ),
        (
            "scheduler/scheduler_config.json",
            '{"_class_name": "DDIMScheduler", "num_train_timesteps": 1000000000000}',
            "num_train_timesteps is 1000000000000",
        ),
        (
            "scheduler/scheduler_config.json",
            '{"_class_name": "LCMScheduler", "original_inference_steps": 1001}',
            "original_inference_steps 1001",
        ),
    ],
)
def test_configurations_that_make_no_sense_are_refused(tmp_path: Path, file: str, text: str, told: str) -> None:
    described_foundation(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(InvalidArgumentError) as caught:
        Foundation.read(tmp_path)
    assert caught.value.reason == "FOUNDATION_INVALID"
    assert told in caught.value.message
    assert str(tmp_path / file) in caught.value.message
