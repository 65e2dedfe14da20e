"""Checkpoints in a store that loses, corrupts and refuses them: the newest readable one counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from services.trainer.lora.loop import LoopState
from services.trainer.run import retrying_store
from services.trainer.run.checkpoint import Checkpoint, Checkpoints, pack, unpack
from services.trainer.selection.scores import CheckpointScores
from services.trainer.selection.selection import SelectionState

FOLDER = "out/a/checkpoints"


class FailingStore(ArtifactStore):
    """Fails the next ``failures`` calls."""

    failures = 0

    def _fail_if_told(self) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "away")

    def put_sync(self, key: str, data: bytes) -> None:
        self._fail_if_told()
        super().put_sync(key, data)

    def get_sync(self, key: str) -> bytes:
        self._fail_if_told()
        return super().get_sync(key)

    def sizes_sync(self, prefix: str) -> dict[str, int]:
        self._fail_if_told()
        return super().sizes_sync(prefix)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FailingStore:
    """Retries do not wait."""
    monkeypatch.setitem(retrying_store.with_retries.__kwdefaults__, "sleep", lambda _: None)
    # Every call of the clock takes a second.
    seconds = iter(range(10_000))
    monkeypatch.setitem(retrying_store.with_retries.__kwdefaults__, "clock", lambda: float(next(seconds)))
    store = FailingStore.open(tmp_path.as_uri())
    assert isinstance(store, FailingStore)
    return store


def checkpoint(step: int) -> Checkpoint:
    array = np.full((2, 3), step, np.float32)
    selection = SelectionState([CheckpointScores(step, 0.5, 0.1, 1.0, 1.0, 1.0)], {"best": array})
    loop = LoopState(step, {"a": array}, {"exp_avg/a": array, "exp_avg_sq/a": array}, [(step, 0.5)], [0.25])
    return Checkpoint(loop, selection)


def steps(store: ArtifactStore) -> list[int]:
    return [int(key.rpartition("/")[2].partition(".")[0]) for key in store.list_sync(FOLDER)]


def test_a_checkpoint_is_loaded_as_it_was_saved_and_replaces_the_older_one(store: FailingStore) -> None:
    checkpoints = Checkpoints(store, FOLDER, "mark")
    assert checkpoints.load() is None
    checkpoints.save(checkpoint(3))
    checkpoints.save(checkpoint(5))
    assert steps(store) == [5]
    found, saved = checkpoints.load(), checkpoint(5)
    assert found is not None
    assert found.selection is not None
    assert (found.loop.step, found.loop.curve) == (5, saved.loop.curve)
    assert found.loop.open_losses == saved.loop.open_losses
    assert found.selection.judged == [CheckpointScores(5, 0.5, 0.1, 1.0, 1.0, 1.0)]
    for arrays, names in (
        (found.loop.lora, {"a"}),
        (found.loop.moments, {"exp_avg/a", "exp_avg_sq/a"}),
        (found.selection.best, {"best"}),
    ):
        assert set(arrays) == names
        assert all((array == 5).all() for array in arrays.values())
    checkpoints.clear()
    assert steps(store) == []


@pytest.mark.parametrize("corrupt", [b"", b"half of a file"])
def test_a_corrupt_checkpoint_and_one_of_another_run_are_skipped(store: FailingStore, corrupt: bytes) -> None:
    checkpoints = Checkpoints(store, FOLDER, "mark")
    checkpoints.save(checkpoint(3))
    store.put_sync(f"{FOLDER}/00000007.safetensors", corrupt)
    Checkpoints(store, "out/b/checkpoints", "other").save(checkpoint(9))
    store.put_sync(f"{FOLDER}/00000009.safetensors", store.get_sync("out/b/checkpoints/00000009.safetensors"))
    found = checkpoints.load()
    assert found is not None
    assert found.loop.step == 3


def test_a_failed_write_keeps_the_older_checkpoint(store: FailingStore) -> None:
    checkpoints = Checkpoints(store, FOLDER, "mark")
    checkpoints.save(checkpoint(3))
    store.failures = 1
    checkpoints.save(checkpoint(5))
    assert steps(store) == [3]


def test_loading_retries_while_the_store_is_unavailable(store: FailingStore) -> None:
    checkpoints = Checkpoints(store, FOLDER, "mark")
    checkpoints.save(checkpoint(3))
    store.failures = 5
    found = checkpoints.load()
    assert found is not None
    assert found.loop.step == 3
    store.failures = 10_000
    with pytest.raises(UnavailableError):
        checkpoints.load()


def test_checkpoints_that_cannot_be_removed_do_not_fail_the_training(
    store: FailingStore, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(store, FOLDER, "mark")
    checkpoints.save(checkpoint(3))
    store.failures = 10_000
    checkpoints.clear()
    assert "checkpoints stay under out/a/checkpoints" in caplog.text
    store.failures = 0
    checkpoints.clear()
    assert steps(store) == []


def test_a_checkpoint_of_another_run_is_not_loaded() -> None:
    assert unpack(pack(checkpoint(2), "one"), "other") is None
