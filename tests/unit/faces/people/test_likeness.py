"""The dot product of two vectors says what the distance of dlib's embeddings says."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.people.likeness import SAME_PERSON_DISTANCE, SAME_PERSON_FROM, LikenessSpace
from headshots.imaging.inspection import mean_likeness


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


@pytest.mark.parametrize("photos", [4, 5, 12])
def test_the_threshold_is_dlibs_for_a_face_and_the_mean_of_photos(space: LikenessSpace, photos: int) -> None:
    # Photos that are alike by 0.72, and faces that are as far from each of them.
    apart = 0.413
    rng = np.random.default_rng(2)
    directions = np.linalg.qr(rng.standard_normal((128, 128)))[0]
    own = [space.vector((each * apart / np.sqrt(2)).astype(np.float32)) for each in directions[:photos]]
    assert np.mean([own[0] @ other for other in own[1:]]) == pytest.approx(0.72, abs=0.01)
    for distance, is_same in ((SAME_PERSON_DISTANCE - 0.03, True), (SAME_PERSON_DISTANCE + 0.03, False)):
        reach = np.sqrt(distance**2 - apart**2 / 2)
        told = [mean_likeness(space.vector((each * reach).astype(np.float32)), own) for each in directions[photos:]]
        assert (np.mean(told) >= SAME_PERSON_FROM) == is_same
    assert mean_likeness(own[0], own[1:]) > SAME_PERSON_FROM + 0.2


def test_vectors_have_unit_length_and_are_the_same_in_every_process(space: LikenessSpace) -> None:
    one = pairs(0.5, 1)[0][0]
    vector = space.vector(one)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(LikenessSpace().vector(one), vector)
