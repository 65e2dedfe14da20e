"""Faces that are broken on purpose: each way changes its part of the picture, and nothing far from it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.faces import breaking
from foundry.portraits import Portrait, face_points, render_portrait, sample_identity, sample_scene
from headshots.faces.base import Part


@pytest.fixture(scope="module")
def drawn() -> tuple[Portrait, breaking.Floats]:
    identity, scene = sample_identity(1_700_010), sample_scene(np.random.default_rng(1))
    return render_portrait(identity, scene, 128), face_points(identity, scene, 128)


def places(name: str, points_P2: breaking.Floats) -> list[breaking.Floats]:
    parts = ("left eye", "right eye") if "eye" in name else ("mouth",)
    return [breaking.centre_of(points_P2, part) for part in parts]


@pytest.mark.parametrize("name", [name for name in breaking.WAYS if name != "blurred hair"])
def test_an_eye_or_the_mouth_changes_and_nothing_else(name: str, drawn: tuple[Portrait, breaking.Floats]) -> None:
    portrait, points_P2 = drawn
    broken = breaking.WAYS[name](portrait, points_P2, np.random.default_rng(2))
    changed = np.abs(broken.astype(int) - portrait.pixels).max(axis=2) > 12
    assert changed.sum() > 15
    rows, columns = np.nonzero(changed)
    nearest = min(
        float(np.hypot(columns + 0.5 - x, rows + 0.5 - y).max()) for x, y in map(tuple, places(name, points_P2))
    )
    assert nearest < 30


def test_blurred_hair_leaves_the_eyes(drawn: tuple[Portrait, breaking.Floats]) -> None:
    portrait, points_P2 = drawn
    broken = breaking.blurred_hair(portrait, points_P2, np.random.default_rng(2))
    changed = np.abs(broken.astype(int) - portrait.pixels).max(axis=2) > 12
    assert changed[portrait.parts == Part.HAIR].mean() > 0.02
    for x, y in places("eye", points_P2):
        assert not changed[int(y) - 3 : int(y) + 3, int(x) - 3 : int(x) + 3].any()


def test_a_squeezed_eye_is_lower_by_half_or_more(drawn: tuple[Portrait, breaking.Floats]) -> None:
    """Rows above the eye's middle show what was further from it."""
    portrait, points_P2 = drawn
    broken = breaking.squeezed_eye(portrait, points_P2, np.random.default_rng(2))
    changed = np.abs(broken.astype(int) - portrait.pixels).max(axis=2) > 12
    side = 0 if changed[:, :64].sum() > changed[:, 64:].sum() else 1
    x, y = places("eye", points_P2)[side]
    white_before, white_after = (
        (picture[int(y) - 8 : int(y) + 8, int(x) - 8 : int(x) + 8].min(axis=2) > 190).sum()
        for picture in (portrait.pixels, broken)
    )
    assert white_after < 0.75 * white_before
