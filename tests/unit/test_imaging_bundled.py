"""Photos judged with the bundled analyzer: selfies of sample people pass, and what is wrong with others is found."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFilter

from foundry.portraits import held_out_seed, sample_selfies
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.imaging.inspection import Inspection, Measured, judge, measure
from headshots.imaging.quality import QualityLimits

PERSON, STRANGER = 7, 57


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    found = open_analyzer("bundled")
    assert found is not None
    return found


def selfies(person: int, count: int) -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)).convert("RGB") for data in sample_selfies(held_out_seed(person), count)]


def beside(analyzer: FaceAnalyzer, *others: Image.Image) -> Inspection:
    """The person's ten selfies, then the others."""
    return judge([measure(picture, analyzer) for picture in (*selfies(PERSON, 10), *others)], QualityLimits(), analyzer)


@pytest.mark.parametrize("person", [PERSON, 3])
def test_selfies_of_sample_people_pass_with_faces_too(analyzer: FaceAnalyzer, person: int) -> None:
    photos: list[Measured] = [measure(picture, analyzer) for picture in selfies(person, 10)]
    verdict = judge(photos, QualityLimits(), analyzer)
    assert verdict.photos == ((),) * 10
    assert verdict.findings == ()


def test_what_is_wrong_is_found_and_the_good_ones_stay_good(analyzer: FaceAnalyzer) -> None:
    own, (stranger,) = selfies(PERSON, 12)[10:], selfies(STRANGER, 1)
    together = Image.new("RGB", (512, 256))
    together.paste(own[0], (0, 0))
    together.paste(stranger, (256, 0))
    blurred = own[1].filter(ImageFilter.GaussianBlur(5))
    nobody = Image.radial_gradient("L").convert("RGB")
    verdict = beside(analyzer, stranger, together, blurred, nobody)
    assert verdict.photos[:10] == ((),) * 10
    reasons = [{finding.reason for finding in found} for found in verdict.photos[10:]]
    assert reasons[0] == {"DIFFERENT_PERSON"}
    assert reasons[1] == {"MULTIPLE_FACES"}
    assert reasons[2] == {"BLURRY"}
    assert "NO_FACE" in reasons[3]
    assert verdict.usable_count == 10
