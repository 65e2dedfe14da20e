"""Maps become points, points turn faces upright, and what spoils pictures moves their points with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from foundry.faces.judge_stages import landmark_loss, mistaken
from foundry.faces.landmarker import CELLS, CROP, TEMPLATE, Landmarker, centres, upright
from foundry.faces.softening import PATCH, as_painted, bent, cosines
from foundry.portraits import POINTS, face_points, sample_identity, sample_scene


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(side: int) -> torch.Tensor:
    """A picture whose first two channels say where each pixel is, in sides of the picture: [1, 3, side, side]."""
    place = (torch.arange(side) + 0.5) / side
    x, y = place.expand(side, side), place[:, None].expand(side, side)
    return torch.stack([x, y, torch.zeros(side, side)])[None]


def test_a_point_is_its_maps_centre_of_mass() -> None:
    logits = torch.full((1, 2, CELLS, CELLS), -50.0)
    logits[0, 0, 10, 20] = 0
    logits[0, 1, 30, 40] = logits[0, 1, 30, 44] = 0
    points, spread = centres(logits)
    assert torch.allclose(points[0], torch.tensor([[20.5, 10.5], [42.5, 30.5]]) / CELLS)
    assert spread[0].tolist() == pytest.approx([0, 2 / CELLS], abs=1e-4)


@pytest.mark.parametrize(("scale", "degrees"), [(0.5, 0), (0.6, 25), (0.45, -40)])
def test_faces_are_turned_upright_exactly(scale: float, degrees: float) -> None:
    turn = torch.polar(torch.tensor(scale), torch.tensor(degrees).deg2rad())
    away = torch.view_as_complex((TEMPLATE - CROP / 2) / CROP)
    points = torch.view_as_real(away * turn) + torch.tensor([0.52, 0.47])
    crop = upright(coordinates(160), points[None])
    assert crop.shape == (1, 3, CROP, CROP)
    grid = torch.view_as_complex((coordinates(CROP)[0, :2] - 0.5).permute(1, 2, 0).contiguous())
    expected = torch.view_as_real(grid * turn) + torch.tensor([0.52, 0.47])
    assert torch.allclose(crop[0, :2].permute(1, 2, 0), expected, atol=1e-4)


def test_the_template_is_the_mean_face() -> None:
    rng, faces = np.random.default_rng(3), []
    for seed in range(60):
        scene = sample_scene(rng, yaw=0.0, roll=0.0, smile=0.4)
        faces.append(face_points(sample_identity(seed), scene) / scene.zoom)
    mean = torch.from_numpy(np.mean(faces, axis=0))
    expected = (TEMPLATE - TEMPLATE.mean(0)) / 1.4
    assert float((mean - mean.mean(0) - expected).abs().max()) < 0.6


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="128 x 128 pixels, not \\(64, 64\\): resize"):
        Landmarker()(torch.zeros(1, 3, 64, 64))


def test_the_loss_of_points_is_least_where_they_are_and_ignores_those_outside() -> None:
    points = torch.tensor([[[0.3, 0.6], [1.4, 0.5]]])
    place = (torch.arange(CELLS) + 0.5) / CELLS
    losses = []
    for shift in (0.0, 0.05):
        away = (place - points[0, 0, 0] - shift)[None, :] ** 2 + (place - points[0, 0, 1])[:, None] ** 2
        maps = (-away * CELLS**2 / 2).expand(1, 2, CELLS, CELLS)
        losses.append(float(landmark_loss(maps, points)))
    assert losses[0] < 0.6
    assert losses[1] > losses[0] + 3, "3.2 cells off"


def test_painted_patches_keep_their_means_and_lose_their_details() -> None:
    waves = cosines()
    assert torch.allclose(waves @ waves.T, torch.eye(PATCH), atol=1e-6)
    pixels = torch.rand(4, 3, 32, 32, generator=random()) - 0.5
    assert torch.equal(as_painted(pixels, random(), share=0.0), pixels)
    painted = as_painted(pixels, random(), share=1.0)
    pooled, before = (torch.nn.functional.avg_pool2d(each, PATCH) for each in (painted, pixels))
    assert float((pooled - before).abs().max()) < 0.1
    assert float(painted.var()) < 0.8 * float(pixels.var())


def test_bent_pictures_carry_their_points_along() -> None:
    points = torch.tensor([[[0.3, 0.4], [0.6, 0.7]]]).repeat(8, 1, 1)
    pixels, moved = bent(coordinates(64).repeat(8, 1, 1, 1), points, random(), strength=0.02)
    assert float((moved - points).norm(dim=2).mean()) > 0.01
    shown = torch.nn.functional.grid_sample(pixels[:, :2], 2 * moved[:, None] - 1, align_corners=False)
    assert torch.allclose(shown[:, :, 0].transpose(1, 2), points, atol=2e-3)


def test_mistaken_points_are_off_by_little_and_each_by_itself() -> None:
    points = TEMPLATE.expand(500, len(POINTS), 2) / CROP
    off = (mistaken(points, random()) - points) * 128
    assert float(off.std()) == pytest.approx(1.6, abs=0.3)
    alone = off - off.mean(1, keepdim=True)
    assert float(alone.std()) > 1
