"""The pieces that the foundation's stages share: schedule, budget, files, and the measures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler
from torch import nn

from foundry.diffusion import alphas_cumprod
from foundry.evaluate import contact_sheet, follow_prompts, frechet_distance, identity_diversity
from foundry.faces.judge_scores import verification
from foundry.models import SCHEDULE
from foundry.portraits import BACKDROPS, LIGHTS, OUTFITS
from foundry.training import Budget, learning_rate_factor, save_atomically


def test_the_schedule_is_that_of_diffusers() -> None:
    assert torch.allclose(alphas_cumprod(), DDPMScheduler(**SCHEDULE).alphas_cumprod, atol=1e-5)


def test_the_learning_rate_warms_up_holds_and_ends_at_zero() -> None:
    assert learning_rate_factor(0, 0.0) == pytest.approx(0.01)
    assert learning_rate_factor(500, 0.3) == 1
    assert learning_rate_factor(500, 0.8) == pytest.approx(0.5)
    assert learning_rate_factor(500, 1.0) == 0


def test_a_budget_ends_with_its_steps_or_its_seconds() -> None:
    assert Budget(None, 10).progress(5) == 0.5
    assert Budget(100.0, None, spent=200.0).progress(0) == 1
    with pytest.raises(ValueError, match="seconds or steps"):
        Budget(None, None)


def test_a_saved_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    for value in (1, 2):
        save_atomically({"value": value}, tmp_path / "state.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]
    assert torch.load(tmp_path / "state.pt", weights_only=True) == {"value": 2}


def test_prompts_cover_the_world_and_name_what_they_want() -> None:
    prompts = follow_prompts(182)
    for attribute, names in (("outfit", OUTFITS), ("backdrop", BACKDROPS), ("light", LIGHTS)):
        assert {prompt.wanted[attribute] for prompt in prompts} == set(names)
    for prompt in prompts:
        for attribute in ("outfit", "backdrop", "light", "hair", "glasses"):
            assert prompt.wanted[attribute] in prompt.text
        assert ("beard" in prompt.wanted) == (" man " in prompt.text)


def test_diversity_counts_pictures_without_a_twin() -> None:
    vectors = nn.functional.normalize(torch.tensor([[1.0, 0.0], [0.99, 0.05], [0.0, 1.0], [-1.0, 0.0]]), dim=1)
    assert identity_diversity(vectors, 0.9) == 0.5


def test_equal_sets_have_no_frechet_distance() -> None:
    features = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features, features + 1) == pytest.approx(4, rel=1e-3)


def test_verification_tells_clear_people_apart() -> None:
    people = nn.functional.normalize(torch.randn(50, 32, generator=torch.Generator().manual_seed(0)), dim=1)
    found = verification(people.repeat_interleave(2, 0))
    assert found["true_match_rate"] == 1
    assert found["roc_area"] == pytest.approx(1)


def test_a_contact_sheet_keeps_whole_rows() -> None:
    assert contact_sheet(torch.zeros(5, 3, 8, 8), 2).size == (16, 16)
