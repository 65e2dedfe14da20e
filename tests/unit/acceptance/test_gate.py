"""What keeps a portrait from being accepted, each reason on a picture that has it; drawn heads, no network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from headshots.acceptance import (
    PROFILE_WORTHY,
    Acceptance,
    Check,
    Gate,
    Judged,
    Verdict,
    View,
    against_accepted,
    against_source,
    measure_reference,
    not_measured,
)
from headshots.faces import Pixels
from tests.support.images.faces import ColourAnalyzer, draw_head

Head = tuple[str, tuple[int, int, int, int]]
ADA: Head = ("ada", (32, 32, 96, 96))
REASONS = [
    "MULTIPLE_FACES",
    "NOT_ALIKE",
    "FACE_TOO_SMALL",
    "FACE_CUT_OFF",
    "FACE_OFF_CENTRE",
    "EYES_CLOSED",
    "LIGHT_UNEVEN",
    "COLOUR_UNNATURAL",
    "BLURRY",
    "SKIN_UNNATURAL",
]


def picture(*heads: Head, size: tuple[int, int] = (128, 128)) -> Pixels:
    image = Image.new("RGB", size, (120, 120, 120))
    for person, box in heads:
        draw_head(image, person, box)
    return np.asarray(image)


def gate(*, crown_is_cut: bool = False) -> Gate:
    analyzer = ColourAnalyzer()
    reference = measure_reference(analyzer, [picture(ADA), picture(("ada", (30, 30, 94, 94)))])
    assert reference is not None
    return Gate(analyzer, reference, PROFILE_WORTHY, crown_is_cut=crown_is_cut)


def failed(judged: Judged) -> list[str]:
    return [check.reason for check in judged.verdict.checks if not check.passed]


def test_a_good_portrait_is_accepted_and_every_check_is_told() -> None:
    judged = gate().judge(picture(ADA))
    assert judged.verdict.acceptance is Acceptance.ACCEPTED, judged.verdict
    assert [check.reason for check in judged.verdict.checks] == REASONS
    assert all(check.measured is not None and check.limit is not None for check in judged.verdict.checks)
    assert judged.likeness == pytest.approx(1.0)
    assert judged.quality == pytest.approx(1.0, abs=0.1)
    assert (judged.verdict.profile, judged.verdict.profile_version) == ("profile-worthy", 2)
    assert judged.verdict.analyzer == "colour-1"


@pytest.mark.parametrize(
    ("heads", "size", "reason"),
    [
        ([], (128, 128), "NO_FACE"),
        ([("bob", (32, 32, 96, 96))], (128, 128), "NOT_ALIKE"),
        ([("ada", (10, 32, 60, 96)), ("bob", (70, 32, 120, 90))], (128, 128), "MULTIPLE_FACES"),
        ([ADA], (400, 400), "FACE_TOO_SMALL"),
        ([("ada", (0, 32, 64, 96))], (128, 128), "FACE_CUT_OFF"),
        ([("ada", (16, 32, 80, 96))], (360, 128), "FACE_OFF_CENTRE"),
    ],
)
def test_what_is_wrong_is_named(heads: list[Head], size: tuple[int, int], reason: str) -> None:
    judged = gate().judge(picture(*heads, size=size))
    assert judged.verdict.acceptance is Acceptance.REFUSED
    assert reason in failed(judged)
    assert all(check.message for check in judged.verdict.checks)


def test_what_a_frame_cuts_off_above_does_not_count_and_what_is_cut_elsewhere_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, framed = gate(), gate(crown_is_cut=True)
    (face,) = ColourAnalyzer().faces(picture(ADA))
    for box, is_whole_below in (
        ((32, -20, 96, 96), True),
        ((32, -20, 96, 140), False),
        ((-8, -20, 56, 96), False),
    ):
        cut = dataclasses.replace(face, box=box)
        monkeypatch.setattr(ColourAnalyzer, "faces", lambda self, pixels, cut=cut: [cut])
        assert "FACE_CUT_OFF" in failed(whole.judge(picture(ADA)))
        assert ("FACE_CUT_OFF" in failed(framed.judge(picture(ADA)))) is not is_whole_below


def test_a_face_whose_parts_stand_oddly_is_refused_where_the_analyzer_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColourAnalyzer, "irregularity", lambda self, pixels, face: 0.6)
    judging = gate()
    for told, is_regular in ((1.25, True), (1.26, False)):
        monkeypatch.setattr(ColourAnalyzer, "irregularity", lambda self, pixels, face, told=told: told)
        judged = judging.judge(picture(ADA))
        (check,) = [check for check in judged.verdict.checks if check.reason == "FACE_IRREGULAR"]
        assert (check.passed, check.measured, check.limit) == (is_regular, told, 1.25)
        assert (judged.verdict.acceptance is Acceptance.ACCEPTED) == is_regular


def test_whose_own_photos_show_an_odd_face_may_have_one_in_portraits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColourAnalyzer, "irregularity", lambda self, pixels, face: 0.9)
    judging = gate()
    for told, is_regular in ((1.34, True), (1.36, False)):
        monkeypatch.setattr(ColourAnalyzer, "irregularity", lambda self, pixels, face, told=told: told)
        (check,) = [check for check in judging.judge(picture(ADA)).verdict.checks if check.reason == "FACE_IRREGULAR"]
        assert (check.passed, check.measured) == (is_regular, told)
        assert check.limit == pytest.approx(1.35)


def test_somebody_small_in_the_background_is_no_second_face() -> None:
    """A quarter of the height is where it begins."""
    near = ("ada", (64, 64, 192, 192))
    assert "MULTIPLE_FACES" not in failed(gate().judge(picture(near, ("bob", (2, 2, 30, 30)), size=(256, 256))))
    assert "MULTIPLE_FACES" in failed(gate().judge(picture(near, ("bob", (2, 2, 42, 42)), size=(256, 256))))


def test_a_face_without_detail_is_blurry_and_shows_no_eyes() -> None:
    smooth = Image.new("RGB", (128, 128), (120, 120, 120))
    smooth.paste((230, 30, 30), (32, 32, 96, 96))
    assert {"BLURRY", "EYES_CLOSED"} <= set(failed(gate().judge(np.asarray(smooth))))


def test_eyes_that_the_photos_do_not_show_are_never_a_pass() -> None:
    """As behind sunglasses: whether they are open in the portrait cannot be told."""
    hidden = picture(ADA).copy()
    hidden[44:60, 40:88] = (255, 0, 0)
    analyzer = ColourAnalyzer()
    reference = measure_reference(analyzer, [hidden])
    assert reference is not None
    judged = Gate(analyzer, reference, PROFILE_WORTHY).judge(picture(ADA))
    assert judged.verdict.acceptance is Acceptance.NOT_MEASURED
    assert failed(judged) == ["EYES_CLOSED"]


def test_without_a_face_there_is_no_likeness() -> None:
    judged = gate().judge(picture())
    assert (judged.likeness, judged.quality) == (None, 0.0)
    assert judged.verdict.checks == (Check("NO_FACE", False, 0.0, 1.0, "No face was found."),)


def test_a_face_too_small_to_be_compared_is_never_accepted() -> None:
    """Ten pixels between the eyes are needed; the reason is told, and nothing is skipped."""
    judged = gate().judge(picture(("ada", (24, 24, 44, 44)), size=(64, 64)))
    assert judged.verdict.acceptance is Acceptance.NOT_MEASURED
    assert [check.reason for check in judged.verdict.checks] == REASONS
    unmeasured = [check for check in judged.verdict.checks if check.measured is None]
    assert [check.reason for check in unmeasured] == REASONS[5:]
    assert not any(check.passed for check in unmeasured)


def test_photos_too_small_to_compare_with_are_never_a_pass_either() -> None:
    analyzer = ColourAnalyzer()
    reference = measure_reference(analyzer, [picture(("ada", (24, 24, 44, 44)), size=(64, 64))])
    assert reference is not None
    assert Gate(analyzer, reference, PROFILE_WORTHY).judge(picture(ADA)).verdict.acceptance is Acceptance.NOT_MEASURED


def test_a_profile_cannot_allow_somebody_else() -> None:
    """However wide its limit, the analyzer has to see one person."""
    analyzer = ColourAnalyzer()
    reference = measure_reference(analyzer, [picture(ADA)])
    assert reference is not None
    wide = dataclasses.replace(PROFILE_WORTHY.limits, max_likeness_spreads=10.0)
    judged = Gate(analyzer, reference, dataclasses.replace(PROFILE_WORTHY, limits=wide)).judge(
        picture(("bob", (32, 32, 96, 96)))
    )
    (alike,) = [check for check in judged.verdict.checks if check.reason == "NOT_ALIKE"]
    assert (alike.passed, alike.limit) == (False, 1.0)


def test_a_near_duplicate_of_an_accepted_image_is_refused() -> None:
    judged = gate().judge(picture(ADA))
    limits = PROFILE_WORTHY.limits
    first = against_accepted(judged.verdict, judged.view, [], limits)
    again = against_accepted(judged.verdict, judged.view, [other_view(), judged.view], limits)
    other = against_accepted(judged.verdict, judged.view, [other_view()], limits)
    assert [verdict.acceptance for verdict in (first, again, other)] == ["accepted", "refused", "accepted"]
    assert [verdict.checks[-1].reason for verdict in (first, again, other)] == ["NEAR_DUPLICATE"] * 3
    assert again.checks[-1].measured == 0.0


def other_view() -> View:
    return gate().judge(picture(("ada", (8, 20, 60, 96)))).view


def test_what_was_not_measured_stays_so_beside_accepted_images() -> None:
    verdict = not_measured(PROFILE_WORTHY, "", "No analyzer of faces is set up.")
    assert verdict.acceptance is Acceptance.NOT_MEASURED
    assert verdict.checks[0].message == "No analyzer of faces is set up."
    after = against_accepted(verdict, other_view(), [], PROFILE_WORTHY.limits)
    assert after.acceptance is Acceptance.NOT_MEASURED


def test_a_change_that_costs_likeness_is_refused() -> None:
    judged = gate().judge(picture(ADA))
    likeness = judged.likeness
    assert likeness is not None
    kept, lost = (against_source(judged.verdict, likeness, likeness + more) for more in (0.0199, 0.0201))
    assert (kept.acceptance, lost.acceptance) == (Acceptance.ACCEPTED, Acceptance.REFUSED)
    assert lost.checks[-1].reason == "LIKENESS_LOST"
    assert lost.checks[-1].measured == pytest.approx(0.0201)
    for nobody_measured in (against_source(judged.verdict, None, 0.9), against_source(judged.verdict, 0.9, None)):
        assert nobody_measured == judged.verdict


def test_a_verdict_survives_a_row() -> None:
    for verdict in (gate().judge(picture(ADA)).verdict, not_measured(PROFILE_WORTHY, "", "why")):
        assert Verdict.from_json(verdict.to_json()) == verdict
