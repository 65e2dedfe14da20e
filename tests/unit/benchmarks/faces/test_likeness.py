"""Who a portrait is taken for: at a threshold, between doubles and true renders, among look-alikes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.faces.likeness import Floats, face_share, false_match_rate, likeness, rank1_lookalikes, verified


def unit(*angles: float) -> Floats:
    """Vectors of the plane by their degrees."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_a_portrait_is_verified_by_its_mean_over_the_photos() -> None:
    photos = unit(0, 60)
    # Of 30 degrees both cosines are 0.87; of 0 they are 1 and 0.5; of 90 they are 0 and 0.87.
    assert verified(unit(30, 0, 90), photos, 0.8).tolist() == [True, False, False]
    assert verified(unit(30, 0, 90), photos, 0.74).tolist() == [True, True, False]


def test_a_false_match_is_a_strangers_picture_and_never_ones_own() -> None:
    gallery = np.stack([unit(0, 2), unit(5, 90), unit(180, 182)])
    # At 0.9 the second person's first picture is taken for the first person, and nobody else for anybody.
    assert false_match_rate(gallery, 0.9) == pytest.approx(1 / 12)
    assert false_match_rate(gallery, 0.9999) == 0


def test_the_share_of_the_face_goes_from_doubles_to_true_renders() -> None:
    assert face_share(0.5, 0.9, 0.5) == 0
    assert face_share(0.9, 0.9, 0.5) == 1
    assert face_share(0.7, 0.9, 0.5) == pytest.approx(0.5)
    assert face_share(0.4, 0.9, 0.5) < 0
    with pytest.raises(ValueError, match="Retrain it with hard pairs"):
        face_share(0.7, 0.5, 0.5)


def test_likeness_is_the_mean_over_all_pairs() -> None:
    assert likeness(unit(0, 60), unit(0, 60)) == pytest.approx(0.75)


def test_a_portrait_names_its_person_only_if_no_double_is_nearer() -> None:
    own, others = unit(0), unit(120, 240)[:, None]
    portraits = unit(1, 8, 100)
    assert rank1_lookalikes(portraits, own, np.empty((0, 1, 2), np.float32), others, 3) == pytest.approx(2 / 3)
    assert rank1_lookalikes(portraits, own, unit(10)[:, None], others, 4) == pytest.approx(1 / 3)


def test_so_many_of_the_others_are_in_the_gallery_that_it_has_its_size() -> None:
    own, others = unit(0), unit(120, 5)[:, None]
    portraits = unit(4)
    assert rank1_lookalikes(portraits, own, unit(90)[:, None], others, people=3) == 1
    assert rank1_lookalikes(portraits, own, unit(90)[:, None], others, people=4) == 0
