"""Outlines and their sharpness against the truth."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.faces.edges import eyes_of, gradient_energy, outline_of, overlap, sharpness
from foundry.portraits import face_points, render, sample_identity, sample_scene


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.indices((128, 128)) + 0.5
    return np.asarray(np.hypot(columns - x, rows - y) <= radius)


def test_overlap_is_intersection_over_union() -> None:
    head = disc(64, 64, 30)
    nobody = np.zeros_like(head)
    assert overlap(head, head) == 1
    assert overlap(head, nobody) == 0
    assert overlap(nobody, nobody) == 1
    assert overlap(head, disc(64, 64, 15)) == pytest.approx(0.25, abs=0.02)
    # A head of 30 pixels that stands a pixel aside: what 0.95 asks for.
    assert 0.94 < overlap(head, disc(65, 64, 30)) < 0.97


def test_an_outline_is_a_band_around_the_edge_and_not_along_the_pictures() -> None:
    band = outline_of(disc(64, 128, 40))
    assert band[128 - 40, 64]
    assert not band[127, 64]
    assert not band[100, 64]
    rows, columns = np.nonzero(band)
    away = np.abs(np.hypot(columns + 0.5 - 64, rows + 0.5 - 128) - 40)
    assert away.max() < 4


def test_softer_eyes_have_less_gradient_energy() -> None:
    identity, scene = sample_identity(1_700_020), sample_scene(np.random.default_rng(1))
    picture = render(identity, scene)
    eyes = eyes_of(face_points(identity, scene, 128) / np.float32(128), 128)
    soft = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1.0)))
    true = gradient_energy(picture, eyes)
    assert sharpness([true, true], [true, true]) == 1
    assert sharpness([gradient_energy(soft, eyes)], [true]) < 0.8
    harsh = np.asarray(Image.fromarray(picture).filter(ImageFilter.UnsharpMask(1, 150, 0)))
    assert sharpness([gradient_energy(harsh, eyes)], [true]) > 1.2
    assert 30 < eyes.sum() < 600


def test_no_head_has_no_edges() -> None:
    assert gradient_energy(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool)) == 0


def test_gradient_energy_counts_grey_levels_a_pixel() -> None:
    ramp = np.repeat(np.arange(0, 80, 10, dtype=np.uint8)[None, :, None], 8, axis=0).repeat(3, axis=2)
    assert gradient_energy(ramp, np.ones((8, 8), bool)) == pytest.approx(100, rel=1e-3)
