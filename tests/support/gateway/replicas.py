"""Several fake generators behind one name, each with an address of its own, as pods of a headless Service have."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.server import RunningServer
from headshots.schema import MAIN_POOL
from headshots.v1 import generator_pb2 as generator
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.peers.models import Adapter, GenerationRequest
from services.gateway.peers.rpc import open_peer
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.peer import FOUNDATION_DIGEST, serve
from tests.support.grants import KEY_FILE, signer_of
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, until_equal

NAME = "generator:50053"
"""Resolves to nothing: who takes the name's own channel reaches nobody."""
_SUBJECT = "tenants/acme/subjects/s"


class FakeReplica(FakeGenerator):
    """A fake generator that tells what it has, and may answer late or wrongly."""

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__(store)
        self.slot_adapters: list[str] = []
        """Those that it says it has in its slots."""
        self.describes = asyncio.Event()
        """While it is not set, DescribeGenerator is not answered."""
        self.describes.set()
        self.takes = asyncio.Event()
        """While it is not set, Generate and CheckGeneration are not answered."""
        self.takes.set()
        self.description_failure: HeadshotsError | None = None
        """Raised by every DescribeGenerator call."""
        self.painting_failure: HeadshotsError | None = None
        """Raised by every Generate call after its first event."""
        self.described, self.requests_of_others = 0, 0

    async def Generate(
        self, request: generator.GenerateRequest, context: Any
    ) -> AsyncIterator[generator.GenerateResponse]:
        await self.takes.wait()
        async with contextlib.aclosing(super().Generate(request, context)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event
                if self.painting_failure is not None:
                    raise self.painting_failure

    async def CheckGeneration(
        self, request: generator.CheckGenerationRequest, context: Any
    ) -> generator.CheckGenerationResponse:
        await self.takes.wait()
        return await super().CheckGeneration(request, context)

    async def DescribeGenerator(
        self, request: generator.DescribeGeneratorRequest, context: Any
    ) -> generator.DescribeGeneratorResponse:
        self.described += 1
        await self.describes.wait()
        if self.description_failure is not None:
            raise self.description_failure
        answer = await super().DescribeGenerator(request, context)
        answer.slot_adapters[:] = self.slot_adapters
        answer.requests_running = self.running + self.requests_of_others
        return answer


class Replicas:
    """The replicas and what calls them. `open` before use, `close` after."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = ArtifactStore.open((home / "objects").as_uri())
        self.fakes: list[FakeReplica] = []
        self.servers: dict[FakeReplica, RunningServer] = {}
        self.addresses: list[str] = []
        """That the name resolves to."""
        self.resolver_failure: OSError | None = None
        self.resolves = threading.Event()
        """Cleared: the resolver hangs."""
        self.resolves.set()
        self.resolved = 0
        self.registry = CollectorRegistry()
        channel = open_peer(NAME, InternalSettings(home / KEY_FILE))
        # Who answers late is waited for: long enough for a busy machine, and no longer.
        seconds = {"poll_seconds": 0.3, "answer_seconds": 3.0, "patience_seconds": 3.0}
        self.generator = RpcGenerator(
            channel, signer_of(home), PoolMetrics(self.registry).routing(MAIN_POOL), **seconds
        )
        self._running: asyncio.Task[None] | None = None

    def resolve(self, address: str) -> list[str]:
        """In place of `replica_addresses`."""
        assert address == NAME
        self.resolved += 1
        self.resolves.wait(PATIENCE_SECONDS)
        if self.resolver_failure is not None:
            raise self.resolver_failure
        return list(self.addresses)

    async def open(self, count: int) -> list[FakeReplica]:
        """Starts so many, and waits until all are known to be ready."""
        for _ in range(count):
            await self.join()
        self._running = asyncio.create_task(self.generator.run())
        await self.until_state("ready", count)
        return self.fakes

    async def join(self) -> FakeReplica:
        """One more replica."""
        fake = FakeReplica(self.store)
        self.servers[fake] = await serve(fake, self.home, free_port())
        self.fakes.append(fake)
        self.addresses.append(self.address(fake))
        return fake

    async def stop(self, fake: FakeReplica) -> None:
        """Ends a replica as a crash does; the name has its address still."""
        await self.servers.pop(fake).stop()

    async def close(self) -> None:
        """Ends everything."""
        self.resolves.set()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await asyncio.gather(*(server.stop() for server in self.servers.values()))

    def address(self, fake: FakeReplica) -> str:
        """Of a replica that runs."""
        return f"127.0.0.1:{self.servers[fake].port}"

    def alias(self, fake: FakeReplica) -> str:
        """As the log and the metrics name a replica that runs."""
        return signer_of(self.home).alias(self.address(fake))

    def metric(self, name: str, **labels: str) -> float | None:
        """A sample of the gateway's only pool."""
        return self.registry.get_sample_value(f"headshots_gateway_{name}", {"pool": MAIN_POOL, **labels})

    async def until_state(self, state: str, count: int) -> None:
        """Waits until so many replicas are in a state."""
        await until_equal(lambda: self.metric("generators", state=state), count)

    async def home_of(self, sha256: str) -> tuple[FakeReplica, list[FakeReplica]]:
        """Who paints with an adapter, and the others."""
        await self.paint(painting(sha256))
        (home,) = [fake for fake in self.fakes if any(each.adapter.sha256 == sha256 for each in fake.requests)]
        return home, [fake for fake in self.fakes if fake is not home]

    async def paint(self, request: GenerationRequest) -> list[GenerationEvent]:
        """All events of a request."""
        return [event async for event in self.generator.generate(request)]


def adapter(number: int) -> str:
    """A digest."""
    return f"{number:064x}"


def painting(sha256: str | None, seed: int = 0) -> GenerationRequest:
    """A request with an adapter, or with none."""
    key = f"{_SUBJECT}/trainings/t/adapter.safetensors"
    given = None if sha256 is None else Adapter(sha256, key, FOUNDATION_DIGEST, 4, "sks", 1, key, key)
    return GenerationRequest("acme", given, "a portrait", seed=seed, output_prefix=f"{_SUBJECT}/images")
