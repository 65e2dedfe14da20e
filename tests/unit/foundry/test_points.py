"""The points of a drawn face are where the drawing has them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from foundry.portraits import (
    POINTS,
    Identity,
    Scene,
    face_points,
    face_truth,
    render,
    render_portrait,
    sample_identity,
    sample_scene,
)
from foundry.portraits.canvas import Canvas
from foundry.portraits.figure import figure_of
from foundry.portraits.render import HEAD_X, HEAD_Y

SIZE = 512


def bare_faced(seed: int) -> Identity:
    """Nothing covers the features."""
    return dataclasses.replace(
        sample_identity(seed), glasses="none", beard="none", hair_style="buzz", class_noun="man", lines=0.0, mole=None
    )


def plain(seed: int, **fixed: Any) -> Scene:
    return sample_scene(np.random.default_rng(seed), light="soft studio lighting", **fixed)


def across(picture: np.ndarray, point: np.ndarray, centre: np.ndarray) -> float:
    """How different the colours are a little inwards and a little outwards of a point on an outline, in grey levels."""
    way = (point - centre) / np.linalg.norm(point - centre) * 0.014 * SIZE
    places = [np.rint(point + sign * way - 0.5).astype(int) for sign in (-1, 1)]
    inside, outside = (picture[y - 1 : y + 2, x - 1 : x + 2].astype(float).mean((0, 1)) for x, y in places)
    return float(np.abs(inside - outside).max())


def test_points_have_names_of_their_own() -> None:
    assert len(set(POINTS)) == len(POINTS) == 24
    assert face_points(sample_identity(1), plain(1)).shape == (24, 2)


@pytest.mark.parametrize("feature", ["left eye", "right eye", "mouth"])
def test_outlines_end_at_their_points(feature: str) -> None:
    names = [name for name in POINTS if name.startswith(feature) and not name.endswith("pupil")]
    seen: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(6):
        identity, scene = bare_faced(seed), plain(seed, smile=0.3)
        picture, points = render(identity, scene, SIZE), face_points(identity, scene, SIZE)
        places = {name: points[POINTS.index(name)] for name in names}
        for name, place in places.items():
            seen[name].append(across(picture, place, np.mean(list(places.values()), axis=0)))
    assert {name for name, steps in seen.items() if np.median(steps) < 25} == set()


@pytest.mark.parametrize("seed", range(3))
def test_points_are_the_ends_of_the_outlines_that_are_drawn(seed: int) -> None:
    """Left, right, top and bottom of the mask that an outline fills under the drawing's own transforms."""
    identity, scene = sample_identity(seed), plain(seed, roll=0.0)
    identity = dataclasses.replace(identity, eye_tilt=9.0)
    figure, points, canvas = figure_of(identity, scene), face_points(identity, scene, SIZE), Canvas(SIZE)
    with canvas.moved(HEAD_X + scene.dx, HEAD_Y + scene.dy, scene.zoom):
        masks = {"mouth": canvas.mask(figure.lips())}
        for name, side in (("left eye", -1), ("right eye", 1)):
            with canvas.moved(figure.eye_x(side), figure.eye_line, degrees=figure.eye_tilt(side)):
                masks[name] = canvas.mask(figure.eye_opening())
    for name, mask in masks.items():
        y, x = np.nonzero(mask > 0.3)
        for part, ends in (("left", x == x.min()), ("right", x == x.max()), ("bottom", y == y.max())):
            end = np.array([x[ends].mean(), y[ends].mean()])
            assert np.abs(points[POINTS.index(f"{name} {part}")] - end).max() < 0.012 * SIZE, (name, part)
        top = points[POINTS.index(f"{name} top")].astype(int)
        assert mask[top[1] + 3, top[0]] > 0.9
        assert mask[top[1] - 4, top[0]] < 0.1


def test_pupils_are_dark_and_brows_are_not_skin() -> None:
    for seed in range(6):
        identity, scene = bare_faced(seed), plain(seed)
        picture, points = render(identity, scene, SIZE).astype(float), face_points(identity, scene, SIZE)
        for side in ("left", "right"):
            x, y = points[POINTS.index(f"{side} eye pupil")].astype(int)
            assert picture[y + 2 : y + 5, x].mean() < 60
            x, y = points[POINTS.index(f"{side} brow middle")].astype(int)
            assert np.abs(picture[y, x] - picture[y - int(0.03 * SIZE), x]).max() > 20


def test_the_face_ends_at_the_chin() -> None:
    for seed in range(4):
        identity, scene = sample_identity(seed), plain(seed, roll=0.0)
        x, y = face_points(identity, scene, SIZE)[POINTS.index("chin")].astype(int)
        mask = render_portrait(identity, scene, SIZE).face_mask
        assert mask[y - 4, x] > 0.9
        assert mask[y + 4, x] < 0.1


def test_points_agree_with_the_landmarks_and_follow_the_size() -> None:
    for seed in range(4):
        identity, scene = sample_identity(seed), plain(seed, zoom=1.0 + 0.2 * seed)
        points, (landmarks, _) = face_points(identity, scene), face_truth(identity, scene)
        eyes = [
            points[[POINTS.index(f"{side} eye {end}") for end in ("left", "right")]].mean(0)
            for side in ("left", "right")
        ]
        assert np.abs(eyes - landmarks[:2]).max() < 1.2
        nose, chin = points[POINTS.index("nose tip")], points[POINTS.index("chin")]
        assert np.linalg.norm(nose - landmarks[2]) < 0.2 * np.linalg.norm(nose - chin)
        assert np.allclose(face_points(identity, scene, SIZE), points * 4, atol=1e-3)
