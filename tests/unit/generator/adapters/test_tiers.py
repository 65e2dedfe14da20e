"""Adapters pass through the tiers: loaded once, within bounds, and again where a copy is damaged or gone."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.diffusion.lora.files import load_row
from headshots.errors import InvalidAdapterError
from services.generator.adapters.held import MOST_TOLD, held_adapters
from services.generator.adapters.tiers import AdapterRef
from services.generator.requests.request import GeneratedImage
from tests.support.generator.arithmetic import ADAPTERS, LAYOUT, ArithmeticBackend, generate, running
from tests.support.waiting import until


class SlowStore(ArtifactStore):
    """A store that answers when it is told to."""

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner._store)
        self.open = asyncio.Event()
        self.asked = 0

    async def get(self, key: str) -> bytes:
        self.asked += 1
        await self.open.wait()
        return await super().get(key)


async def test_the_folder_of_adapters_is_its_owners_alone(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend()):
        assert stat.S_IMODE((tmp_path / "adapters").stat().st_mode) == 0o700


async def test_a_slow_adapter_delays_no_other_request_and_is_fetched_once(tmp_path: Path) -> None:
    store = SlowStore(ArtifactStore.open((tmp_path / "objects").as_uri()))
    async with running(tmp_path, ArithmeticBackend(), store=store) as (engine, _):
        slow = [asyncio.create_task(generate(engine, adapter=ADAPTERS[0][0], seed=i)) for i in range(3)]
        for seed in range(5):
            await generate(engine, seed=seed)
        assert not any(task.done() for task in slow)
        assert engine.state().waiting == 3
        slow[0].cancel()
        store.open.set()
        done = await asyncio.gather(*slow, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert all(isinstance(image, GeneratedImage) for image in done[1:]), "who leaves does not take the load away"
        assert store.asked == 1


async def test_an_adapter_that_is_evicted_while_it_is_loaded_does_not_stay(tmp_path: Path) -> None:
    """Whoever asked for it has left, and the load goes on."""
    store = SlowStore(ArtifactStore.open((tmp_path / "objects").as_uri()))
    ref = ADAPTERS[0][0]
    async with running(tmp_path, ArithmeticBackend(), store=store) as (engine, _):
        painting = asyncio.create_task(generate(engine, adapter=ref))
        await until(lambda: store.asked == 1)
        painting.cancel()
        await asyncio.gather(painting, return_exceptions=True)
        evicting = asyncio.create_task(engine.evict(ref.sha256))
        await asyncio.sleep(0)
        assert not evicting.done(), "the load would bring it back"
        store.open.set()
        assert await evicting
        assert list((tmp_path / "adapters").iterdir()) == []
        assert not await engine._adapters.is_orphaned(ref.sha256)


async def test_tiers_keep_their_bounds(tmp_path: Path) -> None:
    """Memory for two rows and disk for three files: the oldest go, and come back from the tier below."""
    size = len(ADAPTERS[0][1])
    row = LAYOUT.row_size * 4
    async with running(tmp_path, ArithmeticBackend(), disk_bytes=3 * size, host_bytes=2 * row) as (engine, registry):
        for ref, _ in ADAPTERS:
            await generate(engine, adapter=ref)
        assert len(list((tmp_path / "adapters").iterdir())) == 3
        loads = {
            tier: registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": tier})
            for tier in ("store", "disk", "host")
        }
        assert loads == {"store": 6, "disk": 6, "host": 6}
        await generate(engine, adapter=ADAPTERS[3][0])  # gone from memory, still on disk
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 6
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "disk"}) == 7
        await generate(engine, adapter=ADAPTERS[0][0])  # gone from both
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 7


async def test_a_damaged_disk_copy_is_fetched_again(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), host_bytes=1) as (engine, _):
        first = await generate(engine, adapter=ADAPTERS[0][0])
        await generate(engine, adapter=ADAPTERS[1][0])
        (tmp_path / "adapters" / f"{ADAPTERS[0][0].name}.safetensors").write_bytes(b"rot")
        await engine.evict("0" * 64)
        assert (await generate(engine, adapter=ADAPTERS[0][0])).content == first.content


async def test_what_an_earlier_process_left_on_disk_is_used(tmp_path: Path) -> None:
    for expected in (1, 0):
        async with running(tmp_path, ArithmeticBackend()) as (engine, registry):
            await generate(engine, adapter=ADAPTERS[0][0])
            found = registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"})
            assert found == expected
            assert [path.suffix for path in (tmp_path / "adapters").iterdir()] == [".safetensors"]
        (tmp_path / "adapters" / f"{'ab' * 32}.partial").write_bytes(b"half of a file")


async def test_a_file_that_vanished_from_the_disk_tier_is_fetched_again(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), host_bytes=1) as (engine, _):
        first = await generate(engine, adapter=ADAPTERS[0][0])
        for path in tmp_path.rglob("*.safetensors"):  # noqa: ASYNC240 - nothing else runs now
            path.unlink()
        await generate(engine, adapter=ADAPTERS[1][0])
        engine._adapters._rows.clear()
        assert (await generate(engine, adapter=ADAPTERS[0][0])).content == first.content


async def test_a_refused_file_is_never_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even while it is checked, as the process may end there."""
    seen: list[list[Path]] = []

    def looking(*arguments: Any) -> Any:
        seen.append(list((tmp_path / "adapters").iterdir()))
        return load_row(*arguments)

    monkeypatch.setattr("services.generator.adapters.tiers.load_row", looking)
    data = b"no adapter"
    ref = adapter_of(data)
    (tmp_path / "adapters").mkdir()
    store = ArtifactStore.open("memory:///")
    await store.put(ref.key, data)
    async with running(tmp_path, ArithmeticBackend(), store=store) as (engine, registry):
        for _ in range(2):
            with pytest.raises(InvalidAdapterError, match="ADAPTER_CORRUPT"):
                await generate(engine, adapter=ref)
        assert list((tmp_path / "adapters").iterdir()) == []
        assert lookups(registry, "disk") == (2, 0)
    assert seen == [[], []]


async def test_a_refused_file_that_an_earlier_engine_left_goes(tmp_path: Path) -> None:
    data = b"no adapter any more"
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / f"{adapter_of(data).name}.safetensors").write_bytes(data)
    async with running(tmp_path, ArithmeticBackend()) as (engine, registry):
        with pytest.raises(InvalidAdapterError, match="ADAPTER_CORRUPT"):
            await generate(engine, adapter=adapter_of(data))
        assert lookups(registry, "disk") == (1, 1)
        assert list((tmp_path / "adapters").iterdir()) == []


async def test_the_store_misses_what_it_has_not_and_what_was_changed(tmp_path: Path) -> None:
    store = ArtifactStore.open("memory:///")
    await store.put(ADAPTERS[0][0].key, ADAPTERS[0][1])
    await store.put(ADAPTERS[1][0].key, b"changed")
    async with running(tmp_path, ArithmeticBackend(), store=store) as (engine, registry):
        await generate(engine, adapter=ADAPTERS[0][0])
        assert lookups(registry, "store") == (1, 1)
        for ref, reason in ((ADAPTERS[1][0], "ADAPTER_DIGEST_MISMATCH"), (ADAPTERS[2][0], "ADAPTER_NOT_FOUND")):
            with pytest.raises(InvalidAdapterError, match=reason):
                await generate(engine, adapter=ref)
        assert lookups(registry, "store") == (3, 1)


@pytest.mark.parametrize("tier", ["host", "disk"])
async def test_a_cached_adapter_is_used_for_no_other_key(tmp_path: Path, tier: str) -> None:
    """Who knows another's digest, and names a key of their own or none at all, does not get the other's adapter."""
    store = SlowStore(ArtifactStore.open((tmp_path / "objects").as_uri()))
    store.open.set()
    mine = ADAPTERS[0][0]
    await store.put("tenants/thief/adapter.safetensors", ADAPTERS[1][1])
    async with running(tmp_path, ArithmeticBackend(), store=store, host_bytes=1) as (engine, _):
        first = await generate(engine, adapter=mine)
        if tier == "disk":  # the newest alone stays on the host
            await generate(engine, adapter=ADAPTERS[2][0])
        for key, reason in (
            ("tenants/thief/adapter.safetensors", "ADAPTER_DIGEST_MISMATCH"),
            ("tenants/thief/none.safetensors", "ADAPTER_NOT_FOUND"),
        ):
            with pytest.raises(InvalidAdapterError, match=reason) as caught:
                await generate(engine, adapter=replace(mine, key=key))
            assert ADAPTERS[1][0].sha256[:4] not in caught.value.message
        asked = store.asked
        assert (await generate(engine, adapter=mine)).content == first.content
        assert store.asked == asked, "the owner's own requests need no further call of the store"


async def test_files_of_versions_that_kept_no_key_go(tmp_path: Path) -> None:
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / f"{ADAPTERS[0][0].sha256}.safetensors").write_bytes(ADAPTERS[0][1])
    async with running(tmp_path, ArithmeticBackend()):
        assert list((tmp_path / "adapters").iterdir()) == []


def adapter_of(data: bytes) -> AdapterRef:
    """A reference to ``data`` as an adapter of the engine's foundation."""
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(ADAPTERS[0][0], sha256=sha256, key=f"adapters/{sha256}")


def lookups(registry: CollectorRegistry, tier: str) -> tuple[float | None, float | None]:
    """Look-ups of a tier, and those that found."""
    queries, hits = (
        registry.get_sample_value(f"headshots_generator_adapter_cache_{name}_total", {"tier": tier})
        for name in ("queries", "hits")
    )
    return queries, hits


async def test_a_generator_tells_what_it_has_on_which_tier(tmp_path: Path) -> None:
    """The most recently used first; one that was evicted on none."""
    size, row = len(ADAPTERS[0][1]), LAYOUT.row_size * 4
    digests = [ref.sha256 for ref, _ in ADAPTERS]
    async with running(tmp_path, ArithmeticBackend(), disk_bytes=3 * size, host_bytes=2 * row) as (engine, _):
        for ref, _ in ADAPTERS:
            await generate(engine, adapter=ref)
        await generate(engine, adapter=ADAPTERS[-2][0])
        held = engine.state().held
        assert held.in_memory == (digests[-2], digests[-1])
        assert set(held.on_disk) == set(digests[-3:])
        assert held.in_slots[:2] == (digests[-2], digests[-1])
        assert len(held.in_slots) == engine.state().slots_used
        await engine.evict(digests[-2])
        assert digests[-2] not in {*(left := engine.state().held).in_slots, *left.in_memory, *left.on_disk}


def test_of_many_adapters_the_most_recently_used_are_told_each_once() -> None:
    in_memory = [f"{number:064x}-{'0' * 32}" for number in range(MOST_TOLD + 50)]
    on_disk = [f"{'a' * 64}-{key}" for key in ("0" * 32, "1" * 32)]
    held = held_adapters([], SimpleNamespace(host=in_memory, disk=on_disk))  # type: ignore[arg-type]
    assert (len(held.in_memory), held.in_memory[0]) == (MOST_TOLD, f"{MOST_TOLD + 49:064x}")
    assert held.on_disk == ("a" * 64,)
