"""What is kept of a picture: small, and enough to tell the same from others."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from foundry.portraits import held_out_seed, render, sample_identity, sample_scene
from headshots.acceptance import PROFILE_WORTHY, View
from headshots.faces import Pixels


def portrait(shot: int, outfit: str = "navy suit", backdrop: str = "plain grey studio") -> Pixels:
    scene = sample_scene(np.random.default_rng([shot, 5]), "studio", outfit=outfit, backdrop=backdrop)
    return render(sample_identity(held_out_seed(7)), scene, 128)


def view(pixels: Pixels) -> View:
    return View.of(pixels, (32.0, 24.0, 96.0, 104.0))


def changed(pixels: Pixels) -> list[Pixels]:
    image = Image.fromarray(pixels)
    return [
        np.asarray(image.resize((64, 64))),
        np.asarray(ImageEnhance.Brightness(image).enhance(1.15)),
        np.asarray(image.crop((1, 1, 127, 127))),
    ]


def test_the_same_picture_saved_otherwise_is_a_near_duplicate() -> None:
    limit = PROFILE_WORTHY.limits.min_difference
    first = view(portrait(0))
    assert first.hash_difference(first) == 0
    assert all(first.hash_difference(view(pixels)) < limit for pixels in changed(portrait(0)))


def test_other_shots_of_the_same_scene_are_none() -> None:
    limit = PROFILE_WORTHY.limits.min_difference
    views = [view(portrait(shot)) for shot in range(6)]
    assert all(one.hash_difference(two) >= limit for one in views for two in views if one is not two)


def test_difference_grows_from_the_same_over_the_same_scene_to_another() -> None:
    first, again, same_scene, elsewhere = map(
        view, (portrait(0), changed(portrait(0))[1], portrait(1), portrait(2, "red shirt", "sandy beach"))
    )
    told = [first.difference(other) for other in (first, again, same_scene, elsewhere)]
    assert told == sorted(told)
    assert told[0] == 0
    assert told[1] < told[2] < told[3] <= 1


def test_the_head_is_no_surroundings() -> None:
    """Another face before the same backdrop changes the hash, and none of the colours that are compared."""
    pixels = portrait(0)
    masked = pixels.copy()
    masked[52:76, 52:76] = 0
    whole, hidden = view(pixels), view(masked)
    assert np.array_equal(whole.cells(), hidden.cells(), equal_nan=True)
    assert np.isnan(whole.cells()).any()


def test_pictures_that_are_all_head_can_be_compared() -> None:
    close = View.of(portrait(0), (0.0, 0.0, 128.0, 128.0))
    assert close.difference(close) == 0


def test_it_survives_a_row_and_is_small() -> None:
    first = view(portrait(0))
    packed = json.dumps(first.to_json())
    assert len(packed) < 600
    assert View.from_json(json.loads(packed)) == first
    assert first.difference(View.from_json(json.loads(packed))) == pytest.approx(0)
