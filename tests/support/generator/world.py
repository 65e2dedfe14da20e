"""A whole generator on the tiny engine package, in this process, behind real gRPC on a free port."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions
from headshots.diffusion.backends.base import FloatArray, UNetBatch
from headshots.diffusion.package import EnginePackage
from headshots.errors import HeadshotsError
from headshots.faces import FaceAnalyzer
from headshots.marking.settings import MarkingSettings
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.rpc.server import ServerSettings, start_server
from headshots.v1 import adapters_pb2, generator_pb2_grpc
from headshots.v1 import generator_pb2 as pb
from services.generator.adapters.tiers import AdapterCache, AdapterRef
from services.generator.engine import Engine, EngineLimits
from services.generator.images.marking import Marker
from services.generator.metrics import Metrics
from services.generator.servicer import MAX_MESSAGE_BYTES, register
from tests.support.foundations.engines import adapter_ref, tiny_package
from tests.support.grants import SignedStub, port_of
from tests.support.waiting import PATIENCE_SECONDS


class SteppedBackend(OnnxRuntimeBackend):
    """Once it is `held` it makes a step for each permit: what has none left is still running, whenever a test acts."""

    def __init__(self) -> None:
        super().__init__(tiny_package(), OnnxRuntimeOptions(threads=1))
        self.held = False
        self.stands = False
        """In a step that nobody has permitted yet."""
        self.permits = threading.Semaphore(0)

    def unet(self, batch: UNetBatch) -> FloatArray:
        if self.held and not self.permits.acquire(blocking=False):
            self.stands = True
            assert self.permits.acquire(timeout=2 * PATIENCE_SECONDS), "nobody has permitted the step"
            self.stands = False
        return super().unet(batch)

    def hold(self, steps: int = 0) -> None:
        """Only so many steps more, and those that are permitted."""
        self.held = True
        if steps:
            self.permits.release(steps)

    def let_go(self) -> None:
        """Without permits again."""
        self.held = False
        self.permits.release()


@dataclass
class Generator:
    """What a test holds."""

    engine: Engine
    stub: Any
    """Its calls are signed."""
    store: ArtifactStore
    registry: CollectorRegistry
    address: str
    metrics_port: int

    async def add(self, data: bytes, key: str = "") -> adapters_pb2.Adapter:
        """Store an adapter's file; the message that refers to it."""
        return await store_adapter(self.store, adapter_ref(data, key), data)

    async def generate(self, **request: Any) -> list[pb.GenerateResponse]:
        """Every event of one request."""
        return [event async for event in self.stub.Generate(ask(**request))]

    async def image(self, **request: Any) -> pb.GeneratedImage:
        """The one image of a request."""
        return (await self.generate(**request))[-1].image

    def metric(self, name: str, **labels: str) -> float:
        """A metric's value now."""
        return self.registry.get_sample_value(f"headshots_generator_{name}", labels) or 0.0


def ask(**request: Any) -> pb.GenerateRequest:
    """A request with what every request needs."""
    return pb.GenerateRequest(**{"tenant": "acme", "prompt": "photo of sks man", **request})


async def refused(generator: Generator, **request: Any) -> HeadshotsError:
    """The error that a request is answered with."""
    with pytest.raises(grpc.RpcError) as caught:
        await generator.generate(**request)
    return error_from_rpc(caught.value)


async def store_adapter(store: ArtifactStore, ref: AdapterRef, data: bytes) -> adapters_pb2.Adapter:
    await store.put(ref.key, data)
    return adapters_pb2.Adapter(sha256=ref.sha256, key=ref.key, foundation_digest=ref.foundation_digest)


def unmarked() -> Marker:
    """Writes what was painted and nothing else."""
    return Marker(MarkingSettings(Path(), watermark=False, metadata=False, c2pa=False), None, "tiny", "0" * 64)


def make_engine(
    folder: Path,
    registry: CollectorRegistry,
    *,
    package: EnginePackage | None = None,
    limits: EngineLimits | None = None,
    backend: Any = None,
    marker: Marker | None = None,
    analyzer: FaceAnalyzer | None = None,
    disk_bytes: int = 2**30,
    host_bytes: int = 2**30,
) -> tuple[Engine, ArtifactStore]:
    """An engine over a store in ``folder``, not started; its images are not marked unless a marker is given."""
    package = package or tiny_package()
    metrics = Metrics(registry)
    store = ArtifactStore.open((folder / "objects").as_uri())
    adapters = AdapterCache(
        store,
        folder / "adapters",
        package.layout,
        package.foundation_digest,
        metrics,
        disk_bytes=disk_bytes,
        host_bytes=host_bytes,
    )
    backend = backend or OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=1))
    marker = marker or unmarked()
    return Engine(package, backend, adapters, store, metrics, limits or EngineLimits(), marker, analyzer), store


@asynccontextmanager
async def running_generator(folder: Path, **options: Any) -> AsyncIterator[Generator]:
    """A started generator; stopped at the end."""
    registry = CollectorRegistry()
    engine, store = make_engine(folder, registry, **options)
    server = ServerSettings(max_message_bytes=MAX_MESSAGE_BYTES)
    running = await start_server(
        partial(register, engine), server, registry=registry, internal=port_of("generator", folder)
    )
    await engine.start()
    address = f"127.0.0.1:{running.port}"
    try:
        async with open_channel(address) as channel:
            stub = SignedStub(generator_pb2_grpc.GeneratorServiceStub(channel), "generator", folder)
            yield Generator(engine, stub, store, registry, address, running.metrics_port)
    finally:
        if isinstance(engine._backend, SteppedBackend):
            engine._backend.let_go()
        await engine.stop()
        await running.stop()
