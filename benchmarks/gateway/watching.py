"""Measures what open watches cost the gateway while shots are painted and trainings go on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio

from benchmarks.gateway.report import Scale
from benchmarks.gateway.world import LoadWorld, on_each_database, worst
from benchmarks.report import Measured
from headshots.v1 import galleries_pb2, trainings_pb2
from tests.support.gateway.caller import Caller, selfie

_TENANTS = 5
_WATCHERS_OF_EACH = 5
"""Of a gallery or a training, as a person's browsers and the backend's own are."""
_TRAININGS = 4
_STEPS = 10_000
_SHOT_SECONDS, _STEP_SECONDS = 8.0, 1.0
"""With 16 shots at once two images come a second; each training tells of a step a second."""
_SHOTS = 32
"""Of a gallery; more than are painted while it is watched."""


def run_watchers(scale: Scale) -> Measured:
    """The CPU time of a gateway with many open watches, over the time of the clock.

    Events as a platform of 16 shots and four trainings at a time has them: two shots begin and two end a second, and
    four trainings tell of a step each. The details tell the same without watchers.
    """

    async def measure(url: str, folder: Path) -> dict[str, float]:
        world = LoadWorld(folder, url, shot_seconds=_SHOT_SECONDS, step_seconds=_STEP_SECONDS)
        async with world.open(), contextlib.AsyncExitStack() as stack:
            callers = [await stack.enter_async_context(world.caller(f"tenant-{one}")) for one in range(_TENANTS)]
            watched = await _work(callers, scale.watchers // _WATCHERS_OF_EACH)
            alone = await _cpu_share(world, scale.seconds)
            received: list[int] = []
            async with _watches(watched, received):
                await asyncio.sleep(1.0)
                before = len(received)
                share = await _cpu_share(world, scale.seconds)
                messages = len(received) - before
        return {
            "cpu_share": round(share, 4),
            "cpu_share_without_watchers": round(alone, 4),
            "watchers": len(watched) * _WATCHERS_OF_EACH,
            "messages_per_second": round(messages / scale.seconds, 2),
        }

    found = on_each_database(measure, scale.databases)
    return Measured({"watchers_1000_cpu_share": worst(found, "cpu_share")}, {"watchers": found})


async def _work(callers: list[Caller], count: int) -> list[tuple[Caller, str, Any]]:
    """`count` trainings and galleries of all tenants: whose, and the call and request that watch each."""
    watched: list[tuple[Caller, str, Any]] = []
    subjects = [await caller.trained_subject() for caller in callers]
    for number in range(min(_TRAININGS, count // 2)):
        caller = callers[number % len(callers)]
        subject = await caller.subject()
        await caller.upload(subject, *map(selfie, range(6)))
        training = await caller.create_training(subject, options=trainings_pb2.TrainingOptions(steps=_STEPS))
        watched.append((caller, "WatchTraining", trainings_pb2.WatchTrainingRequest(name=training.name)))
    for number in range(count - len(watched)):
        at = number % len(callers)
        gallery = await callers[at].gallery(subjects[at], style_shots=[_SHOTS])
        watched.append((callers[at], "WatchGallery", galleries_pb2.WatchGalleryRequest(name=gallery)))
    return watched


async def _cpu_share(world: LoadWorld, seconds: float) -> float:
    used, begin = world.cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    return (world.cpu_seconds() - used) / (time.monotonic() - begin)


@contextlib.asynccontextmanager
async def _watches(watched: list[tuple[Caller, str, Any]], received: list[int]) -> AsyncIterator[None]:
    """Open watches, each of which has had its first message; `received` gets an entry for each further one."""
    calls = [
        getattr(caller.stub, method)(request, metadata=caller.metadata)
        for caller, method, request in watched
        for _ in range(_WATCHERS_OF_EACH)
    ]
    # One that is refused raises here: the figure is of as many as it says.
    await asyncio.gather(*(call.read() for call in calls))
    readers = [asyncio.create_task(_drain(call, received)) for call in calls]
    try:
        yield
        assert not any(reader.done() for reader in readers), "a watch ended while it was measured"
    finally:
        for call in calls:
            call.cancel()
        await asyncio.gather(*readers)


async def _drain(call: Any, received: list[int]) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        while await call.read() is not grpc.aio.EOF:
            received.append(1)
