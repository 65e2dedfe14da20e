"""The engine loop on a backend of plain arithmetic."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from PIL import Image
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.errors import DeadlineExceededError, InternalError, InvalidArgumentError, UnavailableError
from services.generator.engine import EngineLimits
from services.generator.requests.request import Painted, PaintRequest, Queued, Source, Started, StepDone
from tests.support.arithmetic import ADAPTERS, LAYOUT, ArithmeticBackend, package, paint, running
from tests.support.generators import make_engine
from tests.support.waiting import PATIENCE_SECONDS, until


async def test_requests_join_and_leave_between_steps(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.calls.clear()
        backend.gate.clear()
        long = asyncio.create_task(paint(engine, steps=60))
        await until(lambda: engine.state().running == 1)
        short = asyncio.create_task(paint(engine, steps=3, guidance_scale=1.0))
        await until(lambda: any(job.ticket.ready for job in list(engine._loop._admission.jobs)))
        backend.gate.set()
        await asyncio.gather(long, short)
    assert backend.calls.count(3) == 3
    assert len(backend.calls) == 60


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


async def test_an_adapter_that_loads_slowly_holds_up_nobody_and_is_fetched_once(tmp_path: Path) -> None:
    store = SlowStore(ArtifactStore.open((tmp_path / "objects").as_uri()))
    async with running(tmp_path, ArithmeticBackend(), store=store) as (engine, _):
        slow = [asyncio.create_task(paint(engine, adapter=ADAPTERS[0][0], seed=i)) for i in range(3)]
        for seed in range(5):
            await paint(engine, seed=seed)
        assert not any(task.done() for task in slow)
        assert engine.state().waiting == 3
        slow[0].cancel()
        store.open.set()
        done = await asyncio.gather(*slow, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert all(isinstance(image, Painted) for image in done[1:]), "who leaves does not take the load away"
        assert store.asked == 1


async def test_a_failing_call_costs_its_requests_and_nothing_else(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, registry):
        backend.fail_next = True
        with pytest.raises(InternalError, match="painting failed"):
            await paint(engine, images=2)
        backend.fail_next = True
        with pytest.raises(InternalError, match="loading the adapter failed"):
            await paint(engine, adapter=ADAPTERS[0][0], images=2)
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content
        assert engine.state().running == engine.state().waiting == 0
        assert await engine.evict(ADAPTERS[0][0].sha256), "nothing stayed pinned"
        assert registry.get_sample_value("headshots_generator_requests_total", {"status": "error"}) == 2


async def test_the_batch_is_never_wider_than_its_rows_and_sizes_do_not_mix(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend, limits=EngineLimits(max_rows=5)) as (engine, _):
        sizes = [2, 4, 2, 8, 4, 2]
        await asyncio.gather(*(paint(engine, width_px=size, images=3, seed=i) for i, size in enumerate(sizes)))
    assert max(backend.calls) == 4, "two images with guidance; a third does not fit into five rows"


@pytest.mark.parametrize("max_rows", [1, 7])
def test_rows_that_no_image_fits_or_the_engine_was_not_made_for_are_refused(tmp_path: Path, max_rows: int) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        make_engine(
            tmp_path,
            CollectorRegistry(),
            package=package(max_rows=6),
            backend=ArithmeticBackend(),
            limits=EngineLimits(max_rows=max_rows),
        )
    assert caught.value.reason == "SETTING_INVALID"


async def test_tiers_keep_their_bounds(tmp_path: Path) -> None:
    """Memory for two rows and disk for three files: the oldest go, and come back from the tier below."""
    size = len(ADAPTERS[0][1])
    row = LAYOUT.row_size * 4
    async with running(tmp_path, ArithmeticBackend(), disk_bytes=3 * size, host_bytes=2 * row) as (engine, registry):
        for ref, _ in ADAPTERS:
            await paint(engine, adapter=ref)
        assert len(list((tmp_path / "adapters").iterdir())) == 3
        loads = {
            tier: registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": tier})
            for tier in ("store", "disk", "host")
        }
        assert loads == {"store": 6, "disk": 6, "host": 6}
        await paint(engine, adapter=ADAPTERS[3][0])  # gone from memory, still on disk
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 6
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "disk"}) == 7
        await paint(engine, adapter=ADAPTERS[0][0])  # gone from both
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 7


async def test_a_damaged_disk_copy_is_fetched_again(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), host_bytes=1) as (engine, _):
        first = await paint(engine, adapter=ADAPTERS[0][0])
        await paint(engine, adapter=ADAPTERS[1][0])
        (tmp_path / "adapters" / f"{ADAPTERS[0][0].sha256}.safetensors").write_bytes(b"rot")
        await engine.evict("0" * 64)
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content == first.content


async def test_what_an_earlier_process_left_on_disk_is_used(tmp_path: Path) -> None:
    for expected in (1, 0):
        async with running(tmp_path, ArithmeticBackend()) as (engine, registry):
            await paint(engine, adapter=ADAPTERS[0][0])
            found = registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"})
            assert found == expected
            assert [path.suffix for path in (tmp_path / "adapters").iterdir()] == [".safetensors"]
        (tmp_path / "adapters" / f"{'ab' * 32}.partial").write_bytes(b"half of a file")


async def test_after_draining_nothing_new_is_taken(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        running_one = asyncio.create_task(paint(engine, steps=50))
        await until(lambda: engine.state().running == 1)
        draining = asyncio.create_task(engine.drain(PATIENCE_SECONDS))
        await until(lambda: engine._draining)
        with pytest.raises(UnavailableError) as caught:
            await paint(engine)
        assert caught.value.reason == "DRAINING"
        assert not draining.done(), "what was accepted before has time"
        backend.gate.set()
        await draining
        assert (await running_one).content


async def test_stopping_fails_what_is_left_instead_of_leaving_it_hanging(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        task = asyncio.create_task(paint(engine, steps=900))
        await until(lambda: engine.state().running > 0)
        stopping = asyncio.create_task(engine.stop())
        # Only now: 900 steps of nothing may be done before anybody looks.
        await until(lambda: engine._loop._stopping)
        backend.gate.set()
        await stopping
        with pytest.raises(UnavailableError) as caught:
            await task
        assert caught.value.reason == "SHUTTING_DOWN"


async def test_the_order_of_events(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend()) as (engine, _):
        request = PaintRequest(tenant="a", prompt="someone", images=2, steps=3, preview_every=3)
        events = [event async for event in engine.paint(request)]
    assert isinstance(events[0], Queued)
    assert isinstance(events[1], Started)
    steps = [event for event in events if isinstance(event, StepDone) and event.index == 1]
    assert [(step.step, bool(step.preview)) for step in steps] == [(1, False), (2, False), (3, True)]
    assert {event.index for event in events[-2:] if isinstance(event, Painted)} == {0, 1}


class BrokenStore(ArtifactStore):
    """A store that fails in a way that nobody foresaw."""

    async def get(self, key: str) -> bytes:
        raise OSError("the mount is gone")


async def test_an_unforeseen_failure_while_preparing_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), store=BrokenStore(MemoryStore())) as (engine, _):
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(InternalError) as caught:
                await paint(engine, adapter=ADAPTERS[0][0])
        assert caught.value.reason == "PREPARING_FAILED"
        assert (await paint(engine)).content


async def test_a_device_that_fails_between_steps_costs_requests_not_the_service(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        await paint(engine, adapter=ADAPTERS[0][0])
        backend.fail_clear = True
        assert await engine.evict(ADAPTERS[0][0].sha256)
        await until(lambda: not backend.fail_clear)
        with suppress(InternalError):  # who comes in that moment may be hit, who comes after must not
            await paint(engine)
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content


async def test_a_file_that_vanished_from_the_disk_tier_is_fetched_again(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), host_bytes=1) as (engine, _):
        first = await paint(engine, adapter=ADAPTERS[0][0])
        for path in tmp_path.rglob("*.safetensors"):  # noqa: ASYNC240 - nothing else runs now
            path.unlink()
        await paint(engine, adapter=ADAPTERS[1][0])
        engine._adapters._rows.clear()
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content == first.content


async def test_who_waits_is_told_the_place_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generator.engine._SILENCE_SECONDS", 0.01)
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        # Three images with guidance fill the six rows.
        first = asyncio.create_task(paint(engine, images=3))
        await until(lambda: engine.state().running == 1 and engine.state().waiting == 0)
        request = PaintRequest(tenant="b", prompt="someone")
        async with aclosing(engine.paint(request)) as events:
            told = [await anext(events) for _ in range(3)]
            assert told == [Queued(0)] * 3
        backend.gate.set()
        await first


async def test_every_metric_of_the_contract_moves(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, registry):

        def value(name: str, **labels: str) -> float:
            return registry.get_sample_value(f"headshots_generator_{name}", labels) or 0.0

        backend.gate.clear()
        # Three images with guidance fill the six rows, so the second request waits.
        first = asyncio.create_task(paint(engine, images=3, adapter=ADAPTERS[0][0], steps=2))
        await until(lambda: value("requests_running") == 1 and value("requests_waiting") == 0)
        second = asyncio.create_task(paint(engine, adapter=ADAPTERS[0][0], steps=2, source=Source(picture_file())))
        await until(lambda: value("requests_waiting") == 1)
        backend.gate.set()
        await asyncio.gather(first, second)
        backend.fail_next = True
        with pytest.raises(InternalError):
            await paint(engine)
        async with aclosing(engine.paint(PaintRequest(tenant="a", prompt="x"))) as events:
            await anext(events)
        with pytest.raises(DeadlineExceededError):
            await paint(engine, deadline_seconds=0.0)
        statuses = ("ok", "error", "cancelled", "refused")
        assert [value("requests_total", status=status) for status in statuses] == [2, 1, 1, 1]
        assert value("request_seconds_count", status="ok") == 2
        assert value("queue_seconds_count") >= 2
        for stage in ("text", "adapter", "source", "unet", "decode", "encode"):
            assert value("stage_seconds_count", stage=stage) > 0, stage
        # The first takes two steps of three images, the second one step of one: a picture's default share is 0.8.
        assert value("steps_total") == 3 * 2 + 1
        assert value("batch_rows_sum") == 2 * 6 + 2
        for tier in ("store", "disk", "host"):
            assert value("adapter_loads_total", tier=tier) == value("adapter_load_seconds_count", tier=tier) == 1
        queries = {tier: value("adapter_cache_queries_total", tier=tier) for tier in ("slot", "host", "disk", "store")}
        hits = {tier: value("adapter_cache_hits_total", tier=tier) for tier in queries}
        assert queries == {"slot": 4, "host": 2, "disk": 1, "store": 1}
        assert hits == {"slot": 3, "host": 1, "disk": 0, "store": 1}
        assert value("slots_used") == 1
        assert value("device_memory_bytes") == backend.device_memory_bytes()


def picture_file() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 100, 50)).save(file, "PNG")
    return file.getvalue()
