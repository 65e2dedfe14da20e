"""Measures what a tenant's many open watches cost another tenant's calls."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio

from benchmarks.faults.report import Say, Scale
from benchmarks.faults.world import GatewayWorld
from benchmarks.report import Measured
from headshots.client.stub import GatewayStub
from headshots.v1 import galleries_pb2, tenants_pb2, trainings_pb2
from tests.support.gateway.caller import Caller, selfie

_CHANNELS = 10
_ROUNDS = 3
_EVERY_SECONDS = 0.025
_SETTLE_SECONDS = 2.0


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Times GetTenant without and with the watches, in turns."""
    world = GatewayWorld(folder)
    async with world.open(), world.channel() as channel, world.channel() as watching:
        globex = Caller(channel, world.key("globex"))
        acme = Caller(watching, world.key("acme"))
        requests = await _work_without_end(world, acme)
        quiet, watched = [], []
        for number in range(_ROUNDS):
            quiet.append(await _times_ms(globex, scale.samples))
            async with _watches(world, acme, requests, scale.watchers):
                await asyncio.sleep(_SETTLE_SECONDS)
                watched.append(await _times_ms(globex, scale.samples))
            say(f"round {number + 1}: {_median(quiet):.2f} ms quiet, {_median(watched):.2f} ms with watchers")
        world.trainer.go.set()
        world.generator.permit()
    ratios = [statistics.median(there) / statistics.median(here) for here, there in zip(quiet, watched, strict=True)]
    details = {
        "watchers": scale.watchers,
        "quiet_ms": _spread(quiet),
        "watched_ms": _spread(watched),
        "ratios": ratios,
    }
    return Measured({"other_tenant_ms_with_1000_watchers": statistics.median(ratios)}, {"watchers": details})


async def _work_without_end(world: GatewayWorld, caller: Caller) -> list[tuple[str, Any]]:
    """What to watch: a training and a gallery that run and do not get on."""
    subject = await caller.trained_subject()
    other = await caller.subject()
    await caller.upload(other, *map(selfie, range(6)))
    world.trainer.go.clear()
    world.generator.hold()
    training = (await caller.create_training(other)).name
    gallery = await caller.gallery(subject)
    return [
        ("WatchTraining", trainings_pb2.WatchTrainingRequest(name=training)),
        ("WatchGallery", galleries_pb2.WatchGalleryRequest(name=gallery)),
    ]


@contextlib.asynccontextmanager
async def _watches(
    world: GatewayWorld, caller: Caller, requests: list[tuple[str, Any]], count: int
) -> AsyncIterator[None]:
    """`count` open watches, over several connections; each has had its first message."""
    async with contextlib.AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(world.channel()) for _ in range(_CHANNELS)]
        stubs = [GatewayStub(channel) for channel in channels]
        calls = []
        for number in range(count):
            method, request = requests[number % len(requests)]
            calls.append(getattr(stubs[number % _CHANNELS], method)(request, metadata=caller.metadata))
        # One that is refused raises here: the figure is of as many as it says.
        await asyncio.gather(*(call.read() for call in calls))
        readers = [asyncio.create_task(_drain(call)) for call in calls]
        try:
            yield
            assert not any(reader.done() for reader in readers), "a watch ended before the calls were timed"
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*readers)


async def _drain(call: Any) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        while await call.read() is not grpc.aio.EOF:
            pass


async def _times_ms(caller: Caller, count: int) -> list[float]:
    """Of calls that begin at fixed times, whether those before have been answered or not.

    One after another they would all fall between two moments at which the watches ask for news.
    """

    async def time_ms(number: int) -> float:
        await asyncio.sleep(number * _EVERY_SECONDS)
        begin = time.perf_counter()
        await caller("GetTenant", tenants_pb2.GetTenantRequest())
        return 1000 * (time.perf_counter() - begin)

    return await asyncio.gather(*map(time_ms, range(count)))


def _median(rounds: list[list[float]]) -> float:
    return statistics.median(rounds[-1])


def _spread(rounds: list[list[float]]) -> dict[str, float]:
    times = sorted(value for each in rounds for value in each)
    return {name: times[int(share * (len(times) - 1))] for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))}
