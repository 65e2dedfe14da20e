"""The verdict over photos: every reason, its numbers, and what is said where nobody looked for faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from headshots.faces import Face, Pixels
from headshots.imaging.facing import eye_brightness, face_width
from headshots.imaging.findings import Finding
from headshots.imaging.inspection import Inspection, Measured, judge, measure
from headshots.imaging.quality import QualityLimits
from tests.support.images.faces import ColourAnalyzer
from tests.support.images.pictures import HEAD, blurred, lit, portrait

LIMITS = QualityLimits()
GOOD = range(6)


def reasons(verdict: Inspection, number: int) -> list[str]:
    return [finding.reason for finding in verdict.photos[number]]


def of(picture: Image.Image, *, faces: bool = True) -> list[str]:
    """What is said of one photo beside six good ones."""
    analyzer = ColourAnalyzer() if faces else None
    good = [measure(portrait(number, "ada"), analyzer) for number in GOOD]
    verdict = judge([*good, measure(picture, analyzer)], LIMITS, analyzer)
    assert verdict.photos[:6] == ((),) * 6
    assert verdict.findings == ()
    return reasons(verdict, 6)


FAULTS: dict[str, tuple[Callable[[], Image.Image], list[str]]] = {
    "good": (lambda: portrait(9, "ada"), []),
    "blurred": (lambda: blurred(portrait(9, "ada")), ["BLURRY"]),
    "small": (lambda: portrait(9, "ada").resize((120, 120), Image.Resampling.NEAREST), ["TOO_SMALL"]),
    "nobody": (lambda: portrait(9), ["NO_FACE"]),
    "two people": (lambda: portrait(9, "ada", "bob"), ["MULTIPLE_FACES"]),
    "far away": (lambda: portrait(9, "ada", box=(100, 100, 130, 130)), ["FACE_TOO_SMALL"]),
    "cut off": (lambda: portrait(9, "ada").crop((110, 0, 256, 256)), ["FACE_CUT_OFF"]),
    "somebody else": (lambda: portrait(9, "eve"), ["DIFFERENT_PERSON"]),
    "one of them again": (lambda: portrait(3, "ada").resize((400, 400)), ["DUPLICATE"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_reason_and_no_other(fault: str) -> None:
    make, expected = FAULTS[fault]
    assert of(make()) == expected


@pytest.mark.parametrize(
    ("gain", "expected"), [(0.2, ["TOO_DARK"]), (1.0, []), (6.0, ["OVEREXPOSED"])], ids=["dark", "good", "bright"]
)
def test_light_is_judged_without_faces_too(gain: float, expected: list[str]) -> None:
    picture = lit(gain)(portrait(9))
    assert [reason for reason in of(picture, faces=False) if reason != "BLURRY"] == expected


def face(embedding: int, box: tuple[float, float, float, float] = HEAD) -> Face:
    unit = np.eye(4, dtype=np.float32)[embedding]
    landmarks = np.array([(100, 100), (150, 100), (125, 130), (110, 160), (140, 160)], dtype=np.float32)
    return Face(box, landmarks, unit, 0.9)


def measured(number: int, *faces: Face, **changes: float | None) -> Measured:
    """Numbers of a good photo; hashes of different numbers are unrelated."""
    values = {"sharpness": 0.5, "bright_luma": 200.0, "high_luma": 120.0, **changes}
    bits = np.random.default_rng(number).integers(0, 2, 143).astype(bool)
    return Measured(256, 256, hash_N=bits, faces=faces, looked_at=(256, 256), **values)


def test_a_face_that_is_turned_too_far_and_hidden_eyes_are_told() -> None:
    photos = [
        measured(0, face(0), face_width=0.59, eye_brightness=1.0),
        measured(1, face(0), face_width=0.6, eye_brightness=0.5),
        measured(2, face(0), face_width=1.0, eye_brightness=0.49),
    ]
    verdict = judge(photos, LIMITS)
    assert [reasons(verdict, number) for number in range(3)] == [["FACE_TURNED"], [], ["EYES_HIDDEN"]]
    (turned,), _, (hidden,) = verdict.photos
    assert (turned.measured, turned.limit) == (0.59, 0.6)
    assert (hidden.measured, hidden.limit) == (0.49, 0.5)
    assert "looks at the camera" in turned.message
    assert "sunglasses" in hidden.message


@pytest.mark.parametrize("roll", [0.0, 40.0, -90.0])
@pytest.mark.parametrize("turn", [0.0, 30.0, 60.0, -60.0])
def test_the_width_of_a_face_falls_with_its_turn_and_not_with_its_roll(roll: float, turn: float) -> None:
    front = np.array([(-30, 0), (30, 0), (0, 30), (-25, 55), (25, 55)], np.float32)
    angle = np.deg2rad(roll)
    rotation = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    seen = (front * (np.cos(np.deg2rad(turn)), 1)) @ rotation + 100
    assert face_width(seen.astype(np.float32)) == pytest.approx(1.0 * np.cos(np.deg2rad(turn)), abs=1e-4)


def test_eyes_are_hidden_where_all_around_them_is_dark_and_not_where_one_is_in_the_shade() -> None:
    luma = np.full((256, 256), 120.0, np.float32)
    assert eye_brightness(luma, face(0)) == pytest.approx(1.0)
    luma[85:115, 130:170] = 10
    assert eye_brightness(luma, face(0)) == pytest.approx(1.0)
    luma[85:115, 80:120] = 12
    assert eye_brightness(luma, face(0)) == pytest.approx(0.1)


def test_dark_and_bright_faces_are_told_by_the_face() -> None:
    photos = [
        measured(0, face(0), bright_luma=LIMITS.min_bright_luma - 1),
        measured(1, face(0), bright_luma=LIMITS.min_bright_luma),
        measured(2, face(0), high_luma=LIMITS.max_face_luma + 1),
        measured(3, face(0), high_luma=LIMITS.max_face_luma),
    ]
    verdict = judge(photos, LIMITS)
    assert [reasons(verdict, number) for number in range(4)] == [["TOO_DARK"], [], ["OVEREXPOSED"], []]
    (dark,) = verdict.photos[0]
    assert (dark.measured, dark.limit) == (59.0, 60.0)
    assert "window or a lamp" in dark.message


class Prudish(ColourAnalyzer):
    """Sees nudity in so much of every picture."""

    def __init__(self, unsafe: float | None) -> None:
        super().__init__()
        self.told = unsafe

    def unsafe(self, pixels_HWC: Pixels) -> float | None:
        return self.told


@pytest.mark.parametrize(("told", "expected"), [(None, []), (0.79, []), (0.8, ["UNSAFE"]), (1.0, ["UNSAFE"])])
def test_a_photo_that_seems_to_show_nudity_is_not_usable(told: float | None, expected: list[str]) -> None:
    analyzer = Prudish(told)
    verdict = judge([measure(portrait(9, "ada"), analyzer)], LIMITS, analyzer)
    assert reasons(verdict, 0) == expected
    assert verdict.usable_count == (not expected)
    for finding in verdict.photos[0]:
        assert (finding.measured, finding.limit) == (told, 0.8)
        assert "send one in clothes" in finding.message


def looking(*years: float | None) -> list[Measured]:
    return [measured(number, face(0), years=each) for number, each in enumerate(years)]


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ((24.9,) * 6, 24.9),
        ((25.0,) * 6, None),
        ((15.0, 40.0, 41.0, 39.0, 16.0, 40.0), None),
        ((15.0, 40.0, 16.0, 17.0, 16.0, None), 16.0),
        ((None,) * 6, None),
    ],
    ids=["young", "old enough", "two odd photos", "one odd photo", "nobody can tell"],
)
def test_who_looks_young_in_the_median_may_be_a_minor(years: tuple[float | None, ...], told: float | None) -> None:
    verdict = judge(looking(*years), LIMITS, ColourAnalyzer())
    assert [finding.measured for finding in verdict.reviews] == ([] if told is None else [told])
    # A review keeps nothing from a training.
    assert (verdict.usable_count, verdict.findings) == (6, ())
    for finding in verdict.reviews:
        assert (finding.reason, finding.limit) == ("POSSIBLY_MINOR", 25.0)
        assert "check their age" in finding.message


def test_an_operator_has_minors_refused_or_ignored() -> None:
    young = looking(*[15.0] * 6)
    refused = judge(young, LIMITS, ColourAnalyzer(), "refuse")
    assert [finding.reason for finding in refused.findings] == ["POSSIBLY_MINOR"]
    assert refused.reviews == ()
    assert refused.usable_count == 6
    ignored = judge(young, LIMITS, ColourAnalyzer(), "ignore")
    assert (ignored.findings, ignored.reviews) == ((), ())


def test_photos_that_are_not_usable_tell_no_age() -> None:
    blurred = [dataclasses.replace(photo, sharpness=0.0) for photo in looking(15.0, 15.0, 15.0, 15.0)]
    verdict = judge([*looking(40.0, 41.0), *blurred], LIMITS, ColourAnalyzer())
    assert verdict.reviews == ()


def test_the_age_is_that_of_the_largest_face() -> None:
    class Ageing(ColourAnalyzer):
        def years(self, pixels_HWC: Pixels, face: Face) -> float:
            return 30.0 if face.embedding[0] else 10.0

    one, two = measure(portrait(3, "ada"), Ageing()), measure(portrait(3, "ada", "bob"), Ageing())
    assert one.years == 30.0
    assert two.faces is not None
    assert [round(face.embedding[0]) for face in two.faces] in ([1, 0], [0, 1])
    assert two.years == (30.0 if two.faces[0].embedding[0] else 10.0)
    assert measure(portrait(3), Ageing()).years is None
    assert measure(portrait(3, "ada"), None).years is None


def test_what_is_wrong_comes_with_its_number_its_limit_and_a_cure() -> None:
    verdict = judge([measured(0, face(0, (100, 100, 120, 125)))], LIMITS, ColourAnalyzer())
    (small,) = verdict.photos[0]
    assert (small.reason, small.limit) == ("FACE_TOO_SMALL", 0.15)
    assert small.measured == pytest.approx(25 / 256)
    assert "10% of the photo's shorter side" in small.message
    assert "come closer" in small.message
    (few,) = verdict.findings
    assert (few.reason, few.measured, few.limit) == ("TOO_FEW", 0, 6)
    assert few.message == "0 photos are usable, a training needs 6; send 6 more"
    (one,) = judge([measured(0, face(0, (60, 60, 180, 200)))], LIMITS, ColourAnalyzer()).findings
    assert one.message == "1 photo is usable, a training needs 6; send 5 more"


def test_a_passer_by_far_behind_is_no_second_person() -> None:
    near, far = face(0, (60, 60, 180, 200)), face(1, (200, 100, 230, 135))
    assert judge([measured(0, near, far)], LIMITS).photos[0] == ()


def test_of_two_that_are_the_same_the_good_one_stays() -> None:
    good, worse = measured(1, face(0)), measured(1, face(0), sharpness=0.0)
    assert [reasons(judge([worse, good, good], LIMITS), number) for number in range(3)] == [
        ["BLURRY"],
        [],
        ["DUPLICATE"],
    ]
    (again,) = judge([worse, good, good], LIMITS).photos[2]
    assert (again.duplicate_of, again.measured) == (1, 0.0)
    assert "photos[1]" in again.message


@pytest.mark.parametrize("strangers", [(2,), (1, 4), (0, 1, 2)])
def test_strangers_are_found_among_the_others_one_by_one(strangers: tuple[int, ...]) -> None:
    people = [1 if number in strangers else 0 for number in range(8)]
    verdict = judge([measured(number, face(who)) for number, who in enumerate(people)], LIMITS, ColourAnalyzer())
    assert [reasons(verdict, number) == ["DIFFERENT_PERSON"] for number in range(8)] == [
        number in strangers for number in range(8)
    ]
    found = verdict.photos[strangers[0]][0]
    assert found.measured is not None
    assert found.measured < 0.6 == found.limit


def test_a_photo_with_other_faults_does_not_count_for_who_the_person_is() -> None:
    bad = [measured(number, face(1), sharpness=0.0) for number in range(5)]
    good = [measured(number, face(0)) for number in range(10, 14)]
    verdict = judge([*bad, *good], LIMITS, ColourAnalyzer())
    assert [reasons(verdict, number) for number in range(9)] == [["BLURRY"]] * 5 + [[]] * 4


def test_of_two_different_people_neither_is_called_the_wrong_one() -> None:
    verdict = judge([measured(0, face(0)), measured(1, face(1))], LIMITS, ColourAnalyzer())
    assert verdict.photos == ((), ())


def test_without_an_analyzer_nothing_is_said_about_faces() -> None:
    photos = [measure(portrait(number, *people), None) for number, people in enumerate([(), ("ada", "bob"), ("eve",)])]
    assert judge(photos, LIMITS).photos == ((), (), ())


def nearly_the_same(count: int, *, turns: float) -> list[Measured]:
    """A burst: a few bits differ, more than a duplicate's; `turns` moves the nose from photo to photo."""
    photos = []
    for number in range(count):
        straight = face(0)
        landmarks = straight.landmarks.copy()
        landmarks[2, 0] += turns * number
        photo = measured(0, dataclasses.replace(straight, landmarks=landmarks))
        photo.hash_N[number * 12 : number * 12 + 12] ^= True
        photos.append(photo)
    return photos


def test_a_burst_has_too_little_variety_unless_the_head_turns() -> None:
    (low,) = judge(nearly_the_same(8, turns=0.0), LIMITS, ColourAnalyzer()).findings
    assert low.reason == "LOW_VARIETY"
    assert low.measured is not None
    assert LIMITS.max_duplicate_distance < low.measured < LIMITS.min_hash_spread == low.limit
    assert judge(nearly_the_same(8, turns=3.0), LIMITS, ColourAnalyzer()).findings == ()


def test_what_cannot_be_decoded_counts_for_nothing_else() -> None:
    broken = Finding("UNDECODABLE", "the PNG file is damaged", cause="PHOTO_UNDECODABLE")
    verdict = judge([broken, *(measured(number, face(0)) for number in range(6))], LIMITS, ColourAnalyzer())
    assert verdict.photos[0] == (broken,)
    assert verdict.usable_count == 6
    assert verdict.findings == ()


def test_an_empty_set_is_too_few_and_nothing_else() -> None:
    verdict = judge([], LIMITS)
    assert [finding.reason for finding in verdict.findings] == ["TOO_FEW"]
