"""What is painted is mixed with the source as the mask says, without a rim of what was there before."""

from __future__ import annotations

import numpy as np

from services.generator.requests.mixing import cut, mixed

PAINTED = np.full((8, 8, 3), 200, np.uint8)


def mask(*columns: int) -> np.ndarray:
    """The same share in all rows."""
    return np.tile(np.array(columns, np.uint8), (8, 1))


def test_kept_pixels_stay_to_the_bit_and_repainted_ones_are_as_painted() -> None:
    source = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    shares = mask(0, 0, 0, 0, 255, 255, 255, 255)
    found = mixed(PAINTED, source, shares)
    assert np.array_equal(found[:, :4], source[:, :4])
    assert np.array_equal(found[:, 4:], PAINTED[:, 4:])


def test_what_was_behind_the_edge_does_not_shine_through() -> None:
    """Red hair before a green backdrop: the edge shows hair and what is painted, and nothing green."""
    source = np.zeros((8, 8, 3), np.uint8)
    source[:, :3], source[:, 3:] = (180, 0, 0), (0, 255, 0)
    found = mixed(PAINTED, source, mask(0, 0, 0, 51, 102, 204, 255, 255))
    for column, share in ((3, 0.2), (4, 0.4), (5, 0.8)):
        assert np.allclose(found[0, column], share * 200 + (1 - share) * np.array([180, 0, 0]), atol=1)


def test_where_nothing_is_kept_whole_the_sources_own_colours_are_mixed_in() -> None:
    source = np.full((8, 8, 3), 100, np.uint8)
    assert np.allclose(mixed(PAINTED, source, np.full((8, 8), 128, np.uint8)), 150, atol=1)


def test_a_mask_is_cut_at_half() -> None:
    assert cut(np.array([[0, 127, 128, 255]], np.uint8)).tolist() == [[0, 0, 255, 255]]
