"""What one judge measured is never mixed with what another has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.training import judging
from foundry.train_judges import digest


def test_embeddings_and_results_belong_to_the_judge_that_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(digest()) == 12
    kept = tmp_path / "gallery.npy"
    drawn = judging.gallery(1, kept)
    assert np.array_equal(judging.gallery(1, kept), drawn)
    (file,) = tmp_path.iterdir()
    np.save(file, drawn + 1)
    assert np.array_equal(judging.gallery(1, kept), drawn + 1), "it was kept"
    monkeypatch.setattr(judging, "digest", lambda: "another")
    assert np.array_equal(judging.gallery(1, kept), drawn)
