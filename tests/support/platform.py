"""Runs a gateway with a real generator and a real trainer's queue in one process, over real gRPC: only the training
itself, which takes minutes, is another's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from services.generator.engine import Engine
from services.generator.servicer import register
from services.trainer.queue.job import AdapterFiles
from services.trainer.run.messages import Progress, Started, Succeeded, Task
from services.trainer.servicer import TrainerServicer
from tests.support.foundations.engines import adapter_ref, lora_bytes, peft_unet, tiny_digest
from tests.support.gateway.world import World
from tests.support.generator.world import make_engine
from tests.support.trainer.world import SCORES, FakeChild, Trainer


class GeneratorPeer:
    """A whole generator behind the world's port."""

    audience = "generator"

    def __init__(self, folder: Path) -> None:
        self.registry = CollectorRegistry()
        self.engine: Engine
        self.engine, _ = make_engine(folder, self.registry)

    def register(self, server: grpc.aio.Server) -> list[str]:
        return register(self.engine, server)


class TrainerPeer:
    """A trainer whose runs write an adapter at once."""

    audience = "trainer"

    def __init__(self, folder: Path) -> None:
        (folder / "trainer").mkdir()
        self.trainer = Trainer(folder / "trainer", [])
        self.trainer.launch = self._launch  # type: ignore[method-assign]
        object.__setattr__(self.trainer.engine._context, "launch", self._launch)
        self._store = ArtifactStore.open((folder / "objects").as_uri())
        self.tasks: list[Task] = []

    async def _launch(self, task: Task) -> FakeChild:
        self.tasks.append(task)
        data = lora_bytes(peft_unet(4, 4.0, seed=1))
        ref = adapter_ref(data, f"{task.request.output_prefix}/adapter.safetensors")
        await self._store.put(ref.key, data)
        files = AdapterFiles(ref.sha256, ref.key, tiny_digest(), 4, "sks", len(data), ref.key, ref.key)
        done = Succeeded(files, [(1, 0.5)], SCORES)
        return FakeChild([Started(0, 1, []), Progress(1, 0.5, [0.1], [(1, 0.5)]), done])

    def register(self, server: grpc.aio.Server) -> list[str]:
        return TrainerServicer(self.trainer.engine).register(server)


class Platform(World):
    """The world with these peers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.trainer_peer = TrainerPeer(folder)
        self.generator_peer = GeneratorPeer(folder)

    async def open(self) -> None:
        """Starts the peers and a gateway."""
        self.trainer_port = await self.start_peer(self.trainer_peer)
        self.generator_port = await self.start_peer(self.generator_peer)
        await self.generator_peer.engine.start()
        self.trainer_peer.trainer.engine.begin()
        await self.start()

    async def close(self) -> None:
        """Ends everything."""
        await self.trainer_peer.trainer.engine.drain()
        await super().close()
        await self.generator_peer.engine.stop()
        self.trainer_peer.trainer.database.dispose()


@contextlib.asynccontextmanager
async def opened_platform(folder: Path) -> AsyncIterator[Platform]:
    """A platform for one test."""
    platform = Platform(folder)
    try:
        await platform.open()
        yield platform
    finally:
        await platform.close()
        # What gRPC's tasks still say is part of the test.
        await asyncio.sleep(0)
