"""How much of what is painted lies among true renders."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.faces.precision import knn_precision


def test_each_reference_reaches_as_far_as_its_third_neighbour() -> None:
    # On a line: the crowd at 0 .. 3, and one far away whose third neighbour is 9 from it.
    reference = np.array([[0], [1], [2], [3], [10]], np.float32)
    asked = np.array([[-2.9], [-3.1], [4.9], [18.9], [19.1]], np.float32)
    assert knn_precision(reference, asked, kept=1) == pytest.approx(3 / 5)
    assert knn_precision(reference, asked[[0, 2, 3]], kept=1) == 1
    assert knn_precision(reference, asked[[1, 4]], kept=1) == 0


def test_a_reference_far_from_all_others_covers_nothing() -> None:
    reference = np.concatenate([np.arange(40), [1000]]).astype(np.float32)[:, None]
    near_the_outlier = np.array([[900.0]], np.float32)
    assert knn_precision(reference, near_the_outlier, kept=1) == 1
    assert knn_precision(reference, near_the_outlier) == 0
    assert knn_precision(reference, np.array([[20.3]], np.float32)) == 1


def test_fewer_neighbours_reach_less_far() -> None:
    reference = np.array([[0], [1], [2], [3], [10]], np.float32)
    assert knn_precision(reference, np.array([[-1.5]], np.float32), neighbours=1) == 0
    assert knn_precision(reference, np.array([[-1.5]], np.float32), neighbours=2) == 1
    with pytest.raises(ValueError, match="give more"):
        knn_precision(reference, reference, neighbours=5)
