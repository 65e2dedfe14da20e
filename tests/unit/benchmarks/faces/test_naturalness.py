"""A net that tells painted faces from drawn ones, and sees what is broken."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from benchmarks.faces import breaking
from benchmarks.faces.naturalness import FEATURES, Crops, Lessons, NaturalnessNet, looked_at, teach
from benchmarks.faces.precision import knn_precision
from foundry.faces.hard_pairs import roc_area
from foundry.faces.landmarker import upright
from foundry.latents import to_tensor
from foundry.portraits import face_points, render_portrait, sample_identity, sample_scene

pytestmark = pytest.mark.usefixtures("one_thread")


def crops_of(first: int, count: int, ways: Mapping[str, breaking.Break] | None = None) -> Crops:
    """Upright faces of people held out, by their true landmarks; broken in turns where `ways` are given."""
    rng = np.random.default_rng(first)
    pictures, points = [], []
    for number in range(count):
        identity, scene = sample_identity(1_710_000 + first + number), sample_scene(rng)
        portrait = render_portrait(identity, scene, 128)
        points.append(face_points(identity, scene, 128))
        way = list(ways.values())[number % len(ways)] if ways else None
        pictures.append(portrait.pixels if way is None else way(portrait, points[-1], rng))
    cut = upright(to_tensor(np.stack(pictures)), torch.from_numpy(np.stack(points) / 128))
    return np.asarray(((cut.clamp(-1, 1) + 1) * 127.5).round().byte())


def squares(count: int, side: int, seed: int) -> Crops:
    """Grey noise with a bright square of `side` pixels in the middle."""
    crops = np.random.default_rng(seed).integers(90, 110, (count, 3, 96, 96)).astype(np.uint8)
    crops[:, :, 48 - side // 2 : 48 + side // 2, 48 - side // 2 : 48 + side // 2] = 200
    return crops


def test_a_net_learns_what_it_was_taught() -> None:
    taught = Lessons(squares(24, 40, 0), squares(24, 24, 1), np.arange(24) % 2, squares(24, 8, 2))
    net = teach(taught, steps=40, seed=3)
    drawn, drawn_scores = looked_at(net, squares(12, 40, 4))
    painted, painted_scores = looked_at(net, squares(12, 8, 5))
    assert drawn.shape == (12, FEATURES)
    # A net that learned nothing ranks squares too, but takes all for one kind.
    assert drawn_scores.min() > 0 > painted_scores.max()
    assert roc_area(drawn_scores, painted_scores) == 1
    assert knn_precision(drawn, looked_at(net, squares(12, 40, 6))[0]) > knn_precision(drawn, painted)


def test_a_seed_gives_the_same_net_again() -> None:
    taught = Lessons(squares(4, 40, 0), squares(8, 24, 1), np.arange(8) % 2, squares(4, 8, 2))
    first, again, other = (looked_at(teach(taught, steps=2, seed=seed), squares(3, 40, 4))[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_crops_are_looked_at_alike_alone_and_among_many() -> None:
    net = NaturalnessNet(ways=2).eval()
    crops = squares(70, 20, 1)
    np.testing.assert_allclose(looked_at(net, crops)[0][66:67], looked_at(net, crops[66:67])[0], atol=1e-5)


def test_lessons_need_all_three_kinds_and_whole_rounds_of_broken_ones() -> None:
    some, none = squares(4, 8, 0), squares(0, 8, 0)
    with pytest.raises(ValueError, match="no painted crops"):
        Lessons(some, some, np.zeros(4, np.int64), none)
    with pytest.raises(ValueError, match="3 broken crops of 4 drawn"):
        Lessons(some, some[:3], np.zeros(3, np.int64), some)
    with pytest.raises(ValueError, match="2 of them with their way"):
        Lessons(some, some, np.zeros(2, np.int64), some)


@pytest.mark.slow
def test_broken_faces_lie_less_among_true_ones_than_true_ones_do() -> None:
    """Of other people than those that taught: each way to break a face is seen. Soft crops stand for painted ones."""
    soft = torch.nn.functional.avg_pool2d(torch.from_numpy(crops_of(3000, 150)).float(), 3, 1, 1).byte().numpy()
    ways = np.arange(500) % len(breaking.WAYS)
    net = teach(Lessons(crops_of(0, 500), crops_of(0, 500, breaking.WAYS), ways, soft), steps=1200, seed=0)
    compared, _ = looked_at(net, crops_of(1000, 500))
    true = knn_precision(compared, looked_at(net, crops_of(2000, 150))[0])
    assert true > 0.7
    for name, way in breaking.WAYS.items():
        broken = knn_precision(compared, looked_at(net, crops_of(2000, 150, {name: way}))[0])
        assert broken < true - 0.1, name
