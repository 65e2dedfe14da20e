"""Measures a cold start: from an order, while no generator runs, to its first image, with processes in place of pods.

A rehearsed KEDA (`keda`) listens to the gateway's scaler port, starts the real generator, and stops it when nothing is
left to do; a stand-in for a trainer comes and goes likewise.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from benchmarks.gateway.keda import Keda, Scaled
from benchmarks.gateway.report import Scale
from benchmarks.report import Measured
from benchmarks.running import OUT
from headshots.diffusion.export.ensure import ensure_package_in_child
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.ports import free_port
from headshots.processes.serving import is_serving, wait_until_serving
from headshots.settings import default_foundation
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.caller import Caller
from tests.support.paths import environment_of_services
from tests.support.waiting import PATIENCE_SECONDS

SHOTS = 4
"""Of each gallery."""
COOLDOWN_SECONDS = 1.0
"""Without work before a replica goes; minutes with the real KEDA."""
GENERATORS, TRAINERS = "generators", "trainers"


@dataclass(frozen=True)
class ColdStart:
    """Seconds since the order; each event after the one above."""

    told: float
    """KEDA started a generator."""
    serving: float
    """It answers."""
    first_image: float
    """The first image's file came to the client."""
    done: float
    """All images."""


@dataclass(frozen=True)
class Rehearsal:
    """What was seen."""

    starts: list[ColdStart]
    replicas: dict[str, list[int]]
    """How many there were of each queue, one after another."""
    images: list[int]
    """Of each gallery."""


def run_cold_start(scale: Scale) -> Measured:
    """The bundled foundation, exported before; the median of several starts."""
    package = ensure_package_in_child(default_foundation(), OUT / "engines")
    with tempfile.TemporaryDirectory(prefix="headshots-cold-start-") as name:
        found = asyncio.run(rehearse(Path(name), package, starts=scale.cold_starts))
    firsts = [each.first_image for each in found.starts]
    return Measured(
        {"cold_start_seconds_to_first_image": statistics.median(firsts)},
        {
            "cold_starts": [
                {stage: round(seconds, 2) for stage, seconds in vars(each).items()} for each in found.starts
            ],
            "replicas": found.replicas,
            "images_of_galleries": found.images,
        },
    )


async def rehearse(home: Path, package: Path, *, starts: int) -> Rehearsal:
    """A training from zero trainers, then galleries, each from zero generators, which are gone again before the next.

    Raises:
        AssertionError: a job failed, or an image is missing.
    """
    async with _Platform(home, package).running() as platform:
        keda = Keda(platform.scaler, platform.scaled, cooldown_seconds=COOLDOWN_SECONDS)
        async with asyncio.timeout(PATIENCE_SECONDS * (starts + 1)), keda.running(), platform.caller() as caller:
            subject = await caller.trained_subject()
            await keda.is_scaled_to(TRAINERS, 0)
            found = []
            for _ in range(starts):
                await keda.is_scaled_to(GENERATORS, 0)
                found.append(await _cold_start(platform, keda, caller, subject))
            await keda.is_scaled_to(GENERATORS, 0)
            images = [len(await _images(caller, each)) for each in platform.galleries]
    counts = {each.queue: [count for _, count in each.replicas] for each in platform.scaled}
    return Rehearsal(found, counts, images)


async def _cold_start(platform: _Platform, keda: Keda, caller: Caller, subject: str) -> ColdStart:
    begin = time.monotonic()
    gallery = await caller.gallery(subject, shots_per_style=SHOTS)
    platform.galleries.append(gallery)
    serving = asyncio.create_task(platform.is_serving_at())
    first, request = None, galleries_pb2.WatchGalleryRequest(name=gallery, include_content=True)
    async for response in caller.stream("WatchGallery", request):
        if response.WhichOneof("event") == "image" and first is None:
            assert response.content
            first = time.monotonic()
    done = time.monotonic()
    ended = await caller.finished_gallery(gallery)
    assert ended.state == jobs_pb2.JOB_STATE_SUCCEEDED, ended
    assert first is not None
    told = max(when for when, count in platform.scaled[0].replicas if count == 1)
    return ColdStart(told - begin, await serving - begin, first - begin, done - begin)


async def _images(caller: Caller, gallery: str) -> set[str]:
    request = galleries_pb2.ListImagesRequest(parent=gallery, page_size=100)
    return {image.sha256 for image in (await caller("ListImages", request)).images}


class _Platform:
    """A gateway with a scaler port, and what KEDA starts and stops: each service has one port of its own."""

    def __init__(self, home: Path, package: Path) -> None:
        self._home, self._package = home, package.absolute()
        self._ports = {name: free_port() for name in ("gateway", "scaler", GENERATORS, TRAINERS)}
        self.galleries: list[str] = []
        self._logs = LogFiles(home / "logs")
        self._fleet = Fleet(self._logs, inherited=environment_of_services())
        self.scaled = [self._scaled(queue) for queue in (GENERATORS, TRAINERS)]

    @property
    def scaler(self) -> str:
        """Address of the port for KEDA."""
        return self._address("scaler")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[_Platform]:
        """Starts the gateway; what the services said is shown where the block fails."""
        environment = {
            "HEADSHOTS_HOME": str(self._home),
            "HEADSHOTS_GATEWAY_PORT": str(self._ports["gateway"]),
            "HEADSHOTS_GATEWAY_SCALER_PORT": str(self._ports["scaler"]),
            "HEADSHOTS_GATEWAY_METRICS_PORT": "0",
            "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": self._address(GENERATORS),
            "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": self._address(TRAINERS),
        }
        try:
            self._fleet.start("gateway", "services.gateway", environment)
            at = {"gateway": self._address("gateway")}
            wait_until_serving(self._fleet, at, timeout_seconds=PATIENCE_SECONDS, on_serving=lambda _: None)
            yield self
        except BaseException:
            for name in ("gateway", GENERATORS, TRAINERS):
                print(f"--- {name}\n{self._logs.tail(name, lines=30)}")
            raise
        finally:
            self._fleet.stop()

    @contextlib.asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        """A client with the key that the gateway's first start made."""
        async with grpc.aio.insecure_channel(self._address("gateway")) as channel:
            yield Caller(channel, (self._home / "api-key").read_text().strip())

    async def is_serving_at(self) -> float:
        """When a generator answers, by time.monotonic()."""
        while not await asyncio.to_thread(is_serving, self._address(GENERATORS)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return time.monotonic()

    def _scaled(self, queue: str) -> Scaled:
        starts = {GENERATORS: self._start_generator, TRAINERS: self._start_trainer}
        return Scaled(queue, starts[queue], lambda: self._stop(queue), lambda: self._has_ended(queue))

    def _start_generator(self) -> None:
        environment = {
            "HEADSHOTS_HOME": str(self._home),
            "HEADSHOTS_GENERATOR_PACKAGE": str(self._package),
            "HEADSHOTS_GENERATOR_PORT": str(self._ports[GENERATORS]),
            "HEADSHOTS_GENERATOR_METRICS_PORT": "0",
        }
        self._fleet.start(GENERATORS, "services.generator", environment)

    def _start_trainer(self) -> None:
        port = str(self._ports[TRAINERS])
        arguments = ["--home", str(self._home), "--port", port, "--package", str(self._package)]
        self._fleet.start(TRAINERS, "benchmarks.gateway.quick_trainer", {}, arguments)

    def _stop(self, name: str) -> None:
        os.kill(self._fleet.pids()[name], signal.SIGTERM)

    def _has_ended(self, name: str) -> bool:
        return self._fleet.exit_code(name) is not None

    def _address(self, name: str) -> str:
        return f"127.0.0.1:{self._ports[name]}"
