"""The bare foundation's portraits are sampled once, and again where they were deleted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headshots.artifacts import ArtifactStore
from tests.support.trainer.runs import OneFaceAnalyzer, judged_task, prepare_run

pytestmark = pytest.mark.usefixtures("one_thread")


def test_bare_portraits_are_sampled_once_and_again_if_removed(judged_foundation: Path, tmp_path: Path) -> None:
    task = judged_task(judged_foundation, tmp_path)
    store = ArtifactStore.open(task.store_url)
    first = prepare_run(task, OneFaceAnalyzer()).bare
    keys = store.list_sync(f"foundations/{task.foundation_digest}/bare")
    assert len(keys) == 4
    store.delete_sync(keys[0])
    again = prepare_run(task, OneFaceAnalyzer()).bare
    assert store.list_sync(f"foundations/{task.foundation_digest}/bare") == keys
    np.testing.assert_array_equal(first, again)
