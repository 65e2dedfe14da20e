"""The pieces that the foundation's stages share: optimizer, schedule, average, budget, ranks, and the measures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler
from torch import nn

from foundry.diffusion import alphas_cumprod
from foundry.evaluate import contact_sheet, follow_prompts, frechet_distance, identity_diversity
from foundry.models import SCHEDULE
from foundry.optim import Muon, make_optimizers, orthogonalised
from foundry.parallel import Ranks, run_ranks
from foundry.portraits import BACKDROPS, LIGHTS, OUTFITS
from foundry.train_judges import verification
from foundry.training import Average, Budget, learning_rate_factor, save_atomically


def small_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(32, 6), nn.Linear(6, 6))


def one_step(ranks: Ranks) -> dict[str, torch.Tensor]:
    """A Muon step on a fixed batch, which the ranks share."""
    model = small_model()
    optimizers = make_optimizers([model], 0.1, ranks)
    rows = torch.randn(4, 4, 4, 4, generator=torch.Generator().manual_seed(1))[ranks.rank :: ranks.world]
    torch.autograd.backward(model(rows).square().mean())
    ranks.mean_gradients(list(model.parameters()), [0.0])
    for optimizer in optimizers:
        optimizer.step()
    return model.state_dict()


def save_step(ranks: Ranks, folder: Path) -> None:
    save_atomically(one_step(ranks), folder / f"{ranks.rank}.pt")


def test_orthogonalised_updates_have_singular_values_near_one() -> None:
    updates = torch.randn(3, 8, 20, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalised(updates).float())
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_muon_lowers_a_loss() -> None:
    model = small_model()
    rows = torch.randn(16, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    optimizer = Muon([p for p in model.parameters() if p.ndim >= 2], lr=0.1)
    losses = []
    for _ in range(20):
        loss = (model(rows) - 1).square().mean()
        model.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_two_ranks_take_the_step_of_one(tmp_path: Path) -> None:
    run_ranks(2, save_step, tmp_path)
    alone = one_step(Ranks())
    for rank in range(2):
        shared = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, value in alone.items():
            assert torch.allclose(value, shared[name], atol=2e-3), name


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


def test_the_average_follows_the_weights() -> None:
    model = small_model()
    average = Average({"model": model})
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    for step in range(200):
        average.update({"model": model}, step)
    assert torch.allclose(average.states["model"]["0.weight"], model[0].weight, atol=1e-3)


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
