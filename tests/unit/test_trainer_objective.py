"""Noise, targets and weights, held against diffusers and the papers' formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from services.trainer.objective import Draw, Objective, draw_step, head_weights, place_weights

SHAPE = (4, 8, 8)


def _draw(step: int = 1, *, seed: int = 0, rows: int = 4, latents: int = 10, dropout: float = 0.0) -> Draw:
    return draw_step(seed, step, stream=0, latents=latents, rows=rows, levels=1000, dropout=dropout, shape=SHAPE)


@pytest.mark.parametrize("v_prediction", [False, True])
def test_noise_and_target_are_diffusers_own(v_prediction: bool) -> None:
    scheduler = DDPMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
    objective = Objective(scheduler.alphas_cumprod, v_prediction, 5.0)
    draw, latents = _draw(), torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    noisy = scheduler.add_noise(latents, draw.noise_BCHW, draw.timestep_B)
    torch.testing.assert_close(objective.noisy(latents, draw), noisy)
    expected = scheduler.get_velocity(latents, draw.noise_BCHW, draw.timestep_B) if v_prediction else draw.noise_BCHW
    torch.testing.assert_close(objective.target(latents, draw), expected)


def test_min_snr_weights_by_hand() -> None:
    levels = torch.tensor([0.99, 0.5, 0.01])
    snr = levels / (1 - levels)
    every = torch.arange(3)
    torch.testing.assert_close(Objective(levels, False, 5.0).weights(every), torch.tensor([5 / 99, 1.0, 1.0]))
    torch.testing.assert_close(Objective(levels, True, 5.0).weights(every), snr.clamp_max(5.0) / (snr + 1))
    torch.testing.assert_close(Objective(levels, True, 0.0).weights(every), torch.ones(3))


def test_weights_stay_finite_at_zero_terminal_snr() -> None:
    levels = torch.tensor([0.5, 0.0])
    for v_prediction in (False, True):
        assert torch.isfinite(Objective(levels, v_prediction, 5.0).weights(torch.arange(2))).all()


def test_a_draw_depends_on_seed_and_step_alone() -> None:
    first, again, later, other = _draw(3), _draw(3), _draw(4), _draw(3, seed=1)
    torch.testing.assert_close(first.noise_BCHW, again.noise_BCHW, rtol=0, atol=0)
    assert torch.equal(first.index_B, again.index_B)
    assert not torch.equal(first.noise_BCHW, later.noise_BCHW)
    assert not torch.equal(first.noise_BCHW, other.noise_BCHW)


def test_every_epoch_shows_every_latent_once_in_another_order() -> None:
    walked = torch.cat([_draw(step, rows=4, latents=10).index_B for step in range(1, 6)]).tolist()
    assert sorted(walked[:10]) == sorted(walked[10:20]) == list(range(10))
    assert walked[:10] != walked[10:20]


def test_noise_levels_are_spread_over_the_batch() -> None:
    for step in range(1, 20):
        levels = _draw(step, rows=4).timestep_B
        assert (levels // 250).tolist() == [0, 1, 2, 3]


def test_caption_dropout_hits_its_share() -> None:
    dropped = torch.cat([_draw(step, rows=8, dropout=0.25).dropped_B for step in range(1, 201)])
    assert 0.2 < dropped.float().mean() < 0.3
    assert not _draw().dropped_B.any()


def test_the_middle_counts_more_and_the_mean_stays() -> None:
    weights = place_weights(16, 12, 4.0)
    assert weights.shape == (16, 12)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[7, 6] / weights[0, 0] == pytest.approx(5.0, rel=0.1)
    torch.testing.assert_close(weights, weights.flip(1))
    torch.testing.assert_close(place_weights(4, 4, 0.0), torch.ones(4, 4))
    # An error at the face costs more than the same error at the edge.
    objective = Objective(torch.tensor([0.5]), False, 0.0)
    places = place_weights(8, 8, 4.0)[None]
    right = torch.zeros(1, *SHAPE)
    face, edge = right.clone(), right.clone()
    face[..., 3, 4], edge[..., 0, 0] = 1.0, 1.0
    one = torch.ones(1)
    assert objective.loss(face, right, one, places) > 3 * objective.loss(edge, right, one, places)


def test_a_head_that_is_known_counts_where_it_is() -> None:
    head = np.zeros((64, 48), bool)
    head[32:, :24] = True
    weights = head_weights(head, 8, 6, 9.0)
    assert weights.shape == (8, 6)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[7, 0] / weights[0, 0] == pytest.approx(10.0)
    assert weights[0, 0] == weights[7, 5]
    torch.testing.assert_close(head_weights(np.zeros((64, 48), bool), 8, 6, 9.0), torch.ones(8, 6))
