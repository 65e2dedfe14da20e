"""The foundation's optimizer, the average of its weights, and ranks that share a step.

Nothing else is imported: each rank is a process that imports this file.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from foundry.optim import Muon, make_optimizers, orthogonalised
from foundry.parallel import Ranks, run_ranks
from foundry.training import Average, save_atomically


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


def test_the_average_follows_the_weights() -> None:
    model = small_model()
    average = Average({"model": model})
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    for step in range(200):
        average.update({"model": model}, step)
    assert torch.allclose(average.states["model"]["0.weight"], model[0].weight, atol=1e-3)
