"""Checkpoints in a store that loses, spoils and refuses them: the newest that can be read counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from services.trainer.run import retrying_store
from services.trainer.run.checkpoint import Checkpoints, Judged, Snapshot
from services.trainer.selection.scores import CheckpointScores

FOLDER = "out/a/checkpoints"


class ShakyStore(ArtifactStore):
    """Fails as many calls as it is told to."""

    failures = 0

    def _perhaps(self) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "away")

    def put_sync(self, key: str, data: bytes) -> None:
        self._perhaps()
        super().put_sync(key, data)

    def get_sync(self, key: str) -> bytes:
        self._perhaps()
        return super().get_sync(key)

    def list_sync(self, prefix: str) -> list[str]:
        self._perhaps()
        return super().list_sync(prefix)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShakyStore:
    """Who waits for it waits for no time at all."""
    monkeypatch.setitem(retrying_store.patiently.__kwdefaults__, "sleep", lambda _: None)
    # A second of the clock passes with every look at it.
    seconds = iter(range(10_000))
    monkeypatch.setitem(retrying_store.patiently.__kwdefaults__, "clock", lambda: float(next(seconds)))
    store = ShakyStore.open(tmp_path.as_uri())
    assert isinstance(store, ShakyStore)
    return store


def snapshot(step: int) -> Snapshot:
    array = np.full((2, 3), step, np.float32)
    judged = Judged([CheckpointScores(step, 0.5, 0.1, 1.0, 1.0, 1.0)], {"best": array})
    return Snapshot(step, {"a": array}, {"exp_avg/a": array, "exp_avg_sq/a": array}, [(step, 0.5)], [0.25], judged)


def steps(store: ArtifactStore) -> list[int]:
    return [int(key.rpartition("/")[2].partition(".")[0]) for key in store.list_sync(FOLDER)]


def test_a_checkpoint_comes_back_as_it_was_and_replaces_the_one_before(store: ShakyStore) -> None:
    checkpoints = Checkpoints(store, "out/a", "mark")
    assert checkpoints.load() is None
    checkpoints.save(snapshot(3))
    checkpoints.save(snapshot(5))
    assert steps(store) == [5]
    found, saved = checkpoints.load(), snapshot(5)
    assert found is not None
    assert found.judged is not None
    assert (found.step, found.curve, found.open_losses) == (saved.step, saved.curve, saved.open_losses)
    assert found.judged.scores == [CheckpointScores(5, 0.5, 0.1, 1.0, 1.0, 1.0)]
    for arrays, names in (
        (found.lora, {"a"}),
        (found.moments, {"exp_avg/a", "exp_avg_sq/a"}),
        (found.judged.best, {"best"}),
    ):
        assert set(arrays) == names
        assert all((array == 5).all() for array in arrays.values())
    checkpoints.clear()
    assert steps(store) == []


@pytest.mark.parametrize("spoiled", [b"", b"half of a file"])
def test_a_spoiled_newest_or_anothers_is_left_out(store: ShakyStore, spoiled: bytes) -> None:
    checkpoints = Checkpoints(store, "out/a", "mark")
    checkpoints.save(snapshot(3))
    store.put_sync(f"{FOLDER}/00000007.safetensors", spoiled)
    Checkpoints(store, "out/b", "other").save(snapshot(9))
    store.put_sync(f"{FOLDER}/00000009.safetensors", store.get_sync("out/b/checkpoints/00000009.safetensors"))
    found = checkpoints.load()
    assert found is not None
    assert found.step == 3


def test_while_the_store_is_away_the_older_ones_have_to_do(store: ShakyStore) -> None:
    checkpoints = Checkpoints(store, "out/a", "mark")
    checkpoints.save(snapshot(3))
    store.failures = 1
    checkpoints.save(snapshot(5))
    assert steps(store) == [3]


def test_a_store_that_is_away_for_a_while_costs_no_step_that_was_done(store: ShakyStore) -> None:
    checkpoints = Checkpoints(store, "out/a", "mark")
    checkpoints.save(snapshot(3))
    store.failures = 5
    found = checkpoints.load()
    assert found is not None
    assert found.step == 3
    store.failures = 10_000
    with pytest.raises(UnavailableError):
        checkpoints.load()


def test_a_store_that_keeps_checkpoints_costs_no_result(store: ShakyStore, caplog: pytest.LogCaptureFixture) -> None:
    checkpoints = Checkpoints(store, "out/a", "mark")
    checkpoints.save(snapshot(3))
    store.failures = 10_000
    checkpoints.clear()
    assert "checkpoints stay under out/a/checkpoints" in caplog.text
    store.failures = 0
    checkpoints.clear()
    assert steps(store) == []
