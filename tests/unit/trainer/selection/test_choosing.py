"""Which checkpoint is chosen for given scores, and the reason that is told."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trainer.selection.choosing import NOISE, best_of, conclude, has_stopped_improving, not_measured
from services.trainer.selection.scores import (
    MAX_BROKEN,
    MAX_COPYING,
    MIN_DIVERSITY,
    MIN_PROMPT_KEPT,
    CheckpointScores,
    TrainingScores,
)


def _scores(step: int, likeness: float, **others: float) -> CheckpointScores:
    sound = {"copying": 0.0, "diversity": 0.8, "prompt_kept": 1.0, "faces": 1.0}
    return CheckpointScores(step=step, likeness=likeness, **{**sound, **others})


def _conclude(*checkpoints: CheckpointScores, total: int = 400, limit: float = 0.5) -> TrainingScores:
    return conclude(checkpoints, analyzer="a-1", same_person_from=limit, held_out=2, total_steps=total)


def test_the_checkpoint_with_the_highest_likeness_is_chosen() -> None:
    scores = _conclude(_scores(100, 0.5), _scores(200, 0.75), _scores(400, 0.6))
    assert (scores.chosen_step, scores.likeness, scores.passed, scores.stopped_early) == (200, 0.75, True, False)
    assert scores.reason == (
        "step 200 was taken: its portraits' likeness to 2 held-out photos is 0.750, the highest of 3 sound checkpoints "
        "out of 3"
    )


@pytest.mark.parametrize(
    ("flaw", "word"),
    [
        ({"copying": MAX_COPYING + 0.01}, "copies"),
        ({"diversity": MIN_DIVERSITY - 0.01}, "every seed"),
        ({"prompt_kept": MIN_PROMPT_KEPT - 0.01}, "forgets the prompt"),
        ({"regular": 0.5, "bare_regular": 0.51 + MAX_BROKEN}, "breaks faces (50% regular, 76% without it)"),
    ],
)
def test_a_checkpoint_that_is_not_sound_is_not_chosen(flaw: dict[str, float], word: str) -> None:
    scores = _conclude(_scores(100, 0.6), _scores(400, 0.9, **flaw))
    assert (scores.chosen_step, scores.passed) == (100, True)
    assert "step 400 had 0.900" in scores.reason
    assert word in scores.reason


def test_if_none_is_sound_the_one_that_follows_prompts_best_is_chosen_and_does_not_pass() -> None:
    scores = _conclude(_scores(100, 0.6, prompt_kept=0.5), _scores(400, 0.9, prompt_kept=0.2))
    assert (scores.chosen_step, scores.passed) == (100, False)
    assert "no checkpoint was sound" in scores.reason


def test_a_likeness_below_the_analyzers_limit_does_not_pass() -> None:
    scores = _conclude(_scores(400, 0.4))
    assert not scores.passed
    assert "below 0.500" in scores.reason


def test_the_last_of_checkpoints_that_are_equal_up_to_noise_is_chosen() -> None:
    assert best_of([_scores(100, 0.7), _scores(200, 0.7)]).step == 200
    scores = _conclude(_scores(100, 0.6), _scores(200, 0.7), _scores(300, 0.7 - 0.9 * NOISE), _scores(400, 0.6))
    assert scores.chosen_step == 300
    assert "the last of 4 sound checkpoints out of 4 that are as like as step 200 (0.700), up to noise" in scores.reason
    assert best_of([_scores(100, 0.7), _scores(200, 0.7 - 1.1 * NOISE)]).step == 100


@pytest.mark.parametrize(
    "measured",
    [
        {"regular": 0.5, "bare_regular": 0.5 + MAX_BROKEN},
        {"regular": 0.2, "bare_regular": 0.2},  # the foundation breaks them itself
        {"regular": 1.0, "bare_regular": 0.5},
        {},  # an analyzer that cannot tell: as before this was checked
    ],
)
def test_faces_that_are_as_regular_as_the_foundations_or_not_measured_are_no_flaw(measured: dict[str, float]) -> None:
    assert _conclude(_scores(100, 0.6, regular=1.0, bare_regular=1.0), _scores(400, 0.9, **measured)).chosen_step == 400


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from([0.0, MAX_COPYING + 0.01]), st.sampled_from([1.0, 0.5, 0.1])),
        min_size=1,
        max_size=8,
    )
)
def test_a_later_checkpoint_is_chosen_or_does_not_change_the_choice(
    drawn: list[tuple[float, float, float]],
) -> None:
    checkpoints = [
        _scores(step, likeness, copying=copying, prompt_kept=kept)
        for step, (likeness, copying, kept) in enumerate(drawn, start=1)
    ]
    kept = checkpoints[0]
    for count in range(1, len(checkpoints) + 1):
        best = best_of(checkpoints[:count])
        assert best in (kept, checkpoints[count - 1])
        kept = best


def test_early_stopping_counts_checkpoints_without_a_higher_likeness() -> None:
    curve = [_scores(step, likeness) for step, likeness in ((1, 0.5), (2, 0.6), (3, 0.601), (4, 0.59))]
    assert not has_stopped_improving(curve[:3], 2)
    assert has_stopped_improving(curve, 2)
    assert not has_stopped_improving(curve, 3)
    assert not has_stopped_improving(curve, 0)
    assert not has_stopped_improving([], 2)


def test_a_run_that_ended_early_says_so() -> None:
    scores = _conclude(_scores(100, 0.7), _scores(200, 0.6), _scores(300, 0.6), total=400)
    assert scores.stopped_early
    assert "ended at step 300 of 400" in scores.reason


def test_without_an_analyzer_nothing_is_measured_and_nothing_passes() -> None:
    scores = not_measured("no analyzer of faces is set up", 400)
    assert (scores.analyzer, scores.likeness, scores.passed, scores.chosen_step) == ("", None, False, 400)
    assert scores.reason.startswith("likeness not measured: no analyzer")


def test_scores_survive_json() -> None:
    scores = dataclasses.replace(_conclude(_scores(100, 0.5), _scores(400, 0.75)), sheet_key="a/s", card_key="a/c")
    assert TrainingScores.from_json(scores.to_json()) == scores
