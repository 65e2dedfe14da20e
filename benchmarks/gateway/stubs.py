"""Stands in for a generator or a trainer, in a process of its own: answers at set times and does no work.

``python -m benchmarks.gateway.stubs KIND --home FOLDER --port PORT --seconds SECONDS``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from headshots.processes.cores import leave_no_core
from headshots.rpc.server import run_until_signal
from headshots.v1 import generator_pb2
from services.generator.servicer import hold_generation
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import serve

PAINTED = "painted.txt"
"""In the home: a line `prompt|seed|seconds` for each image that any generator has answered with.

The seconds are its own, from the request until the image was handed to gRPC: a sleep ends up to a millisecond late.
"""
_LAST_SECONDS = 5.0
"""Within which requests end that run when a generator is told to end."""


class TimedGenerator(FakeGenerator):
    """Answers each request with an image just `seconds` after it came; as many at once as are asked."""

    def __init__(self, store: ArtifactStore, seconds: float, painted: Path) -> None:
        super().__init__(store)
        self._seconds, self._painted_file = seconds, painted
        self._is_draining = False
        self._idle = asyncio.Event()

    async def Generate(
        self, request: generator_pb2.GenerateRequest, context: Any
    ) -> AsyncIterator[generator_pb2.GenerateResponse]:
        """As a generator does, with one step."""
        begin = time.monotonic()
        hold_generation(request)
        if self._is_draining:
            raise UnavailableError("DRAINING", "this generator is shutting down")
        self.running += 1
        try:
            yield generator_pb2.GenerateResponse(queued=generator_pb2.Queued(position=0))
            yield generator_pb2.GenerateResponse(started=generator_pb2.Started(queue_seconds=0.0))
            image = await self._painted(request)
            await asyncio.sleep(begin + self._seconds - time.monotonic())
            seconds = time.monotonic() - begin
            yield generator_pb2.GenerateResponse(image=image)
            self._note(request, seconds)
        finally:
            self.running -= 1
            if not self.running:
                self._idle.set()

    async def DescribeGenerator(
        self, request: generator_pb2.DescribeGeneratorRequest, context: Any
    ) -> generator_pb2.DescribeGeneratorResponse:
        """With what it works on."""
        answer = await super().DescribeGenerator(request, context)
        answer.requests_running = self.running
        return answer

    async def drain(self) -> None:
        """Takes no more requests, and waits for those that run."""
        self._is_draining = True
        self._idle.clear()
        if self.running:
            async with asyncio.timeout(_LAST_SECONDS):
                await self._idle.wait()

    def _note(self, request: generator_pb2.GenerateRequest, seconds: float) -> None:
        # One write: lines of several processes do not mix.
        file = os.open(self._painted_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{request.prompt}|{request.seed}|{seconds:.6f}\n".encode())
        finally:
            os.close(file)


async def _run(kind: str, home: Path, port: int, seconds: float) -> None:
    store = ArtifactStore.open((home / "objects").as_uri())
    if kind == "generator":
        painter = TimedGenerator(store, seconds, home / PAINTED)
        await run_until_signal(await serve(painter, home, port), drain_seconds=0.5, drain=painter.drain)
        return
    trainer = FakeTrainer(store)
    trainer.step_seconds = seconds
    await run_until_signal(await serve(trainer, home, port), drain_seconds=0.5)


def main() -> None:
    """Runs until SIGTERM."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=("generator", "trainer"))
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="of an image, or of a step of a training")
    given = parser.parse_args()
    leave_no_core()
    asyncio.run(_run(given.kind, given.home, given.port, given.seconds))


if __name__ == "__main__":
    main()
