"""Faces are cut as dlib cuts them: upright, at its size, without skipping pixels."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.people.chips import age_chip, cut, embedder_chip

# Where dlib 20.0.1 puts the landmarks: `get_face_chip_details(shape, 150, 0.25)`, and (shape, 64, 0.2).
DLIB_CHIP = np.array([(110.96, 46.35), (89.61, 47.90), (37.06, 46.37), (58.41, 47.91), (74.01, 87.78)], np.float32)


AGE_CHIP = np.array([(48.44, 18.90), (38.68, 19.61), (14.65, 18.91), (24.42, 19.61), (31.55, 37.84)], np.float32)


@pytest.mark.parametrize("angle", [0.0, 0.6, -2.5])
@pytest.mark.parametrize("scale", [0.8, 1.0])
def test_landmarks_come_to_where_dlib_has_them(angle: float, scale: float) -> None:
    turn = scale * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    points = (DLIB_CHIP + 0.5 - 75) @ turn.T + (160, 150)
    pixels = np.zeros((300, 320, 3), np.uint8)
    for number, (x, y) in enumerate(points):
        # A square of four pixels around each point, in a brightness of its own.
        pixels[round(y) - 2 : round(y) + 2, round(x) - 2 : round(x) + 2] = 100 + 30 * number
    found = embedder_chip(pixels, points.astype(np.float32))
    assert found.shape == (150, 150, 3)
    # Whole numbers are the middles of pixels to dlib.
    for number, (x, y) in enumerate(DLIB_CHIP + 0.5):
        around = found[round(y) - 1 : round(y) + 1, round(x) - 1 : round(x) + 1]
        assert abs(int(np.median(around)) - (100 + 30 * number)) <= 6, number


def test_a_large_face_is_shrunk_before_it_is_sampled() -> None:
    checkered = np.indices((1000, 1200)).sum(axis=0) % 2 * 255
    pixels = np.repeat(checkered[..., None], 3, axis=2).astype(np.uint8)
    small = cut(pixels, np.array([[6.5, 0, 150.5], [0, 6.5, 60]]), 100)
    assert small.min() >= 120
    assert small.max() <= 135


@pytest.mark.parametrize("scale", [1.0, 2.5, 5.9, 7.5, 12.2, 31.0])
def test_each_pixel_is_from_where_the_matrix_says_however_large_the_face(scale: float) -> None:
    # Grey rises by one in 16 pixels from the top, and in 16 from the left.
    rows, columns = np.indices((3200, 3200)).astype(np.float32)
    pixels = np.stack([rows / 16, columns / 16, rows / 16], axis=2).astype(np.uint8)
    small = cut(pixels, np.array([[scale, 0, 37.0], [0, scale, 61.0]]), 100).astype(np.float32)
    at = (np.arange(100) + 0.5) * scale
    np.testing.assert_allclose(small[..., 0], np.broadcast_to((at + 61)[:, None] / 16 - 0.5, (100, 100)), atol=1.3)
    np.testing.assert_allclose(small[..., 1], np.broadcast_to((at + 37) / 16 - 0.5, (100, 100)), atol=1.3)


def test_what_lies_beyond_the_picture_is_black() -> None:
    picture = np.full((50, 60, 3), 200, np.uint8)
    half = cut(picture, np.array([[1.0, 0, 30], [0, 1.0, 0]]), 50)
    assert half[25, 10].tolist() == [200, 200, 200]
    assert half[25, 40].tolist() == [0, 0, 0]
    for x, y in ((500, 500), (-500, 10), (10, -500)):
        assert cut(picture, np.array([[1.0, 0, x], [0, 1.0, y]]), 50).max() == 0
        assert cut(picture, np.array([[9.0, 0, x], [0, 9.0, y]]), 50).max() == (200 if (x, y) == (10, -500) else 0)


def test_the_picture_for_ages_is_smaller_and_closer() -> None:
    points = (DLIB_CHIP + 0.5 - 75) + (160, 150)
    for (x, y), expected in zip(points, AGE_CHIP + 0.5, strict=True):
        pixels = np.zeros((300, 320, 3), np.uint8)
        left, top = round(x) - 4, round(y) - 4
        pixels[top : top + 8, left : left + 8] = 255
        found = age_chip(pixels, points.astype(np.float32))
        assert found.shape == (64, 64, 3)
        weight = found[..., 0].astype(float)
        rows, columns = np.indices(weight.shape) + 0.5
        centre = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
        # The square's own middle is up to half a pixel, here 0.2, from the point.
        np.testing.assert_allclose(centre, expected, atol=0.5)
