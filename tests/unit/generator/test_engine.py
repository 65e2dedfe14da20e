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
from services.generator.requests.request import GeneratedImage, GenerationRequest, Queued, Source, Started, StepDone
from tests.support.generator.arithmetic import ADAPTERS, ArithmeticBackend, generate, package, running
from tests.support.generator.world import make_engine
from tests.support.waiting import PATIENCE_SECONDS, until


async def test_requests_join_and_leave_between_steps(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.calls.clear()
        backend.gate.clear()
        long = asyncio.create_task(generate(engine, steps=60))
        await until(lambda: engine.state().running == 1)
        short = asyncio.create_task(generate(engine, steps=3, guidance_scale=1.0))
        await until(lambda: any(job.ticket.ready for job in list(engine._loop._admission.jobs)))
        backend.gate.set()
        await asyncio.gather(long, short)
    assert backend.calls.count(3) == 3
    assert len(backend.calls) == 60


async def test_a_failing_call_costs_its_requests_and_nothing_else(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, registry):
        backend.fail_next = True
        with pytest.raises(InternalError, match="painting failed"):
            await generate(engine, images=2)
        backend.fail_next = True
        with pytest.raises(InternalError, match="loading the adapter failed"):
            await generate(engine, adapter=ADAPTERS[0][0], images=2)
        assert (await generate(engine, adapter=ADAPTERS[0][0])).content
        assert engine.state().running == engine.state().waiting == 0
        assert await engine.evict(ADAPTERS[0][0].sha256), "nothing stayed pinned"
        assert registry.get_sample_value("headshots_generator_requests_total", {"status": "error"}) == 2


async def test_the_batch_is_never_wider_than_its_rows_and_sizes_do_not_mix(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend, limits=EngineLimits(max_rows=5)) as (engine, _):
        sizes = [2, 4, 2, 8, 4, 2]
        await asyncio.gather(*(generate(engine, width_px=size, images=3, seed=i) for i, size in enumerate(sizes)))
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


async def test_after_draining_nothing_new_is_taken(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        running_one = asyncio.create_task(generate(engine, steps=50))
        await until(lambda: engine.state().running == 1)
        draining = asyncio.create_task(engine.drain(PATIENCE_SECONDS))
        await until(lambda: engine._draining)
        with pytest.raises(UnavailableError) as caught:
            await generate(engine)
        assert caught.value.reason == "DRAINING"
        assert not draining.done(), "what was accepted before has time"
        backend.gate.set()
        await draining
        assert (await running_one).content


async def test_stopping_fails_what_is_left_instead_of_leaving_it_hanging(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        task = asyncio.create_task(generate(engine, steps=900))
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
        request = GenerationRequest(tenant="a", prompt="someone", images=2, steps=3, preview_every=3)
        events = [event async for event in engine.generate(request)]
    assert isinstance(events[0], Queued)
    assert isinstance(events[1], Started)
    steps = [event for event in events if isinstance(event, StepDone) and event.index == 1]
    assert [(step.step, bool(step.preview)) for step in steps] == [(1, False), (2, False), (3, True)]
    assert {event.index for event in events[-2:] if isinstance(event, GeneratedImage)} == {0, 1}


class BrokenStore(ArtifactStore):
    """A store that fails in a way that nobody foresaw."""

    async def get(self, key: str) -> bytes:
        raise OSError("the mount is gone")


async def test_an_unforeseen_failure_while_preparing_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), store=BrokenStore(MemoryStore())) as (engine, _):
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(InternalError) as caught:
                await generate(engine, adapter=ADAPTERS[0][0])
        assert caught.value.reason == "PREPARING_FAILED"
        assert (await generate(engine)).content


async def test_a_device_that_fails_between_steps_costs_requests_not_the_service(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        await generate(engine, adapter=ADAPTERS[0][0])
        backend.fail_clear = True
        assert await engine.evict(ADAPTERS[0][0].sha256)
        await until(lambda: not backend.fail_clear)
        with suppress(InternalError):  # who comes in that moment may be hit, who comes after must not
            await generate(engine)
        assert (await generate(engine, adapter=ADAPTERS[0][0])).content


async def test_a_waiting_request_is_told_its_queue_position_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.generator.engine._REPORT_QUEUE_SECONDS", 0.01)
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        # Three images with guidance fill the six rows.
        first = asyncio.create_task(generate(engine, images=3))
        await until(lambda: engine.state().running == 1 and engine.state().waiting == 0)
        request = GenerationRequest(tenant="b", prompt="someone")
        async with aclosing(engine.generate(request)) as events:
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
        first = asyncio.create_task(generate(engine, images=3, adapter=ADAPTERS[0][0], steps=2))
        await until(lambda: value("requests_running") == 1 and value("requests_waiting") == 0)
        second = asyncio.create_task(generate(engine, adapter=ADAPTERS[0][0], steps=2, source=Source(picture_file())))
        await until(lambda: value("requests_waiting") == 1)
        backend.gate.set()
        await asyncio.gather(first, second)
        backend.fail_next = True
        with pytest.raises(InternalError):
            await generate(engine)
        async with aclosing(engine.generate(GenerationRequest(tenant="a", prompt="x"))) as events:
            await anext(events)
        with pytest.raises(DeadlineExceededError):
            await generate(engine, deadline_seconds=0.0)
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


@pytest.mark.parametrize("prefix", ["tenants/../secret", "/tenants", "tenants/"])
async def test_images_go_to_plain_folders_only(tmp_path: Path, prefix: str) -> None:
    async with running(tmp_path, ArithmeticBackend()) as (engine, _):
        with pytest.raises(InvalidArgumentError, match="OUTPUT_PREFIX_INVALID"):
            await generate(engine, output_prefix=prefix)
