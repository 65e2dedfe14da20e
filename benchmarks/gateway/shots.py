"""Measures what the gateway adds to a shot, and how long one waits behind another tenant's thousands."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import sqlalchemy as sa

from benchmarks.gateway import bare
from benchmarks.gateway.report import Scale
from benchmarks.gateway.stubs import PAINTED
from benchmarks.gateway.world import LoadWorld, on_each_database, worst
from benchmarks.report import Measured
from headshots.database import open_database, write
from headshots.schema import tenants
from headshots.v1 import jobs_pb2
from tests.support.gateway.caller import Caller

_ONE_AT_A_TIME = {"HEADSHOTS_GATEWAY_SHOTS_IN_FLIGHT": "1"}
_QUICK_SECONDS = 0.05
"""Of an image, while the gateway's part is measured, and what its own lateness adds."""
_SECONDS = 1.0
"""Of an image, while one waits behind others."""
_TRANSACTIONS = 200
_SHOTS = 160
"""Of each gallery that another tenant queues: as many as a gallery may have."""


def run_overhead(scale: Scale) -> Measured:
    """A gallery, painted one shot after another: the time of a shot less what the generator took, as it told itself.

    The details tell the CPU time a shot, too, and the floor: a stream of a server that does nothing, and two
    transactions of one change, as a shot is claimed in one and recorded in another.
    """

    async def measure(url: str, folder: Path) -> dict[str, float]:
        world = LoadWorld(folder, url, shot_seconds=_QUICK_SECONDS, settings=_ONE_AT_A_TIME)
        async with world.open(), world.caller("acme") as caller:
            subject = await caller.trained_subject()
            await _painted(caller, subject, 4)
            used = world.cpu_seconds()
            seconds = await _painted(caller, subject, scale.shots)
            used = world.cpu_seconds() - used
            own = _generator_seconds(folder / PAINTED, scale.shots)
            transaction = await asyncio.to_thread(_transaction_seconds, url)
            stream = statistics.median(await bare.stream_seconds(_QUICK_SECONDS, scale.shots))
        return {
            "overhead_ms": round(1000 * (seconds / scale.shots - own), 3),
            "generator_ms": round(1000 * own, 3),
            "cpu_ms_a_shot": round(1000 * used / scale.shots, 3),
            "bare_stream_ms": round(1000 * stream, 3),
            "bare_transaction_ms": round(1000 * transaction, 3),
            "floor_ms": round(1000 * (stream + 2 * transaction), 3),
        }

    found = on_each_database(measure, scale.databases)
    return Measured({"shot_overhead_ms": worst(found, "overhead_ms")}, {"shot_overhead": found})


def run_noisy_neighbour(scale: Scale) -> Measured:
    """A tenant queues galleries of 160; single shots of another, one after another: the longest, over the idle one's.

    In units of a shot's time. The details tell what a claim among all of them costs.
    """

    async def measure(url: str, folder: Path) -> dict[str, float]:
        world = LoadWorld(folder, url, shot_seconds=_SECONDS)
        async with world.open(), world.caller("acme") as noisy, world.caller("globex") as other:
            greedy, subject = await noisy.trained_subject(), await other.trained_subject()
            idle = min([await _painted(other, subject, 1) for _ in range(3)])
            begin = time.monotonic()
            for _ in range(scale.galleries):
                await noisy.gallery(greedy, style_shots=[_SHOTS])
            ordered, used, begin = time.monotonic() - begin, world.cpu_seconds(), time.monotonic()
            behind = [await _painted(other, subject, 1) for _ in range(scale.probes)]
            share = (world.cpu_seconds() - used) / (time.monotonic() - begin)
        return {
            "shots_waited": round((max(behind) - idle) / _SECONDS, 3),
            "idle_seconds": round(idle, 3),
            "seconds_behind": round(sum(behind) / len(behind), 3),
            "cores": round(share, 3),
            "seconds_to_order": round(ordered, 3),
        }

    found = on_each_database(measure, scale.databases)
    return Measured({"noisy_neighbour": worst(found, "shots_waited")}, {"noisy_neighbour": found})


def _generator_seconds(painted: Path, shots: int) -> float:
    """What the last so many images took the generator itself, in the mean."""
    lines = painted.read_text("utf-8").splitlines()[-shots:]
    return statistics.fmean(float(line.rpartition("|")[2]) for line in lines)


def _transaction_seconds(url: str) -> float:
    """The median of transactions that change one row, one after another."""
    engine = open_database(url)
    seconds = []
    for number in range(_TRANSACTIONS):
        begin = time.monotonic()
        with write(engine) as connection:
            connection.execute(sa.update(tenants).values(display_name=f"{number}"))
        seconds.append(time.monotonic() - begin)
    engine.dispose()
    return statistics.median(seconds)


async def _painted(caller: Caller, subject: str, shots: int) -> float:
    """Seconds from the order of a gallery to its end."""
    begin = time.monotonic()
    gallery = await caller.finished_gallery(await caller.gallery(subject, style_shots=[shots]))
    seconds = time.monotonic() - begin
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED, gallery
    return seconds
