"""The order of accepted portraits: good ones first, and the first ones differ."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.acceptance import Candidate, View, ranked
from headshots.faces import Pixels

STYLES = [f"style-{number}" for number in range(8)]


def scene(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1)


def candidate(likeness: float, style: str, look: int, quality: float = 0.5) -> Candidate:
    return Candidate(likeness, quality, style, View.of(scene(look), None))


def gallery(seed: int, style_matters: float) -> list[Candidate]:
    """Forty of eight styles, whose likeness depends on the style more or less."""
    rng = np.random.default_rng(seed)
    base = dict(zip(STYLES, rng.normal(0.8, style_matters, len(STYLES)), strict=True))
    return [
        candidate(base[style] + rng.normal(0, 0.03), style, number, rng.uniform())
        for number, style in enumerate(STYLES * 5)
    ]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("style_matters", [0.0, 0.03])
def test_the_first_ten_are_like_and_of_many_styles(seed: int, style_matters: float) -> None:
    candidates = gallery(seed, style_matters)
    first = [candidates[index] for index in ranked(candidates)[:10]]
    assert len({each.style for each in first}) >= 6
    assert np.mean([each.likeness for each in first]) > np.mean([each.likeness for each in candidates])


def test_every_candidate_comes_once() -> None:
    assert sorted(ranked(gallery(1, 0.03))) == list(range(40))
    assert ranked([]) == []
    assert ranked([candidate(0.8, "a", 1)]) == [0]


def test_the_likest_comes_first() -> None:
    assert ranked([candidate(0.7, "a", 1), candidate(0.9, "a", 2), candidate(0.8, "b", 3)])[0] == 1


def test_of_equally_like_ones_the_better_comes_first() -> None:
    assert ranked([candidate(0.8, "a", 1, 0.2), candidate(0.8, "b", 2, 0.9)]) == [1, 0]


def test_a_new_style_goes_before_the_same_style_again() -> None:
    order = ranked([candidate(0.90, "a", 1), candidate(0.89, "a", 2), candidate(0.88, "b", 3)])
    assert order == [0, 2, 1]


def test_within_a_style_another_look_goes_before_the_same_again() -> None:
    order = ranked([candidate(0.9, "a", 1), candidate(0.89, "a", 1), candidate(0.89, "a", 3)])
    assert order == [0, 2, 1]
