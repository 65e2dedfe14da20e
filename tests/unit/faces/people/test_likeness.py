"""The dot product of two vectors says what the distance of dlib's embeddings says."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.people.likeness import SAME_PERSON_DISTANCE, SAME_PERSON_FROM, LikenessSpace


@pytest.fixture(scope="module")
def space() -> LikenessSpace:
    return LikenessSpace()


def pairs(distance: float, count: int = 100) -> list[tuple[np.ndarray, np.ndarray]]:
    """Embeddings so far apart, as long as dlib's are."""
    rng = np.random.default_rng(1)
    made = []
    for _ in range(count):
        one, step = rng.standard_normal(128), rng.standard_normal(128)
        one *= 1.4 / np.linalg.norm(one)
        made.append((one.astype(np.float32), (one + step * distance / np.linalg.norm(step)).astype(np.float32)))
    return made


@pytest.mark.parametrize(("distance", "expected"), [(0.0, 1.0), (0.3, 0.841), (0.6, 0.5), (0.8, 0.292), (1.2, 0.0625)])
def test_a_distance_has_its_dot_product(space: LikenessSpace, distance: float, expected: float) -> None:
    told = [float(space.vector(one) @ space.vector(other)) for one, other in pairs(distance)]
    assert np.mean(told) == pytest.approx(expected, abs=0.005)
    assert np.std(told) < 0.015


def test_the_threshold_is_dlibs(space: LikenessSpace) -> None:
    for distance, is_same in ((SAME_PERSON_DISTANCE - 0.02, True), (SAME_PERSON_DISTANCE + 0.02, False)):
        told = [float(space.vector(one) @ space.vector(other)) >= SAME_PERSON_FROM for one, other in pairs(distance)]
        assert told == [is_same] * len(told)


def test_vectors_have_unit_length_and_are_the_same_in_every_process(space: LikenessSpace) -> None:
    one = pairs(0.5, 1)[0][0]
    vector = space.vector(one)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(LikenessSpace().vector(one), vector)
