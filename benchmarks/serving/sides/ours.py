"""Runs our side: the engine in a process, and the service as a process of its own over gRPC."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
from prometheus_client import CollectorRegistry

from benchmarks.serving.sides.calls import Timed, random_call, resident_bytes
from benchmarks.serving.sides.side import Spec
from benchmarks.serving.world import Subject, Wanted, World
from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.backends.bank import Bank
from headshots.diffusion.lora.files import load_row
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.ports import free_port
from headshots.processes.serving import wait_until_serving
from headshots.rpc.channel import open_channel
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.signing import Signer
from headshots.settings import Home
from headshots.v1 import adapters_pb2, generator_pb2_grpc
from headshots.v1 import generator_pb2 as pb
from services.generator.__main__ import build
from services.generator.engine import Engine
from services.generator.metrics import Metrics
from services.generator.requests.request import GeneratedImage, GenerationRequest
from services.generator.settings import GeneratorSettings
from tests.support.paths import environment_of_services

_TENANT = "bench"
# As stock pipelines have it, which paint the same images.
_STRENGTH, _SHARE = 1.0, 1.0


class OurEngine:
    """The engine, in-process: a :class:`~benchmarks.serving.sides.side.Side`."""

    def __init__(self, engine: Engine, world: World) -> None:
        self._engine = engine
        self._world = world

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of each; everything asked for at once."""
        return list(await asyncio.gather(*(self._one(one) for one in wanted)))

    async def _one(self, wanted: Wanted) -> bytes:
        request = GenerationRequest(
            tenant=_TENANT,
            prompt=wanted.prompt,
            adapter=wanted.subject.ref,
            seed=wanted.seed,
            steps=self._world.steps,
            guidance_scale=self._world.guidance,
            adapter_strength=_STRENGTH,
            negative_adapter_share=_SHARE,
        )
        painted = [event async for event in self._engine.generate(request) if isinstance(event, GeneratedImage)]
        return painted[0].content


class OurService:
    """The same engine behind gRPC, in a process of its own."""

    def __init__(
        self, stub: generator_pb2_grpc.GeneratorServiceStub, signer: Signer, process: psutil.Process, world: World
    ) -> None:
        self._stub = stub
        self._signer = signer
        self._process = process
        self._world = world

    @property
    def resident_bytes(self) -> int:
        """Resident memory of the service's process."""
        return int(self._process.memory_info().rss)

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of each, as :class:`OurEngine` paints it; everything asked for at once."""
        steps, guidance = self._world.steps, self._world.guidance
        return list(await asyncio.gather(*(self._ask(one, steps, guidance) for one in wanted)))

    async def touch(self, wanted: Wanted) -> None:
        """The least that brings an adapter into a slot and uses it: one step without guidance."""
        await self._ask(wanted, 1, 1.0)

    async def slots_used(self) -> int:
        """Slots that hold an adapter."""
        metadata = self._signer.metadata(Grant("generator", "DescribeGenerator"))
        found: pb.DescribeGeneratorResponse = await self._stub.DescribeGenerator(
            pb.DescribeGeneratorRequest(), metadata=metadata
        )
        return found.slots_used

    async def _ask(self, wanted: Wanted, steps: int, guidance: float) -> bytes:
        ref = wanted.subject.ref
        request = pb.GenerateRequest(
            tenant=_TENANT,
            prompt=wanted.prompt,
            adapter=adapters_pb2.Adapter(sha256=ref.sha256, key=ref.key, foundation_digest=ref.foundation_digest),
            seed=wanted.seed,
            steps=steps,
            guidance_scale=guidance,
            adapter_strength=_STRENGTH,
            negative_adapter_share=_SHARE,
        )
        metadata = self._signer.metadata(Grant("generator", "Generate", tenant=_TENANT, reads=(ref.key,)))
        content = b""
        async for event in self._stub.Generate(request, metadata=metadata):
            if event.WhichOneof("event") == "image":
                content = event.image.content
        return content


def environment(world: World, home: Path, threads: int, host_rows: int = 0) -> dict[str, str]:
    """The generator's settings. ``host_rows``: adapters that fit its tier of packed rows; 0 leaves the default."""
    settings = {
        "HEADSHOTS_HOME": str(home),
        "HEADSHOTS_GENERATOR_PACKAGE": str(world.package.folder),
        "HEADSHOTS_GENERATOR_THREADS": str(threads),
        "HEADSHOTS_GENERATOR_METRICS_PORT": "0",
        # The peers mark nothing; what marking costs, benchmarks.promises measures.
        **{f"HEADSHOTS_MARKING_{layer}": "false" for layer in ("WATERMARK", "METADATA", "C2PA")},
    }
    if host_rows:
        settings["HEADSHOTS_GENERATOR_ADAPTER_HOST_BYTES"] = str(host_rows * world.package.layout.row_size * 4)
    return settings


async def store_adapters(home: Path, subjects: Sequence[Subject]) -> None:
    """Put the adapters where a generator with this home looks for them."""
    store = ArtifactStore.open((home / "objects").as_uri())
    for subject in subjects:
        await store.put(subject.ref.key, subject.data)


class Cold:
    """The backend alone: what an adapter's way from its file to a first step takes."""

    def __init__(self, spec: Spec) -> None:
        self._package, self._subjects = spec.world.package, spec.world.subjects
        self._backend = OnnxRuntimeBackend(self._package, OnnxRuntimeOptions(threads=spec.threads))
        self._slot = 0

    async def cold(self, subject: Subject) -> Timed:
        """From the file, whose digest is checked as the engine does, to the first UNet call's prediction."""
        package = self._package
        self._slot = 1 + self._slot % (package.slots - 1)
        begin = time.perf_counter()
        data = subject.path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == subject.ref.sha256
        self._backend.write_slot(self._slot, load_row(data, package.layout, package.foundation_digest))
        loaded = time.perf_counter()
        timed = await self.call(2)
        return Timed(time.perf_counter() - begin, loaded - begin, timed.prediction_BCHW)

    async def call(self, rows: int) -> Timed:
        """One UNet call with the adapter that was loaded last."""
        call = random_call(self._package, rows)
        slots, strengths = np.full(rows, self._slot, np.int64), np.ones(rows, np.float32)
        batch = UNetBatch(call["sample"], call["timestep"], call["context"], slots, strengths)
        begin = time.perf_counter()
        prediction = self._backend.unet(batch)
        return Timed(time.perf_counter() - begin, 0.0, prediction)

    async def resident(self, subjects: int) -> int:
        """Bytes of memory that each of so many subjects takes, packed and in a bank of that size."""
        package = self._package
        rows = [load_row(subject.data, package.layout, package.foundation_digest) for subject in self._subjects]
        before = resident_bytes()
        bank, packed = Bank(subjects, package.layout.row_size, np.float32), []
        for slot in range(subjects):
            packed.append(rows[slot % len(rows)].copy())
            bank.write(slot, packed[-1])
        return (resident_bytes() - before) // subjects


@asynccontextmanager
async def opened(spec: Spec) -> AsyncIterator[OurEngine]:
    """A side's process."""
    async with running_engine(spec.world, spec.folder, spec.threads) as engine:
        yield engine


@asynccontextmanager
async def running_engine(world: World, home: Path, threads: int) -> AsyncIterator[OurEngine]:
    """A started engine; stopped at the end."""
    await store_adapters(home, world.subjects)
    settings = GeneratorSettings.from_environment(environment(world, home, threads))
    engine, _ = build(settings, world.package.folder, Metrics(CollectorRegistry()), settings.marking.open_signer())
    await engine.start()
    try:
        yield OurEngine(engine, world)
    finally:
        await engine.stop()


@asynccontextmanager
async def running_service(
    world: World, home: Path, threads: int, *, more: Sequence[Subject] = (), host_rows: int = 0
) -> AsyncIterator[OurService]:
    """A started service; ended at the end. ``more``: adapters beside the world's that its store holds."""
    await store_adapters(home, [*world.subjects, *more])
    port = free_port()
    fleet = Fleet(LogFiles(home / "logs"), inherited=environment_of_services())
    fleet.start(
        "generator",
        "services.generator",
        {**environment(world, home, threads, host_rows), "HEADSHOTS_GENERATOR_PORT": str(port)},
    )
    try:
        address = f"127.0.0.1:{port}"
        await asyncio.to_thread(
            wait_until_serving, fleet, {"generator": address}, timeout_seconds=120, on_serving=lambda _: None
        )
        async with open_channel(address) as channel:
            process = psutil.Process(fleet.pids()["generator"])
            stub = generator_pb2_grpc.GeneratorServiceStub(channel)  # type: ignore[no-untyped-call]
            yield OurService(stub, Signer(Secret(Home(home).internal_key_file)), process, world)
    finally:
        await asyncio.to_thread(fleet.stop)
