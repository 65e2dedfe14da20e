"""The figures of the training benchmark that compare with the peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.training.figures import PEER, figures, result
from benchmarks.training.plan import Journal, Plan
from benchmarks.training.speed import Speeds
from benchmarks.training.start import start_cost
from benchmarks.training.targets import TARGETS
from headshots.diffusion.foundations.foundation import Foundation
from headshots.settings import default_foundation

FOLLOWING = {"outfit": 1.0, "backdrop": 1.0, "light": 1.0}


def plan(folder: Path) -> Plan:
    return Plan(default_foundation(), folder)


def judged(likeness: float, own: float = 0.9) -> dict[str, Any]:
    return {
        "rank1": 1.0,
        "likeness": likeness,
        "own_likeness": own,
        "following": FOLLOWING,
        "accepted_share": None,
        "refused_for": {},
    }


def speeds(rows: int, ours: list[float], plain: list[float], tuned: list[float]) -> dict[str, Any]:
    rates = {"ours": ours, "plain": plain, "tuned": tuned}
    return Speeds(rows, rates, {"cached": 3.0, "cached, bf16": 4.0}, 2).told(plan(Path()))


def test_the_ratio_is_of_one_persons_turns_and_the_fastest_tuning_is_taken() -> None:
    told = speeds(12, [10.0, 12.0, 9.0], [5.0, 4.0, 4.5], [8.0, 8.0, 9.0])
    assert told["ratio"] == {"median": 2.0, "lowest": 2.0, "highest": 3.0}
    assert told["ratio_tuned"] == {"median": 1.25, "lowest": 1.0, "highest": 1.5}
    assert told["tuning"] == "cached, bf16"


def test_the_tuned_peer_is_compared_at_the_rows_where_it_is_nearest(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", "key")
    assert figures(plan(tmp_path), journal)["steps_per_second_vs_tuned"] is None
    journal.add("speed", 6, speeds(6, [10.0], [6.0], [8.0]))
    journal.add("speed", 12, speeds(12, [10.0], [4.0], [5.0]))
    found = figures(plan(tmp_path), journal)
    # The plain peer is compared at the rows of the foundation's recipe.
    assert plan(tmp_path).rows == 12
    assert (found["steps_per_second_vs_tuned"], found["steps_per_second_ratio"]) == (1.25, 2.5)


def test_gains_are_of_the_same_people_as_shares_of_their_own_likeness(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", "key")
    for person, mine, theirs in ((0, 0.81, 0.72), (1, 0.72, 0.72), (2, 0.9, None)):
        journal.add("ours", person, judged(mine))
        journal.add("bare", person, judged(0.0))
        if theirs is not None:
            journal.add(PEER, person, judged(theirs))
    found = result(plan(tmp_path), journal)
    assert found["likeness_gains"] == pytest.approx({0: 0.1, 1: 0.0})
    assert found["figures"]["likeness_gain_equal_time"] == pytest.approx(0.05)
    assert set(found["figures"]) == set(found["met"]) == set(TARGETS)
    assert found["spread"]["likeness_gain_equal_time"] == pytest.approx([0, 0.1])
    assert found["spread"]["likeness_share"] == pytest.approx([0.8, 1.0])
    assert [found["met"][name] for name in ("rank1", "control_rank1", "verified")] == [True, False, None]
    assert found["machine"]["cpu"]
    assert {"torch", "python"} <= set(found["versions"])
    assert "revision" in found
    assert found["start"]["minutes"] > 0


def test_the_cost_of_the_bundled_start_is_known_and_of_another_nothing_is_claimed() -> None:
    known = start_cost(Foundation.read(default_foundation()).initial_weights_sha256)
    assert known is not None, "a new start: benchmarks/training/start.py says what it cost"
    assert {"minutes", "cores", "people", "source"} <= set(known)
    assert start_cost("0" * 64) == {"sha256": "0" * 64}
    assert start_cost(None) is None


def test_each_figures_spread_is_of_its_own_values(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", "key")
    for person, lost in enumerate((0.1, 0.3)):
        followed = {"outfit": 1.0 - lost, "backdrop": 1.0 - lost / 2, "light": 1.0}
        journal.add("ours", person, {**judged(0.8), "following": followed})
        journal.add("bare", person, judged(0.0))
    people = {str(person): {"precision": 0.2 * (person + 1), "precision_true": 0.8, "auc": 0.9} for person in (0, 1)}
    journal.add("natural", 0, {"people": people, "taught": {}, "bare": 0.4})
    spread = result(plan(tmp_path), journal)["spread"]
    assert spread["prompt_drop_outfit"] == pytest.approx([10, 30])
    assert spread["prompt_drop_backdrop"] == pytest.approx([5, 15])
    assert spread["prompt_drop_light"] == [0, 0]
    assert spread["natural"] == pytest.approx([0.25, 0.5])
    assert spread["natural_auc"] == [0.9, 0.9]
