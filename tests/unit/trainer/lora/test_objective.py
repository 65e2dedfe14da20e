"""Noise, targets and weights, compared with diffusers and the papers' formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from services.trainer.lora.objective import Draw, Head, LossMasks, Objective, centre_weights, draw_step

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


def test_the_middle_has_more_weight_and_the_mean_is_one() -> None:
    weights = centre_weights(16, 12, 4.0)
    assert weights.shape == (16, 12)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[7, 6] / weights[0, 0] == pytest.approx(5.0, rel=0.1)
    torch.testing.assert_close(weights, weights.flip(1))
    torch.testing.assert_close(centre_weights(4, 4, 0.0), torch.ones(4, 4))
    # An error at the face costs more than the same error at the edge.
    objective = Objective(torch.tensor([0.5]), False, 0.0)
    weights_BHW = centre_weights(8, 8, 4.0)[None]
    right = torch.zeros(1, *SHAPE)
    face, edge = right.clone(), right.clone()
    face[..., 3, 4], edge[..., 0, 0] = 1.0, 1.0
    one = torch.ones(1)
    assert objective.loss(face, right, one, weights_BHW) > 3 * objective.loss(edge, right, one, weights_BHW)


def test_scenes_are_named_in_their_share_of_rows_and_change_nothing_else() -> None:
    def draw(step: int, scenes: int, share: float) -> Draw:
        return draw_step(
            0, step, stream=0, latents=4, rows=8, levels=9, dropout=0.5, shape=SHAPE, scenes=scenes, scene_share=share
        )  # fmt: skip

    with_scenes = [draw(step, 5, 0.75) for step in range(1, 101)]
    scenes = torch.cat([each.scene_B for each in with_scenes])
    assert 0.7 < (scenes >= 0).float().mean() < 0.8
    assert set(scenes.tolist()) == {-1, 0, 1, 2, 3, 4}
    without = draw(1, 0, 0.75)
    assert without.scene_B.tolist() == [-1] * 8
    for name in ("index_B", "timestep_B", "noise_BCHW", "dropped_B"):
        assert torch.equal(getattr(without, name), getattr(with_scenes[0], name)), name


def _head(face: np.ndarray, hair: np.ndarray | None = None, cells: tuple[int, int] = (8, 8)) -> Head:
    hair = np.zeros_like(face) if hair is None else hair
    return Head.of_parts(face, hair, *cells, face_weight=9.0, hair_weight=4.0)


def test_a_known_head_has_more_weight_where_it_is() -> None:
    face, hair = np.zeros((64, 48), bool), np.zeros((64, 48), bool)
    face[32:, :24], hair[:32, :24] = True, True
    weights = _head(face, hair, (8, 6)).cell_weights
    assert weights.shape == (8, 6)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[7, 0] / weights[0, 5] == pytest.approx(10.0)
    assert weights[0, 0] / weights[0, 5] == pytest.approx(5.0)
    assert weights[0, 5] == weights[7, 5]
    torch.testing.assert_close(_head(np.zeros((64, 48), bool), None, (8, 6)).cell_weights, torch.ones(8, 6))


def test_a_cells_share_of_head_is_that_of_its_pixels() -> None:
    face, hair = np.zeros((16, 16), bool), np.zeros((16, 16), bool)
    face[:4, :8], hair[4:8, :8] = True, True
    head = _head(face, hair, (2, 2))
    torch.testing.assert_close(head.share_HW, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(head.weight_HW, torch.tensor([[7.5, 0.0], [0.0, 0.0]]))


def test_cells_around_a_head_have_no_weight_at_high_noise() -> None:
    face, none = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    face[24:40, 24:40] = True
    masks = LossMasks.of_heads([_head(face), _head(none)], surround_weight=2.0, margin=1 / 8)
    assert masks.has_head_B.tolist() == [True, False]
    own, weight = masks.photo_share_BHW[0], masks.weight_BHW[0]
    assert torch.equal(own[2:6, 2:6], torch.ones(4, 4))
    assert own.sum() == 16
    assert weight.mean() == pytest.approx(1.0)
    assert weight[2, 2] == weight[5, 4] == 0
    assert weight[3, 3] / weight[0, 0] == pytest.approx(5.0)
    # At low noise the edge has the weight of the surroundings.
    edge = masks.edge_weight_BHW[0]
    assert edge[2, 2] == edge[5, 4] == weight[0, 0]
    assert edge[3, 3] == edge[0, 0] == 0
    # Where no head was found the whole photo is the target, with equal weights.
    assert torch.equal(masks.photo_share_BHW[1], torch.ones(8, 8))
    torch.testing.assert_close(masks.weight_BHW[1], torch.ones(8, 8))
    of_photos = LossMasks.of_photos([torch.ones(8, 8)])
    assert torch.equal(of_photos.photo_share_BHW, torch.ones(1, 8, 8))
    assert of_photos.has_head_B.tolist() == [False]
