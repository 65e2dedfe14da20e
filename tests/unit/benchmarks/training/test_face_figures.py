"""Figures of faces from a journal: means over people, each person's values, goals of one side and of two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.training import face_figures
from benchmarks.training.plan import Journal
from benchmarks.training.targets import FACES

_FACES = {
    "verified": 0.5,
    "face_share": 0.4,
    "rank1_lookalikes": 0.9,
    "regular": 0.8,
    "edges_overlap": 0.9,
    "edges_sharpness_eyes": 0.7,
    "edges_sharpness_outline": 0.6,
}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Three people, the last of whom is worst; both nets have asked."""
    journal = Journal(tmp_path / "journal.jsonl", "key")
    for person, share in enumerate((0.6, 0.4, 0.2)):
        journal.add("faces", person, {**_FACES, "face_share": share})
        journal.add("stock", person, {"face_share_stock": share - 0.1, "stock_shortfall": 0.1, "verified_stock": 0.3})
    asked = {"precision": 0.3, "precision_true": 0.9, "auc": 0.95}
    journal.add("natural", 0, {"people": {"0": asked, "2": {**asked, "precision": 0.6}}, "bare": 0.45})
    journal.add("natural", 1, {"people": {"1": asked}, "bare": None})
    return journal


def test_figures_are_means_over_people(journal: Journal) -> None:
    figures = face_figures.figures(journal)
    assert figures["face_share"] == pytest.approx(0.4)
    assert figures["verified"] == 0.5
    assert figures["stock_shortfall"] == pytest.approx(0.1)
    # Precision 0.4 of the portraits over 0.9 of true renders; the bare foundation's over the same.
    assert figures["natural"] == pytest.approx(0.4 / 0.9)
    assert figures["natural_foundation"] == pytest.approx(0.5)
    assert figures["natural_auc"] == pytest.approx(0.95)


def test_what_was_not_measured_is_none(tmp_path: Path) -> None:
    figures = face_figures.figures(Journal(tmp_path / "journal.jsonl", "key"))
    assert set(figures.values()) == {None}
    assert set(figures) | set(face_figures.prompt_drops([], [])) == set(FACES)


def test_each_person_has_a_value_and_people_a_spread(journal: Journal) -> None:
    shown = face_figures.by_person(journal)
    assert shown["face_share"]["people"] == {0: 0.6, 1: 0.4, 2: 0.2}
    assert (shown["face_share"]["least"], shown["face_share"]["greatest"]) == (0.2, 0.6)
    assert shown["face_share"]["deviation"] == pytest.approx(0.1633, abs=1e-4)
    assert shown["precision"]["people"][2] == 0.6
    assert shown["face_share_stock"]["people"] == pytest.approx({0: 0.5, 1: 0.3, 2: 0.1})
    assert face_figures.worst_first(journal) == [2, 1, 0]


def test_each_attribute_tells_what_adapters_cost() -> None:
    def followed(outfit: float) -> dict[str, Any]:
        return {"following": {"outfit": outfit, "backdrop": 0.9, "light": 1.0}}

    drops = face_figures.prompt_drops([followed(0.8), followed(0.9)], [followed(1.0), followed(1.0)])
    assert drops["prompt_drop_outfit"] == pytest.approx(15)
    assert (drops["prompt_drop_backdrop"], drops["prompt_drop_light"]) == (0, 0)


def test_targets_have_one_bound_or_two() -> None:
    shown = {name: str(target) for name, target in FACES.items()}
    assert shown["verified"] == "≥ 0.8"
    assert shown["natural_auc"] == "≤ 0.8"
    assert shown["edges_sharpness_eyes"] == "0.8 to 1.2"
    eyes = FACES["edges_sharpness_eyes"]
    assert [eyes.met(found) for found in (0.79, 0.8, 1.2, 1.21)] == [False, True, True, False]
