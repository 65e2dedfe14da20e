"""Queue, fair share, cancelling and deadlines through real gRPC, on a backend that steps when it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from headshots.errors import DeadlineExceededError, FailedPreconditionError, ResourceExhaustedError
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import generator_pb2 as pb
from headshots.v1 import jobs_pb2
from services.generator.engine import EngineLimits
from tests.support.foundations.engines import lora_bytes, peft_unet
from tests.support.generator.world import Generator, SteppedBackend, ask, refused, running_generator
from tests.support.waiting import PATIENCE_SECONDS, until


async def reached(call: Any, kind: str) -> None:
    """Returns at the call's first event of that kind."""
    async for event in call:
        if event.WhichOneof("event") == kind:
            return
    raise AssertionError(f"the call ended without the event {kind}")


async def test_evict_refuses_what_is_in_use(stepped: Generator, backend: SteppedBackend) -> None:
    adapter = await stepped.add(lora_bytes(peft_unet(2, 4.0, seed=9)))
    backend.hold(1)
    call = stepped.stub.Generate(ask(adapter=adapter, steps=150))
    await reached(call, "step")
    with pytest.raises(grpc.RpcError) as caught:
        await stepped.stub.EvictAdapter(pb.EvictAdapterRequest(sha256=adapter.sha256))
    error = error_from_rpc(caught.value)
    assert (type(error), error.reason) == (FailedPreconditionError, "EVICTION_IN_USE")
    call.cancel()


async def test_cancelling_frees_the_rows_and_the_slot(stepped: Generator, backend: SteppedBackend) -> None:
    adapter = await stepped.add(lora_bytes(peft_unet(2, 4.0, seed=9)))
    backend.hold(1)
    calls = []
    for kind in ("step", "queued", "queued"):  # one after another: calls made at once may arrive in any order
        calls.append(stepped.stub.Generate(ask(adapter=adapter, steps=150, image_count=4)))
        await reached(calls[-1], kind)
    await until(lambda: backend.stands)
    for call in calls:
        call.cancel()
    await until(lambda: stepped.metric("requests_total", status="cancelled") == 3)
    # In the middle of a step, after which its rows are free.
    assert (stepped.metric("requests_running"), stepped.metric("requests_waiting")) == (1, 0)
    backend.let_go()
    await until(lambda: stepped.metric("requests_running") == 0)
    assert (await stepped.stub.EvictAdapter(pb.EvictAdapterRequest(sha256=adapter.sha256))).evicted
    assert (await stepped.image()).content, "the batch goes on"


async def test_a_full_queue_says_when_to_come_back(tmp_path: Path, backend: SteppedBackend) -> None:
    async with running_generator(
        tmp_path, backend=backend, limits=EngineLimits(max_rows=2, max_waiting=2)
    ) as generator:
        backend.hold(1)
        calls = []
        for number in range(3):
            calls.append(generator.stub.Generate(ask(steps=150)))
            await reached(calls[-1], "step" if number == 0 else "queued")
        error = await refused(generator)
        assert (type(error), error.reason) == (ResourceExhaustedError, "QUEUE_FULL")
        assert error.retry_after_seconds is not None
        assert error.retry_after_seconds >= 1
        for call in calls:
            call.cancel()


async def test_tenants_get_a_fair_share_and_high_priority_goes_first_within_one(
    tmp_path: Path, backend: SteppedBackend
) -> None:
    """One image at a time fits, and steps are made for one at a time."""
    async with running_generator(tmp_path, backend=backend, limits=EngineLimits(max_rows=2)) as generator:
        backend.hold()
        done: list[str] = []

        async def generate(name: str, **request: Any) -> None:
            await generator.generate(steps=2, **request)
            done.append(name)

        asked = [
            ("greedy 1", {"tenant": "greedy"}),
            ("greedy 2", {"tenant": "greedy"}),
            ("greedy 3", {"tenant": "greedy"}),
            ("modest", {"tenant": "modest"}),
            ("urgent", {"tenant": "greedy", "priority": jobs_pb2.PRIORITY_HIGH}),
        ]
        tasks = []
        for number, (name, request) in enumerate(asked):
            tasks.append(asyncio.create_task(generate(name, **request)))
            # The first starts, the others wait with all that they need.
            await until(
                lambda number=number: (
                    generator.metric("requests_running") == 1
                    and generator.metric("requests_waiting") == number == ready(generator)
                )
            )
        for count in range(1, 1 + len(asked)):
            backend.permits.release(2)
            await until(lambda count=count: len(done) == count)
        await asyncio.gather(*tasks)
    # The urgent one makes no debt of its tenant's that the modest one would have to wait for.
    assert done == ["greedy 1", "urgent", "modest", "greedy 2", "greedy 3"]


def ready(generator: Generator) -> int:
    """Waiting requests that have all they need."""
    return sum(job.ticket.ready for job in generator.engine._loop._admission.jobs)


async def test_a_deadline_that_cannot_be_met_is_refused_at_once(generator: Generator) -> None:
    """The refusal has minutes to come before the deadline does."""
    generator.engine._loop._admission.learn_speed(seconds=1e6, rows=1)
    call = generator.stub.Generate(ask(steps=150, image_count=4), timeout=PATIENCE_SECONDS)
    with pytest.raises(grpc.RpcError) as caught:
        _ = [event async for event in call]
    error = error_from_rpc(caught.value)
    assert isinstance(error, DeadlineExceededError)
    assert error.reason == "DEADLINE_TOO_SHORT"
    assert float(error.metadata["estimate_seconds"]) > PATIENCE_SECONDS
    assert generator.metric("requests_waiting") == generator.metric("steps_total") == 0
