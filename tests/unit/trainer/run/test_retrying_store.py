"""The retrying store: a short outage costs only its time, a long one is a typed error."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import NotFoundError, UnavailableError
from services.trainer.run import retrying_store
from services.trainer.run.retrying_store import RetryingStore, with_retries


class FakeTime:
    """A clock that advances only in ``sleep``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def away() -> str:
    raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "away")


def test_calls_are_retried_with_growing_pauses() -> None:
    time = FakeTime()
    answer = with_retries(lambda: "here" if time.now > 60 else away(), clock=time.clock, sleep=time.sleep)
    assert answer == "here"
    assert time.pauses[:5] == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert set(time.pauses[5:]) == {5.0}


def test_retries_end_after_a_minute_and_a_half() -> None:
    time = FakeTime()
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE"):
        with_retries(away, clock=time.clock, sleep=time.sleep)
    assert 80 < time.now <= 90


def test_other_errors_are_not_retried() -> None:
    def missing() -> None:
        raise NotFoundError("OBJECT_NOT_FOUND", "no such object")

    time = FakeTime()
    with pytest.raises(NotFoundError):
        with_retries(missing, clock=time.clock, sleep=time.sleep)
    assert time.pauses == []


METHODS = (
    "put",
    "put_or_get",
    "get",
    "get_range",
    "size",
    "exists",
    "sizes",
    "list_after",
    "folders",
    "delete",
    "remove_staged",
)


def test_every_blocking_method_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RetryingStore.open(tmp_path.as_uri())
    assert isinstance(store, RetryingStore)
    failures: list[str] = []

    def fails_once(name: str) -> None:
        method = getattr(ArtifactStore, name)

        def flaky(*args: object, **named: object) -> object:
            if name not in failures:
                failures.append(name)
                away()
            return method(*args, **named)

        monkeypatch.setattr(ArtifactStore, name, flaky)

    names = [f"{name}_sync" for name in METHODS]
    # The others call these.
    others = {"get_promised_sync", "delete_prefix_sync", "list_sync"}
    assert {name for name in vars(ArtifactStore) if name.endswith("_sync")} == {*names, *others}
    for name in names:
        fails_once(name)
    monkeypatch.setitem(retrying_store.with_retries.__kwdefaults__, "sleep", lambda _seconds: None)
    store.put_sync("a/b", b"c")
    assert store.put_or_get_sync("a/b", b"d") == b"c"
    assert store.get_sync("a/b") == b"c"
    assert store.get_range_sync("a/b", 0, 1) == b"c"
    assert store.size_sync("a/b") == 1
    assert store.exists_sync("a/b")
    assert store.list_sync("a") == ["a/b"]
    assert store.list_after_sync("a", "a/a") == ["a/b"]
    assert store.folders_sync("") == ["a"]
    store.delete_sync("a/b")
    assert store.remove_staged_sync("a") == 0
    assert failures == names
