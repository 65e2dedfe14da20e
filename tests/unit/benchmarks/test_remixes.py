"""The figures of remixes and of estimates, from results that a test makes up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.looks import remixes
from benchmarks.looks.estimates import row_of
from benchmarks.looks.remixes import SAME_PSNR_DB, WORDS, Remixed
from headshots.client import Image, RemixChange, TrainingProgress
from tests.support.images.albums import album, training

ONE = np.zeros((8, 8, 3), np.uint8)
KEPT = np.zeros((8, 8), np.uint8)


class Probe:
    """Reads the same words in every picture."""

    def answers(self, pictures: object) -> dict[str, list[str]]:
        return {"backdrop": ["beach"], "outfit": ["red shirt"], "light": ["neon lighting"]}


class Judges:
    probe = Probe()


class Net:
    """Likeness by the brightness of a picture."""

    def likeness(self, person: object, pictures: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
        return np.array([float(picture.mean()) for picture in pictures])


def remixed(change: RemixChange, to: str, *, lost: int = 0, **more: Any) -> Remixed:
    return Remixed(cast(Any, None), change, to, ONE + 10, ONE + 10 - np.uint8(lost), True, 1, **more)


def test_psnr_counts_the_kept_pixels_alone() -> None:
    other = ONE.copy()
    other[0] = 255
    painted = KEPT.copy()
    painted[0] = 255
    assert remixes._psnr(ONE, other, painted) == SAME_PSNR_DB
    assert remixes._psnr(ONE, ONE + np.uint8(1), painted) == pytest.approx(20 * np.log10(255))


def test_words_follow_likeness_falls_and_the_poorest_kept_pixels_count(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = iter([(99.0, 44.0), (41.0, 43.0)])
    monkeypatch.setattr(remixes, "_kept", lambda each: next(kept))
    found = [
        remixed(RemixChange.BACKDROP, "beach", lost=2),
        remixed(RemixChange.OUTFIT, "grey hoodie", lost=1),
        remixed(RemixChange.LIGHT, "neon lighting"),
    ]
    measured = remixes._measured(found, cast(Any, Judges()), cast(Any, Net()))
    assert measured.figures == {
        "remix_kept_psnr_db": 41.0,
        "remix_words_follow": pytest.approx(2 / 3),
        "remix_likeness_drop": pytest.approx(1.0),
    }
    told = measured.details["remixes"]
    assert told["OUTFIT"]["missed"] == ["grey hoodie"]
    assert (told["BACKDROP"]["words_follow"], told["BACKDROP"]["largest_likeness_drop"]) == (1.0, 2.0)


@pytest.mark.parametrize("change", RemixChange)
def test_other_words_are_none_of_the_images_own(change: RemixChange) -> None:
    words = WORDS[change][1]
    image: Image = replace(album().portraits[0].painted.image, prompt=f"a portrait, {words[0]}")
    told = [remixes._other_words(image, change, number) for number in range(4)]
    assert words[0] not in told
    assert len(set(told)) > 1


def test_an_estimate_counts_from_the_first_step_until_the_end() -> None:
    preparing = replace(training(), step=0, eta_seconds=500.0, progress=TrainingProgress("LOADING", 0, 1, None))
    first = replace(training(), step=1, eta_seconds=12.0, progress=TrainingProgress("TRAINING", 1, 20, None))
    later = replace(first, step=10, eta_seconds=1.0)
    row = row_of([(1.0, preparing), (4.0, first), (9.0, later), (14.0, training())])
    assert row == {
        "ratio": pytest.approx(1.2),
        "seconds": {"told": 12.0, "took": 10.0, "before_it": 4.0},
        "phases": ["LOADING", "TRAINING"],
        "stopped_early": False,
    }
    with pytest.raises(AssertionError, match="take more steps"):
        row_of([(1.0, preparing), (14.0, training())])
