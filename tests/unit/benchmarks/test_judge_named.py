"""What one judge measured is never mixed with what another has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.training import judging, plan
from benchmarks.training.people import PUBLISHED
from foundry.train_judges import digest
from headshots.settings import default_foundation


def test_embeddings_and_results_belong_to_the_judge_that_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(digest()) == 12
    kept = tmp_path / "gallery.npy"
    drawn = judging.gallery(PUBLISHED, 1, kept)
    assert np.array_equal(judging.gallery(PUBLISHED, 1, kept), drawn)
    (file,) = tmp_path.iterdir()
    np.save(file, drawn + 1)
    assert np.array_equal(judging.gallery(PUBLISHED, 1, kept), drawn + 1), "it was kept"
    monkeypatch.setattr(judging, "digest", lambda: "another")
    assert np.array_equal(judging.gallery(PUBLISHED, 1, kept), drawn)


def test_a_journal_of_another_judge_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan.Plan(default_foundation(), tmp_path).key
    assert plan.Plan(default_foundation(), tmp_path).key == before
    monkeypatch.setattr(plan, "judges_digest", lambda: "another")
    assert plan.Plan(default_foundation(), tmp_path).key != before
