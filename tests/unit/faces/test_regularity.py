"""Faces whose parts stand as true renders' do, and such whose do not."""

from __future__ import annotations

import numpy as np
import pytest

from foundry.portraits import FIRST_HELD_OUT, POINTS, face_points, sample_identity, sample_scene
from headshots.faces.regularity import Points, Regularity, learn_regularity

_PEOPLE = FIRST_HELD_OUT + 700_000


def true_points(first: int, count: int) -> Points:
    """Landmarks of studio renders as exactly as a good landmarker tells them: [N, P, 2], 0..1."""
    rng = np.random.default_rng(first)
    drawn = [face_points(sample_identity(_PEOPLE + first + n), sample_scene(rng), 128) for n in range(count)]
    return np.asarray(np.stack(drawn) / 128 + rng.normal(0, 0.3 / 128, (count, len(POINTS), 2)), np.float32)


@pytest.fixture(scope="module")
def learned() -> Regularity:
    return learn_regularity(true_points(0, 300), true_points(300, 300))


def moved(points_NP2: Points, part: str, by: tuple[float, float]) -> Points:
    """Everything of a part moved by pixels of 128."""
    changed = points_NP2.copy()
    changed[:, [name.startswith(part) for name in POINTS]] += np.array(by, np.float32) / 128
    return changed


def test_fresh_true_renders_are_regular(learned: Regularity) -> None:
    assert learned.regular(true_points(600, 300)).mean() >= 0.97


@pytest.mark.parametrize(
    ("part", "by"),
    [("left eye", (0, 3)), ("right eye", (0, -3)), ("left brow", (0, -5)), ("mouth", (5, 0)), ("right eye", (5, 0))],
)
def test_a_part_in_the_wrong_place_is_irregular(learned: Regularity, part: str, by: tuple[float, float]) -> None:
    points = true_points(900, 60)
    assert learned.regular(points).mean() >= 0.95
    assert learned.regular(moved(points, part, by)).mean() <= 0.2


def test_place_size_and_turn_of_the_whole_face_do_not_count(learned: Regularity) -> None:
    points = true_points(960, 20)
    turn = np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]], np.float32)
    turned: Points = np.asarray(0.7 * points @ turn + 0.1, np.float32)
    assert learned.distances(turned) == pytest.approx(learned.distances(points), rel=1e-3)


def test_the_limit_comes_from_others_than_the_arrangement() -> None:
    points = true_points(0, 40)
    wild = points + np.random.default_rng(1).normal(0, 0.02, points.shape).astype(np.float32)
    assert learn_regularity(points, wild).limit > 3 * learn_regularity(points, points).limit
    with pytest.raises(ValueError, match="hundreds are wanted"):
        learn_regularity(points, points[:1])
