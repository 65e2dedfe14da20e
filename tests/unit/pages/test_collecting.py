"""What the SDK tells becomes what a page shows: outcomes, reasons in words, and the scale of likeness."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from headshots.client import Acceptance, Check, Gallery, Guarantee, JobState, Verdict
from headshots.pages import collecting
from headshots.pages.models import Outcome, Timing, Why
from headshots.pages.words import TITLES, bytes_in_words, seconds_in_words, title_of
from tests.support.images.albums import painted, shoot, training
from tests.support.paths import ROOT

TITLES_OF_STYLES = {"styles/suit": "Navy suit"}
GALLERY = Gallery(
    name="subjects/s/galleries/g",
    state=JobState.SUCCEEDED,
    styles=("styles/suit",),
    shots_per_style=4,
    seed=0,
    total_shots=4,
    completed_shots=4,
    failed_shots=0,
    adapter_sha256="",
    failure=None,
    create_time=None,
    end_time=None,
    images=(),
    status_message="",
)
ALIKE = Check("NOT_ALIKE", True, 1.5, 2.5, "how like")


def judged(*checks: Check, likeness: float | None = 0.85, acceptance: Acceptance = Acceptance.ACCEPTED) -> Verdict:
    return Verdict(acceptance, "profiles/profile-worthy", 1, "an-analyzer", checks)


def test_the_scale_of_likeness_is_that_of_the_gate() -> None:
    """1.5 spreads are a distance of 0.15, so a spread is 0.1, and 2.5 of them are allowed."""
    image = replace(painted("suit", 0, b"", likeness=0.85, rank=1).image, verdict=judged(ALIKE))
    likeness = collecting.portrait(image, "a.png", "Ada", {}).likeness
    assert likeness is not None
    assert (likeness.value, likeness.needed, likeness.own) == (0.85, pytest.approx(0.75), pytest.approx(0.9))


@pytest.mark.parametrize("check", [replace(ALIKE, measured=None, limit=None), replace(ALIKE, measured=0.0), None])
def test_where_the_gate_tells_no_scale_none_is_made_up(check: Check | None) -> None:
    checks = (check,) if check is not None else ()
    image = replace(painted("suit", 0, b"", likeness=0.85, rank=1).image, verdict=judged(*checks))
    likeness = collecting.portrait(image, "a.png", "Ada", {}).likeness
    assert likeness is not None
    assert (likeness.value, likeness.needed, likeness.own) == (0.85, None, None)
    unmeasured = replace(image, likeness=None)
    assert collecting.portrait(unmeasured, "a.png", "Ada", {}).likeness is None


def test_a_portrait_is_called_by_its_style_and_person() -> None:
    image = painted("suit", 3, b"", rank=2).image
    shown = collecting.portrait(image, "portraits/02-suit.png", "Ada", TITLES_OF_STYLES)
    assert (shown.title, shown.rank, shown.seed, shown.outcome) == ("Navy suit", 2, 3, Outcome.ACCEPTED)
    assert shown.picture.alt == "Portrait of Ada: Navy suit, rank 2"
    assert shown.picture.name == "02-suit.png"
    nameless = collecting.portrait(replace(image, style="styles/old-red-coat"), "a.png", "", TITLES_OF_STYLES)
    assert (nameless.title, nameless.picture.alt) == ("Old red coat", "Portrait: Old red coat, rank 2")


def test_outcomes_are_those_of_the_verdicts() -> None:
    image = painted("suit", 3, b"").image
    refused = collecting.portrait(image, "a.png", "Ada", {})
    assert (refused.outcome, refused.why) == (Outcome.REFUSED, [Why("Blurry", "BLURRY says why")])
    for verdict in (None, judged(acceptance=Acceptance.NOT_MEASURED)):
        assert collecting.portrait(replace(image, verdict=verdict), "a.png", "", {}).outcome is Outcome.NOT_JUDGED


@pytest.mark.parametrize(("reason", "hidden"), [("UNSAFE", True), ("BLURRY", False)])
def test_what_the_safety_net_refuses_is_hidden(reason: str, hidden: bool) -> None:
    failed = judged(Check(reason, False, 1.0, 0.5, ""), acceptance=Acceptance.REFUSED)
    image = replace(painted("suit", 3, b"").image, verdict=failed)
    assert collecting.portrait(image, "a.png", "Ada", {}).hidden is hidden


def test_every_reason_of_the_gate_has_words() -> None:
    reasons = set()
    judges = ("headshots/acceptance/gate.py", "headshots/acceptance/safety.py", "services/gateway/painting/framing.py")
    for judge in judges:
        source = (ROOT / judge).read_text("utf-8")
        reasons |= set(re.findall(r'(?:Check|at_least|at_most|unmeasured|_near)\(\s*"([A-Z_]+)"', source))
    assert {"NOT_ALIKE", "UNSAFE", "NEAR_DUPLICATE", "NO_FACE", "LIKENESS_LOST", "EYE_LINE_OFF"} <= reasons
    assert reasons <= set(TITLES)
    assert title_of("SOMETHING_NEWER") == "Something newer"


def test_facts_tell_the_mean_of_the_accepted_with_what_is_needed() -> None:
    images = [
        replace(painted("suit", seed, b"", likeness=value, rank=rank).image, verdict=judged(ALIKE) if rank else None)
        for seed, value, rank in ((0, 0.85, 1), (1, 0.85, 2), (2, 0.1, 0))
    ]
    shown = [collecting.portrait(image, "a.png", "Ada", {}) for image in images]
    facts = {each.name: (each.value, each.limit) for each in collecting.facts(2, 3, 5, Guarantee.NOT_MET, shown)}
    assert facts == {
        "Accepted": ("2 of 3", ""),
        "Likeness": ("0.85", "mean, 0.75 needed"),
        "Guarantee": ("not met", ""),
        "Tries": ("5", ""),
    }
    assert [each.name for each in collecting.facts(0, 3, 5, None, [])] == ["Accepted", "Tries"]


def test_timings_are_those_that_have_an_end() -> None:
    done = shoot()
    made = done.create_time
    assert made is not None
    trained = replace(
        training(),
        create_time=made,
        start_time=made + timedelta(seconds=2),
        end_time=made + timedelta(seconds=62),
    )
    assert collecting.shoot_timings(done, trained, None) == [
        Timing("waiting for a trainer", 2.0),
        Timing("training", 60.0),
        Timing("in all", 90.0),
    ]
    earlier = replace(done, trains=False)
    assert collecting.shoot_timings(earlier, trained, None) == [Timing("in all", 90.0)]
    assert collecting.shoot_timings(replace(done, end_time=None), training(), None) == []


def test_a_portrait_takes_its_share_of_the_time_of_all() -> None:
    images = [painted("suit", seed, b"").image for seed in range(4)]
    made = datetime(2026, 11, 24, tzinfo=UTC)
    done = replace(GALLERY, create_time=made, end_time=made + timedelta(seconds=10))
    told = {each.name: each.value for each in collecting.figures(images, done)}
    assert told == {"Seconds a portrait": "2.50", "Face analyzer": "an-analyzer"}
    assert [each.name for each in collecting.figures(images, replace(done, end_time=None))] == ["Face analyzer"]
    assert collecting.figures([], done) == []


def test_a_training_without_a_curve_shows_none() -> None:
    assert collecting.learning(training(curve=())) is None
    assert collecting.learning(None) is None
    found = collecting.learning(training())
    assert found is not None
    assert (found.steps, found.photos, found.rank, found.points[0]) == (20, 6, 8, (1, 0.9))


def test_spans_and_sizes_in_words() -> None:
    assert [seconds_in_words(each) for each in (0.42, 12.34, 60, 252.2)] == ["0.42 s", "12.3 s", "1 min", "4 min 12 s"]
    assert [bytes_in_words(each) for each in (0, 512, 34_567, 1_500_000)] == ["", "512 B", "35 kB", "1.5 MB"]
