"""Measures what a call takes while the gateway is half as busy as it can be.

Calls are sent when they are due, whether others are done or not, and counted from when they were due. The details tell
what of that is not the gateway's: `late_…`, how late this process sent them, which shares the machine's cores with the
gateway and the database (nobody is pinned to one); and `bare_…`, the same calls of a server that does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc.aio

from benchmarks.gateway import bare
from benchmarks.gateway.report import Scale
from benchmarks.gateway.world import LoadWorld, on_each_database, worst
from benchmarks.report import Measured
from headshots.v1 import subjects_pb2
from tests.support.gateway.caller import Caller

_AT_ONCE = 16
"""Callers that find out how much the gateway can do, each with one call after another."""
_CHANNELS = 4
_MANY_AT_ONCE = {"HEADSHOTS_GATEWAY_CALLS_PER_TENANT": "10000"}
"""A pause of the machine is counted in what calls take, and does not end the run because too many are under way."""
_SHARE = 0.5
_SEED = 20_261

Call = Callable[[], Awaitable[object]]


def run_unary(scale: Scale) -> Measured:
    """GetSubject, at half of the rate that the gateway can do: from when each call was due, whatever went before."""

    async def measure(url: str, folder: Path) -> dict[str, float]:
        return await _measure(LoadWorld(folder, url, settings=_MANY_AT_ONCE), scale)

    found = on_each_database(measure, scale.databases)
    return Measured({f"unary_{name}_ms": worst(found, f"{name}_ms") for name in ("p50", "p99")}, {"unary": found})


async def _measure(world: LoadWorld, scale: Scale) -> dict[str, float]:
    async with world.open(), contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(world.caller("acme")) for _ in range(_CHANNELS)]
        request = subjects_pb2.GetSubjectRequest(name=await callers[0].subject())

        def call_of(caller: Caller) -> Call:
            return lambda: caller("GetSubject", request)

        calls = [call_of(caller) for caller in callers]
        await _capacity(calls, scale.seconds / 4)
        used, begin = world.cpu_seconds(), time.monotonic()
        capacity = await _capacity(calls, scale.seconds / 2)
        busy = (world.cpu_seconds() - used) / (time.monotonic() - begin)
        used, begin = world.cpu_seconds(), time.monotonic()
        seconds, late = await _open_loop(calls, _SHARE * capacity, scale.seconds)
        share = (world.cpu_seconds() - used) / (time.monotonic() - begin)
        cpu_ms = 1000 * (world.cpu_seconds() - used) / len(seconds)
        answer = (await calls[0]()).SerializeToString()  # type: ignore[attr-defined]
    floor, _ = await _of_bare_server(answer, _SHARE * capacity, scale.seconds / 2)
    return {
        **_percentiles("", seconds),
        **_percentiles("late_", late),
        **_percentiles("bare_", floor),
        "calls_per_second": round(len(seconds) / scale.seconds, 1),
        "capacity_per_second": round(capacity, 1),
        "cores_at_capacity": round(busy, 3),
        "cores": round(share, 3),
        "cpu_ms_a_call": round(cpu_ms, 3),
    }


def _percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    p99 = statistics.quantiles(seconds, n=100)[98]
    return {
        f"{name}p50_ms": round(1000 * statistics.median(seconds), 3),
        f"{name}p99_ms": round(1000 * p99, 3),
    }


async def _of_bare_server(answer: bytes, rate: float, seconds: float) -> tuple[list[float], list[float]]:
    """See `_open_loop`; of a server that answers so at once."""
    async with bare.running(answer) as address, contextlib.AsyncExitStack() as stack:
        options = [("grpc.use_local_subchannel_pool", 1)]
        calls: list[Call] = []
        for _ in range(_CHANNELS):
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(address, options))
            calls.append(functools.partial(channel.unary_unary(bare.METHOD), answer))
        await _capacity(calls, 0.5)
        return await _open_loop(calls, rate, seconds)


async def _capacity(calls: list[Call], seconds: float) -> float:
    """Calls a second while there is always one that waits."""
    until, done = time.monotonic() + seconds, 0

    async def one_after_another(call: Call) -> None:
        nonlocal done
        while time.monotonic() < until:
            await call()
            done += 1

    begin = time.monotonic()
    await asyncio.gather(*(one_after_another(calls[number % len(calls)]) for number in range(_AT_ONCE)))
    return done / (time.monotonic() - begin)


async def _open_loop(calls: list[Call], rate: float, seconds: float) -> tuple[list[float], list[float]]:
    """Seconds from when each call was due until it was answered, and until it was sent.

    They come as a Poisson process has them, whether others are done or not.
    """
    draw = random.Random(_SEED)
    due, at = [], draw.expovariate(rate)
    while at < seconds:
        due.append(at)
        at += draw.expovariate(rate)
    late = [0.0] * len(due)
    begin = time.monotonic()

    async def timed(number: int) -> float:
        late[number] = time.monotonic() - begin - due[number]
        await calls[number % len(calls)]()
        return time.monotonic() - begin - due[number]

    tasks = []
    with _no_collections():
        for number, moment in enumerate(due):
            await asyncio.sleep(begin + moment - time.monotonic())
            tasks.append(asyncio.create_task(timed(number)))
        return await asyncio.gather(*tasks), late


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """A collection of this process takes as long as twenty calls, and would be counted as the gateway's time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
