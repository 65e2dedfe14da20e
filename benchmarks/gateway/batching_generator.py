"""Stands in for a generator, in a process of its own: a batch, slots, and set times instead of work.

``python -m benchmarks.gateway.batching_generator --home FOLDER --host ADDRESS --port PORT --batch N --slots N
--seconds SECONDS --load-seconds SECONDS``.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.caching.slots import SlotTable
from headshots.processes.cores import leave_no_core
from headshots.rpc.server import ServerSettings, run_until_signal, start_server
from headshots.v1 import generator_pb2
from services.generator.servicer import hold_generation
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.grants import port_of


class BatchingGenerator(FakeGenerator):
    """Paints `batch` images at once, each for `seconds`; who waits comes first, and loads its adapter meanwhile."""

    def __init__(self, store: ArtifactStore, batch: int, slots: int, seconds: float, load_seconds: float) -> None:
        super().__init__(store)
        self._places = asyncio.Semaphore(batch)
        self._slots, self._slot_count = SlotTable(slots), slots
        self._seconds, self._load_seconds = seconds, load_seconds
        self._loads: dict[str, asyncio.Task[None]] = {}

    async def Generate(
        self, request: generator_pb2.GenerateRequest, context: Any
    ) -> AsyncIterator[generator_pb2.GenerateResponse]:
        """As a generator does, without steps."""
        hold_generation(request)
        adapter = request.adapter.sha256
        self.running += 1
        try:
            yield generator_pb2.GenerateResponse(queued=generator_pb2.Queued(position=0))
            if adapter not in self._slots:
                if adapter not in self._loads or self._loads[adapter].done():
                    self._loads[adapter] = asyncio.create_task(asyncio.sleep(self._load_seconds))
                await asyncio.shield(self._loads[adapter])
            async with self._places:
                yield generator_pb2.GenerateResponse(started=generator_pb2.Started(queue_seconds=0.0))
                assert self._slots.pin(adapter) is not None, "there are more slots than places in the batch"
                try:
                    await asyncio.sleep(self._seconds)
                finally:
                    self._slots.unpin(adapter)
            yield generator_pb2.GenerateResponse(image=await self._painted(request))
        finally:
            self.running -= 1

    async def DescribeGenerator(
        self, request: generator_pb2.DescribeGeneratorRequest, context: Any
    ) -> generator_pb2.DescribeGeneratorResponse:
        """With what it has and works on."""
        answer = await super().DescribeGenerator(request, context)
        answer.slots = self._slot_count
        answer.slot_adapters[:] = list(self._slots)[::-1]
        answer.requests_running = self.running
        return answer


async def _run(given: argparse.Namespace) -> None:
    store = ArtifactStore.open((given.home / "objects").as_uri())
    generator = BatchingGenerator(store, given.batch, given.slots, given.seconds, given.load_seconds)
    settings = ServerSettings(host=given.host, port=given.port)
    internal = port_of(generator.audience, given.home)
    running = await start_server(generator.register, settings, registry=CollectorRegistry(), internal=internal)
    await run_until_signal(running, drain_seconds=0.5)


def main() -> None:
    """Runs until SIGTERM."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True, help="images at once")
    parser.add_argument("--slots", type=int, required=True, help="one of them the bare foundation's")
    parser.add_argument("--seconds", type=float, required=True, help="of an image")
    parser.add_argument("--load-seconds", type=float, required=True, help="of an adapter that is in no slot")
    leave_no_core()
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
