"""Holds `headshots simulate` against a platform: the same trace, replayed in real time and simulated.

A real gateway process and two stand-ins for generators that paint in batches for set times. What a shot takes beside
that is measured first, in the same run, and told to the simulation.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from benchmarks.gateway.report import Scale
from benchmarks.report import Measured
from headshots.artifacts import ArtifactStore
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.ports import free_port
from headshots.processes.serving import wait_until_serving
from headshots.simulation.arrivals import Arrivals, draw
from headshots.simulation.engine import Simulation
from headshots.simulation.outcomes import OrderTimes, Waits, waits
from headshots.simulation.policies import Policy
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.traces import Order
from headshots.v1 import jobs_pb2
from tests.support.gateway.caller import Caller
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import serve
from tests.support.paths import environment_of_services
from tests.support.waiting import PATIENCE_SECONDS

REPLICAS, BATCH, SLOTS, SUBJECTS, IMAGES = 2, 2, 5, 10, 3
IMAGE_SECONDS, LOAD_SECONDS = 1.5, 0.5
ORDERS_PER_SECOND = 0.55
"""Of galleries: 62 % of what the generators can paint."""
ALONE = 5
"""Galleries of one image, one after another, that tell what is not the generator's."""
_NAME = "generators.rehearsal"


@dataclass(frozen=True)
class _Seen:
    """Of a run, real or simulated."""

    images_per_second: float
    until_done: Waits


def run_simulated(scale: Scale) -> Measured:
    """How far throughput and the 95th percentile of galleries' times are from the real ones, the worse of both."""
    trace = draw(
        Arrivals(
            ORDERS_PER_SECOND * 86_400,
            hours=scale.replayed_seconds / 3600,
            images=IMAGES,
            returning=1.0,
            known=SUBJECTS,
        ),
        seed=1,
    )
    with tempfile.TemporaryDirectory(prefix="headshots-simulated-") as name:
        overhead, real = asyncio.run(_replay(Path(name), trace))
    simulated = _simulate(trace, overhead)
    pairs = (
        (simulated.images_per_second, real.images_per_second),
        (simulated.until_done.p95 or 0.0, real.until_done.p95 or 0.0),
    )
    return Measured(
        {"simulation_error": max(abs(one - other) / other for one, other in pairs)},
        {
            "simulated_against_real": {
                "orders": len(trace),
                "overhead_seconds": round(overhead, 3),
                "simulated": _told(simulated),
                "real": _told(real),
            }
        },
    )


def _simulate(trace: Sequence[Order], overhead: float) -> _Seen:
    policy = Policy(min=REPLICAS, max=REPLICAS, batch=BATCH, slots=SLOTS, host_adapters=1, disk_adapters=1, gateways=1)
    load = (LOAD_SECONDS,) * 3
    times = ServiceTimes({1: IMAGE_SECONDS}, overhead_seconds=overhead, load_seconds=load, spread=0.0)
    outcome = Simulation(policy, times).run(trace)
    return _Seen(outcome.images_per_hour / 3600, outcome.until_done)


async def _replay(home: Path, trace: Sequence[Order]) -> tuple[float, _Seen]:
    """What an image takes beside its time in the generator, and what the trace came to."""
    async with _platform(home) as caller:
        subjects = {order.subject for order in trace}
        names = {subject: await caller.trained_subject() for subject in sorted(subjects)}
        first = next(iter(names.values()))
        # The adapter is in a slot for all but the first.
        alone = [await _gallery(caller, first, 1) for _ in range(ALONE + 1)][1:]
        begin = time.monotonic()
        orders = await asyncio.gather(*(_ordered(caller, names[each.subject], each, begin) for each in trace))
        seconds = time.monotonic() - begin
    images = sum(order.images for order in trace)
    overhead = max(statistics.median(alone) - IMAGE_SECONDS, 0.0)
    return overhead, _Seen(images / seconds, waits(orders, "done_at"))


async def _ordered(caller: Caller, subject: str, order: Order, begin: float) -> OrderTimes:
    await asyncio.sleep(begin + order.at_seconds - time.monotonic())
    ordered_at = time.monotonic()
    seconds = await _gallery(caller, subject, order.images)
    return OrderTimes(ordered_at, 0, done_at=ordered_at + seconds)


async def _gallery(caller: Caller, subject: str, images: int) -> float:
    """Seconds from the order to the end."""
    begin = time.monotonic()
    gallery = await caller.finished_gallery(await caller.gallery(subject, shots_per_style=images))
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED, gallery
    return time.monotonic() - begin


@contextlib.asynccontextmanager
async def _platform(home: Path) -> AsyncIterator[Caller]:
    """A gateway with its generators, and a client of it."""
    ports = {name: free_port() for name in ("gateway", "generators")}
    hosts = [f"127.0.0.{number + 2}" for number in range(REPLICAS)]
    trainer = await serve(FakeTrainer(ArtifactStore.open((home / "objects").as_uri())), home)
    environment = {
        "HEADSHOTS_HOME": str(home),
        "HEADSHOTS_GATEWAY_PORT": str(ports["gateway"]),
        "HEADSHOTS_GATEWAY_METRICS_PORT": "0",
        "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": f"{_NAME}:{ports['generators']}",
        "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": f"127.0.0.1:{trainer.port}",
    }
    logs = LogFiles(home / "logs")
    with Fleet(logs, inherited=environment_of_services()) as fleet:
        for host in hosts:
            fleet.start(host, "benchmarks.gateway.batching_generator", {}, _generator(home, host, ports["generators"]))
        fleet.start("gateway", "benchmarks.gateway.named_gateway", environment, [_NAME, *hosts])
        addresses = {"gateway": f"127.0.0.1:{ports['gateway']}"} | {
            host: f"{host}:{ports['generators']}" for host in hosts
        }
        # In a thread: the trainer answers meanwhile.
        waiting = asyncio.to_thread(
            wait_until_serving, fleet, addresses, timeout_seconds=PATIENCE_SECONDS, on_serving=lambda _: None
        )
        try:
            await waiting
            async with grpc.aio.insecure_channel(addresses["gateway"]) as channel:
                yield Caller(channel, (home / "api-key").read_text().strip())
        except BaseException:
            for name in ("gateway", *hosts):
                print(f"--- {name}\n{logs.tail(name, lines=30)}")
            raise
    await trainer.stop(0.0)


def _generator(home: Path, host: str, port: int) -> list[str]:
    options = {
        "home": home,
        "host": host,
        "port": port,
        "batch": BATCH,
        "slots": SLOTS,
        "seconds": IMAGE_SECONDS,
        "load-seconds": LOAD_SECONDS,
    }
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def _told(seen: _Seen) -> dict[str, float | None]:
    return {
        "images_per_second": round(seen.images_per_second, 4),
        "until_done_p50": seen.until_done.p50,
        "until_done_p95": seen.until_done.p95,
    }
