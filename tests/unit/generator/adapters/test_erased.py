"""An erased adapter is forgotten on every tier, whenever its tombstone is read; nothing else is."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.errors import InvalidAdapterError, UnavailableError
from headshots.stores import tombstones
from services.generator.adapters import tiers
from services.generator.adapters.erased import ErasedAdapters
from services.generator.engine import Engine
from tests.support.generator.arithmetic import ADAPTERS, ArithmeticBackend, generate, running
from tests.support.waiting import until

(ADA, _), (BOB, _) = ADAPTERS[:2]


class Watched(ArtifactStore):
    """Tells what was listed, and is away for the first `failures` listings."""

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner._store)
        self.listed: list[str] = []
        self.failures = 0

    async def list(self, prefix: str) -> list[str]:
        self.listed.append(prefix)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the bucket is away")
        return await super().list(prefix)


class Replica:
    """A generator's engine, what its store and disk hold, and its reader of tombstones."""

    def __init__(self, engine: Engine, folder: Path, registry: CollectorRegistry) -> None:
        self.engine = engine
        self.store = Watched(engine._adapters._store)
        self.erased = ErasedAdapters(self.store, engine._adapters, engine.evict, seconds=0.01)
        self._folder = folder / "adapters"
        self._registry = registry

    def on_disk(self) -> set[str]:
        return {path.stem for path in self._folder.glob("*")}

    def loads_from_store(self) -> float | None:
        return self._registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"})

    async def leave_tombstone(self, day: date | None = None, erased_id: str = "ada") -> None:
        day = day or datetime.now(UTC).date()
        await self.store.put(tombstones.tombstone_key(day, ADA.sha256, erased_id), b"")

    async def erase(self) -> None:
        """As the gateway does."""
        await self.leave_tombstone()
        await self.store.delete(ADA.key)


@asynccontextmanager
async def replica(folder: Path, backend: ArithmeticBackend | None = None) -> AsyncIterator[Replica]:
    async with running(folder, backend or ArithmeticBackend()) as (engine, registry):
        yield Replica(engine, folder, registry)


async def test_an_erased_adapter_is_forgotten_on_every_tier_and_another_stays(tmp_path: Path) -> None:
    async with replica(tmp_path) as one:
        await generate(one.engine, adapter=ADA)
        await generate(one.engine, adapter=BOB)
        await one.erase()
        await one.erased.read()
        assert one.on_disk() == {BOB.name}
        assert set(one.engine._adapters._rows) == set(one.engine._adapters._keys) == {BOB.name}
        assert one.engine.state().slots_used == 1
        with pytest.raises(InvalidAdapterError, match="ADAPTER_NOT_FOUND"):
            await generate(one.engine, adapter=ADA)


async def test_a_reading_every_few_seconds_finds_what_no_call_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with replica(tmp_path) as one:
        await generate(one.engine, adapter=ADA)
        reading = asyncio.create_task(one.erased.run())
        one.store.failures = 2
        await one.erase()
        await until(lambda: not one.on_disk())
        reading.cancel()
        assert [record.levelname for record in caplog.records if "erased" in record.message] == ["WARNING"] * 2


async def test_one_that_a_request_uses_is_forgotten_afterwards(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with replica(tmp_path, backend) as one:
        await generate(one.engine, adapter=ADA)
        backend.gate.clear()
        painting = asyncio.create_task(generate(one.engine, adapter=ADA, seed=2))
        await until(lambda: one.engine.state().running == 1)
        # Only the first reading looks so far back.
        await one.leave_tombstone(datetime.now(UTC).date() - timedelta(days=20))
        await one.erased.read()
        assert one.on_disk() == {ADA.name}, "the request goes on"
        backend.gate.set()
        await painting
        await one.erased.read()
        assert one.on_disk() == set()
        assert one.engine.state().slots_used == 0


async def test_the_same_file_stored_again_is_fetched_anew_and_stays(tmp_path: Path) -> None:
    async with replica(tmp_path) as one:
        first = await generate(one.engine, adapter=ADA)
        await one.erase()
        await one.erased.read()
        await one.store.put(ADA.key, ADAPTERS[0][1])
        assert (await generate(one.engine, adapter=ADA)).content == first.content
        assert one.loads_from_store() == 2
        await one.erased.read()
        assert one.on_disk() == {ADA.name}, "an old tombstone is no ban"
        await one.leave_tombstone(erased_id="ada again")
        await one.store.delete(ADA.key)
        await one.erased.read()
        assert one.on_disk() == set(), "erased once more, on the same day"


async def test_a_copy_of_an_object_that_was_about_to_go_is_not_used_and_goes_too(tmp_path: Path) -> None:
    async with replica(tmp_path) as one:
        await one.leave_tombstone()
        await one.erased.read()
        await generate(one.engine, adapter=ADA)
        await one.store.delete(ADA.key)
        with pytest.raises(InvalidAdapterError, match="ADAPTER_NOT_FOUND"):
            await generate(one.engine, adapter=ADA)
        assert one.on_disk() == {ADA.name}
        await one.erased.read()
        assert one.on_disk() == set()


async def test_nothing_is_served_before_the_store_has_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generator.adapters.erased._FIRST_PAUSE_SECONDS", 0.01)
    async with replica(tmp_path) as one:
        await generate(one.engine, adapter=ADA)
    async with replica(tmp_path) as one:
        await one.erase()
        one.store.failures = 3
        assert one.on_disk() == {ADA.name}
        await one.erased.read_first()
        assert one.on_disk() == set()
        assert one.store.listed == [tombstones.FOLDER] * 4


async def test_later_readings_look_at_the_days_that_can_have_new_ones(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    async with replica(tmp_path) as one:
        await generate(one.engine, adapter=ADA)
        await one.erased.read()
        one.erased._read_on = today - timedelta(days=3)  # as one that was frozen
        one.store.listed.clear()
        await one.leave_tombstone(today - timedelta(days=2))
        await one.erased.read()
        days = [today + timedelta(days=number) for number in range(-4, 2)]
        assert one.store.listed == [tombstones.day_folder(day) for day in days]
        assert one.on_disk() == set()
        one.store.listed.clear()
        await one.erased.read()
        assert len(one.store.listed) == 3


async def test_what_is_no_tombstone_is_left_alone(tmp_path: Path) -> None:
    async with replica(tmp_path) as one:
        await one.store.put(f"{tombstones.FOLDER}/README.md", b"what this is")
        await one.erased.read()


async def test_a_file_that_was_long_unused_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with replica(tmp_path) as one:
        for adapter in (ADA, BOB):
            await generate(one.engine, adapter=adapter)
    hour_ago = time.time() - 3600
    for path in (tmp_path / "adapters").glob("*"):
        os.utime(path, (hour_ago, hour_ago))
    async with replica(tmp_path) as one:
        await generate(one.engine, adapter=BOB)
        assert one.loads_from_store() == 0
    monkeypatch.setattr(tiers, "UNUSED_SECONDS", 1800.0)
    async with replica(tmp_path) as one:
        assert one.on_disk() == {BOB.name}, "its use a moment ago counts, not when it was written"


def test_a_tombstone_outlives_every_file_that_it_tells_of() -> None:
    assert timedelta(seconds=tiers.UNUSED_SECONDS) + timedelta(days=7) < tombstones.KEPT


async def test_half_of_a_file_that_found_no_room_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    async with replica(tmp_path) as one:
        monkeypatch.setattr(Path, "write_bytes", full)
        await generate(one.engine, adapter=ADA)
        assert one.on_disk() == set()
