"""Coordinates of faces: letterboxes, alignment, and the decoding of a detector's maps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from headshots.faces.detection import CELLS, SIDE, SIZE_UNIT, STRIDE, detections, overlap
from headshots.faces.geometry import CROP, PADDING_GREY, TEMPLATE, align, letterbox, similarity, to_planes


@pytest.mark.parametrize("size", [(128, 128), (300, 100), (90, 401), (1, 1), (2, 700)])
def test_a_letterbox_leads_back_to_the_picture(size: tuple[int, int]) -> None:
    height, width = size
    square, box = letterbox(np.full((height, width, 3), 200, np.uint8), SIDE)
    assert square.shape == (SIDE, SIDE, 3)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[box.top : box.top + box.height, box.left : box.left + box.width] = True
    assert np.all(square[inside] == 200)
    assert np.all(square[~inside] == PADDING_GREY)
    middle = np.array([[box.left + box.width / 2, box.top + box.height / 2]], np.float32)
    assert box.to_picture(middle)[0] == pytest.approx((width / 2, height / 2), abs=0.51 / box.scale)


def test_a_similarity_maps_what_it_was_made_from() -> None:
    angle, scale, shift = 0.4, 2.5, np.array([30.0, -12.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = (TEMPLATE @ turn.T + shift).astype(np.float32)
    matrix = similarity(TEMPLATE, target)
    assert np.allclose(matrix[:, :2], turn, atol=1e-4)
    assert np.allclose(matrix[:, 2], shift, atol=1e-3)


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.3, 1.4), (-0.25, 3.7)])
def test_alignment_puts_the_landmarks_on_the_template(angle: float, scale: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = ((TEMPLATE - 40) @ turn.T + 200).astype(np.float32)
    y, x = np.mgrid[0:400, 0:400] + 0.5
    pixels = np.zeros((400, 400, 3), np.uint8)
    for channel, (left, top) in enumerate(landmarks[[0, 1, 4]]):
        pixels[..., channel] = 255 * np.exp(-((x - left) ** 2 + (y - top) ** 2) / (2 * (2 * scale) ** 2))
    crop = align(pixels, landmarks)
    assert crop.shape == (CROP, CROP, 3)
    for channel, point in enumerate(TEMPLATE[[0, 1, 4]]):
        row, column = np.unravel_index(int(crop[..., channel].argmax()), crop.shape[:2])
        assert (column + 0.5, row + 0.5) == pytest.approx(tuple(point), abs=1.5)


def test_alignment_of_a_large_face_averages_instead_of_skipping_pixels() -> None:
    checkers = (np.indices((1600, 1600)).sum(0) % 2 * 255).astype(np.uint8)
    crop = align(np.repeat(checkers[..., None], 3, 2), TEMPLATE * 16 + 100)
    assert np.all(np.abs(crop[20:60, 20:60].astype(int) - 127) < 10)


def test_planes_are_what_the_nets_read() -> None:
    pixels = np.zeros((2, 4, 5, 3), np.uint8)
    pixels[1, 2, 3] = (0, 255, 51)
    planes = to_planes(pixels)
    assert planes.shape == (2, 3, 4, 5)
    assert planes.dtype == np.float32
    assert planes[1, :, 2, 3] == pytest.approx([-1, 1, -0.6])


def maps(*faces: tuple[int, int, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Heat and geometry of faces (row, column, score, size in pixels), landmarks all at the box's right bottom."""
    heat, geometry = np.full((CELLS, CELLS), 0.01, np.float32), np.zeros((14, CELLS, CELLS), np.float32)
    for row, column, score, size in faces:
        heat[row, column] = score
        geometry[2:4, row, column] = np.log(size / SIZE_UNIT)
        geometry[4:, row, column] = 0.5
    return heat, geometry


def test_a_peak_becomes_a_box_and_landmarks() -> None:
    (face,) = detections(*maps((10, 20, 0.9, 40.0)), 0.4)
    middle = np.array([20.5 * STRIDE, 10.5 * STRIDE])
    assert face.score == pytest.approx(0.9)
    assert np.allclose(face.corners_22, [middle - 20, middle + 20])
    assert np.allclose(face.landmarks_52, middle + 20)


def test_a_cut_off_face_reaches_beyond_the_square() -> None:
    heat, geometry = maps((0, 0, 0.9, 60.0))
    geometry[0, 0, 0] = -2
    (face,) = detections(heat, geometry, 0.4)
    assert face.corners_22[0, 0] < -30


def test_weak_peaks_and_second_looks_at_one_face_are_left_out() -> None:
    one_face = maps((10, 10, 0.9, 60.0), (10, 12, 0.8, 60.0), (25, 25, 0.39, 30.0))
    assert [face.score for face in detections(*one_face, 0.4)] == [pytest.approx(0.9)]
    two_faces = maps((10, 8, 0.6, 40.0), (10, 24, 0.8, 40.0))
    assert [face.score for face in detections(*two_faces, 0.4)] == [pytest.approx(0.8), pytest.approx(0.6)]
    assert detections(*maps(), 0.4) == []


def test_neighbouring_cells_of_one_peak_are_one_face() -> None:
    heat, geometry = maps((10, 10, 0.9, 12.0))
    heat[10, 11] = heat[11, 10] = 0.8
    geometry[2:4] = np.log(12 / SIZE_UNIT)
    assert len(detections(heat, geometry, 0.4)) == 1


def test_overlap_is_intersection_over_union() -> None:
    square = np.array([[0, 0], [10, 10]], np.float32)
    assert overlap(square, square) == pytest.approx(1)
    assert overlap(square, square + 5) == pytest.approx(25 / 175)
    assert overlap(square, square + 20) == 0


def test_a_picture_of_one_pixel_can_be_aligned() -> None:
    crop = align(np.full((1, 1, 3), 9, np.uint8), np.zeros((5, 2), np.float32))
    assert crop.shape == (CROP, CROP, 3)
    assert Image.fromarray(crop).size == (CROP, CROP)
