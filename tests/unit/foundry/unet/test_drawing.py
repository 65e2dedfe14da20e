"""Training portraits are known by seed and number, show training people only, and the truth about them fits."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from foundry.portraits import FIRST_HELD_OUT, is_held_out
from foundry.unet.drawing import CELL, FIRST_MEASURED, Order, draw, who_and_where
from headshots.faces import Part

CLOSE = Order(seed=3, first=5, count=4, framing="close", captions=3)


def test_a_portrait_is_the_same_however_it_is_asked_for() -> None:
    together, alone = draw(CLOSE), draw(Order(seed=3, first=7, count=1, framing="close", captions=3))
    assert np.array_equal(together.pixels[2], alone.pixels[0])
    assert together.captions[2] == alone.captions[0]
    assert len(together.captions[2]) == 3
    other = draw(Order(seed=4, first=7, count=1, framing="close"))
    assert not np.array_equal(other.pixels, alone.pixels)


def test_training_shows_training_people_of_all_numbers_and_measuring_others() -> None:
    order = Order(seed=1, first=0, count=0, framing="wide")
    people = [who_and_where(order, number)[0].seed for number in range(400)]
    assert not any(is_held_out(person) for person in people)
    assert max(people) > 0.98 * FIRST_HELD_OUT
    assert len(set(people)) == 400
    held_out = Order(seed=1, first=0, count=0, framing="wide", held_out=True)
    assert [who_and_where(held_out, number)[0].seed for number in range(3)] == [FIRST_MEASURED + n for n in range(3)]


def test_the_truth_fits_the_picture() -> None:
    drawn = draw(CLOSE)
    assert drawn.parts.shape == (4, len(Part), 16, 16)
    assert np.allclose(drawn.parts.sum(1), 1, atol=1e-6)
    for parts, places in zip(drawn.parts, drawn.landmarks, strict=True):
        for x, y in places[:2]:
            eye = parts[:, int(y * 128 / CELL), int(x * 128 / CELL)]
            assert eye[Part.FACE] > 0.5
    assert drawn.traits.std() == pytest.approx(1, abs=0.25)


def test_drawing_needs_no_torch() -> None:
    code = "import sys; import foundry.unet.drawing_worker; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
