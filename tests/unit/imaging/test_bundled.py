"""Photos judged with the bundled analyzer: selfies of sample people pass, and what is wrong with others is found."""

from __future__ import annotations

import io

import numpy as np
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
    left, _, right, _ = analyzer.faces(np.asarray(own[0]))[0].box
    half = own[0].crop((round(left + 0.35 * (right - left)), 0, own[0].width, own[0].height))
    verdict = beside(analyzer, stranger, together, blurred, nobody, half)
    assert verdict.photos[:10] == ((),) * 10
    reasons = [{finding.reason for finding in found} for found in verdict.photos[10:]]
    assert reasons[0] == {"DIFFERENT_PERSON"}
    assert reasons[1] == {"MULTIPLE_FACES"}
    assert reasons[2] == {"BLURRY"}
    assert "NO_FACE" in reasons[3]
    assert "FACE_CUT_OFF" in reasons[4]
    assert not {"NO_FACE", "MULTIPLE_FACES", "FACE_TOO_SMALL"} & reasons[4]
    assert verdict.usable_count == 10


def far_away(person: int, size: tuple[int, int], face_px: int) -> Image.Image:
    """A portrait of the person somewhere in a larger picture, its face about so high."""
    page = Image.radial_gradient("L").convert("RGB").resize(size)
    (selfie,) = selfies(person, 1)
    # A selfie's face is a good half of its height.
    side = round(face_px / 0.55)
    page.paste(selfie.resize((side, side), Image.Resampling.LANCZOS), (size[0] // 2, size[1] // 3))
    return page


def test_a_face_far_away_is_told_from_no_face(analyzer: FaceAnalyzer) -> None:
    verdict = beside(analyzer, far_away(PERSON, (768, 1024), 80), far_away(PERSON, (900, 700), 60))
    for found in verdict.photos[10:]:
        reasons = {finding.reason: finding for finding in found}
        assert "NO_FACE" not in reasons
        assert "MULTIPLE_FACES" not in reasons
        assert reasons["FACE_TOO_SMALL"].measured == pytest.approx(0.1, abs=0.03)


def test_an_upright_photo_whose_face_is_just_large_enough_is_taken(analyzer: FaceAnalyzer) -> None:
    """A sixth of the shorter side is less of the longer one than the first look needs."""
    picture = far_away(PERSON, (576, 1024), 90)
    assert measure(picture, analyzer).faces
    assert not {"NO_FACE", "FACE_TOO_SMALL"} & {finding.reason for finding in beside(analyzer, picture).photos[10]}
