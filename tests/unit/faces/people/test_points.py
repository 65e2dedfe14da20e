"""dlib's predictor of landmarks: a small made-up one, read from a file and followed tree by tree in plain Python."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest

from headshots.faces.people.installing.dat import DatError
from headshots.faces.people.installing.shapes import convert
from headshots.faces.people.points import Trees
from tests.support.faces import dlib_files

CASCADES, TREES, SPLITS, PLACES = 2, 3, 3, 8
MEAN = [0.8, 0.3, 0.6, 0.35, 0.2, 0.3, 0.4, 0.35, 0.5, 0.7]
BOX = (10, 12, 49, 51)


class Made:
    """Random trees, as lists and as a file."""

    def __init__(self, leaves: int = SPLITS + 1, mean: list[float] = MEAN) -> None:
        draw = random.Random(3)
        self.mean = mean
        self.cascades: list[list[dlib_files.Tree]] = [
            [
                (
                    [(draw.randrange(PLACES), draw.randrange(PLACES), draw.uniform(-60, 60)) for _ in range(SPLITS)],
                    [[draw.uniform(-0.02, 0.02) for _ in mean] for _ in range(leaves)],
                )
                for _ in range(TREES)
            ]
            for _ in range(CASCADES)
        ]
        self.anchors = [[draw.randrange(5) for _ in range(PLACES)] for _ in range(CASCADES)]
        self.deltas = [
            [(draw.uniform(-0.2, 0.2), draw.uniform(-0.2, 0.2)) for _ in range(PLACES)] for _ in range(CASCADES)
        ]

    @property
    def data(self) -> bytes:
        return dlib_files.predictor(self.mean, self.cascades, self.anchors, self.deltas)

    def predict(self, grey_HW: np.ndarray) -> np.ndarray:
        """One tree after the other, complex numbers for points."""
        mean = np.array(self.mean).reshape(5, 2) @ [1, 1j]
        shape = mean.copy()
        for trees, anchors, deltas in zip(self.cascades, self.anchors, self.deltas, strict=True):
            spread = mean - mean.mean()
            turn = np.vdot(spread, shape - shape.mean()) / np.vdot(spread, spread)
            grey = []
            for anchor, (x, y) in zip(anchors, deltas, strict=True):
                place = shape[anchor] + turn * (x + 1j * y)
                column, row = (
                    math.floor(39 * part + edge + 0.5) for part, edge in ((place.real, 10), (place.imag, 12))
                )
                inside = 0 <= column < grey_HW.shape[1] and 0 <= row < grey_HW.shape[0]
                grey.append(int(grey_HW[row, column]) if inside else 0)
            for splits, leaves in trees:
                node = 0
                while node < SPLITS:
                    one, other, threshold = splits[node]
                    node = 2 * node + (1 if grey[one] - grey[other] > threshold else 2)
                shape = shape + np.array(leaves[node - SPLITS]).reshape(5, 2) @ [1, 1j]
        return np.stack([39 * shape.real + 10, 39 * shape.imag + 12], axis=1)


def test_points_are_where_the_trees_lead_to(tmp_path: Path) -> None:
    made = Made()
    convert(made.data).save(tmp_path / "points.npz")
    trees = Trees.load(tmp_path / "points.npz")
    found = []
    for seed in range(20):
        grey = np.random.default_rng(seed).integers(0, 256, (45, 60)).astype(np.uint8)
        pixels = np.repeat(grey[..., None], 3, axis=2)
        found.append(trees.predict(pixels, BOX))
        np.testing.assert_allclose(found[-1], made.predict(grey), atol=1e-3)
    assert np.ptp(np.stack(found), axis=0).max() > 0.5, "all pictures lead to the same leaves: nothing is tested"


def test_grey_is_the_mean_of_the_colours_rounded_down() -> None:
    trees = convert(Made().data)
    rng = np.random.default_rng(5)
    colours = rng.integers(0, 256, (45, 60, 3)).astype(np.uint8)
    grey = (colours.astype(int).sum(axis=2) // 3).astype(np.uint8)
    told = trees.predict(np.repeat(grey[..., None], 3, axis=2), BOX)
    assert trees.predict(colours, BOX).tolist() == told.tolist()


def test_another_file_is_refused() -> None:
    whole = Made().data
    with pytest.raises(DatError, match="version"):
        convert(b"\x01\x02" + whole[2:])
    with pytest.raises(DatError, match="of 68 points"):
        convert(Made(mean=[0.5] * 136).data)
    with pytest.raises(DatError, match="left"):
        convert(whole + b"\x01\x01")
    with pytest.raises(DatError):
        convert(whole[:-3])


def test_a_file_that_is_no_predictor_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "points.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ValueError, match=r"points\.npz"):
        Trees.load(tmp_path / "points.npz")
