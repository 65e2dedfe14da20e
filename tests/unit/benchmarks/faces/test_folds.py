"""Nobody is asked about by a net that they taught."""

from __future__ import annotations

import numpy as np

from benchmarks.faces.folds import FOLDS, asked_in, teachers_of
from foundry.faces.hard_pairs import roc_area

PEOPLE = range(60)
PICTURES = 6


def test_everybody_is_asked_once_and_by_those_whom_others_taught() -> None:
    asked = [asked_in(fold, PEOPLE) for fold in range(FOLDS)]
    assert sorted(person for some in asked for person in some) == list(PEOPLE)
    for fold, some in enumerate(asked):
        assert some
        assert set(teachers_of(fold, PEOPLE)) == set(PEOPLE) - set(some)


def nearest_teacher_area(asked: list[int], teachers: list[int], pictures: dict[int, np.ndarray]) -> float:
    """The ROC area of a classifier that remembers its teachers' pictures: of even people "true", of odd "painted"."""
    kind = {person: person // FOLDS % 2 for person in pictures}
    known = np.concatenate([pictures[person] for person in teachers])
    kinds = np.repeat([kind[person] for person in teachers], PICTURES)

    def scores(wanted: int) -> np.ndarray:
        shown = np.concatenate([pictures[person] for person in asked if kind[person] == wanted])
        away = np.linalg.norm(shown[:, None] - known[None], axis=2)
        nearest = [np.where(kinds == each, away, np.inf).min(1) for each in (0, 1)]
        return np.asarray(nearest[1] - nearest[0], np.float32)

    return roc_area(scores(0), scores(1))


def test_a_classifier_that_remembers_people_finds_no_difference_where_there_is_none() -> None:
    """Sound: the same world on both sides gives an area near 0.5; asked about its own teachers it would claim 1."""
    rng = np.random.default_rng(5)
    pictures = {person: rng.normal(0, 1, 8) + rng.normal(0, 0.1, (PICTURES, 8)) for person in PEOPLE}
    areas = [nearest_teacher_area(asked_in(fold, PEOPLE), teachers_of(fold, PEOPLE), pictures) for fold in range(FOLDS)]
    assert abs(float(np.mean(areas)) - 0.5) < 0.1
    asked = asked_in(0, PEOPLE)
    assert nearest_teacher_area(asked, asked, pictures) > 0.95
