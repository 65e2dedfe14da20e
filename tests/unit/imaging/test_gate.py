"""What keeps a portrait from being a profile picture, each reason on a picture that has it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from headshots.imaging.gate import Gate
from tests.support.images.faces import ColourAnalyzer, draw_head


def _picture(*heads: tuple[str, tuple[int, int, int, int]], blur: float = 0.0) -> np.ndarray:
    picture = Image.new("RGB", (128, 128), (120, 120, 120))
    for person, box in heads:
        draw_head(picture, person, box)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture)


ADA = ("ada", (32, 32, 96, 96))


def _gate() -> Gate:
    analyzer = ColourAnalyzer()
    return Gate(analyzer, [analyzer.faces(_picture(ADA))[0].embedding])


def test_a_good_portrait_passes() -> None:
    verdict = _gate().judge(_picture(ADA))
    assert verdict.passed, verdict.shortcomings
    assert verdict.likeness == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("heads", "reason"),
    [
        ([], "NO_FACE"),
        ([("bob", (32, 32, 96, 96))], "NOT_ALIKE"),
        ([("ada", (10, 32, 60, 96)), ("bob", (70, 32, 120, 90))], "MULTIPLE_FACES"),
        ([("ada", (54, 54, 74, 74))], "FACE_TOO_SMALL"),
        ([("ada", (0, 32, 64, 96))], "FACE_CUT_OFF"),
    ],
)
def test_what_is_wrong_is_named(heads: list[tuple[str, tuple[int, int, int, int]]], reason: str) -> None:
    verdict = _gate().judge(_picture(*heads))
    assert not verdict.passed
    assert reason in [lack.reason for lack in verdict.shortcomings]
    assert all(lack.message for lack in verdict.shortcomings)


def test_a_face_without_detail_is_blurry() -> None:
    smooth = Image.new("RGB", (128, 128), (120, 120, 120))
    smooth.paste((230, 30, 30), (32, 32, 96, 96))
    verdict = _gate().judge(np.asarray(smooth))
    assert [lack.reason for lack in verdict.shortcomings] == ["BLURRY"]


def test_without_a_face_there_is_no_likeness() -> None:
    assert _gate().judge(_picture()).likeness is None
