"""Rehearses KEDA with processes of this machine in place of pods: asks a gateway's scaler port, starts and stops them.

As KEDA does it: `StreamIsActive` brings the first replica, and after `cooldown_seconds` without work the last one goes.
Each queue has one replica at most, as all that share an address would need a name server.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import grpc.aio

from externalscaler import externalscaler_pb2 as scaler_pb2
from externalscaler import externalscaler_pb2_grpc as scaler_pb2_grpc


@dataclass
class Scaled:
    """A queue and how its replica is started and stopped, as a Deployment's are."""

    queue: str
    start: Callable[[], None]
    stop: Callable[[], None]
    """Sends SIGTERM."""
    has_ended: Callable[[], bool]
    is_active: bool = False
    """What the gateway said last."""
    active_at: float = 0.0
    """When it said so last of work, by time.monotonic()."""
    replicas: list[tuple[float, int]] = field(default_factory=list)
    """When how many there were, by time.monotonic()."""

    @property
    def count(self) -> int:
        """Replicas now."""
        return self.replicas[-1][1] if self.replicas else 0


class Keda:
    """Scales until its context ends."""

    def __init__(self, address: str, scaled: Sequence[Scaled], *, cooldown_seconds: float) -> None:
        self._address, self._scaled, self._cooldown_seconds = address, scaled, cooldown_seconds
        self._told = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Scales while the block runs; a failure of it ends the block."""
        async with grpc.aio.insecure_channel(self._address, [("grpc.enable_http_proxy", 0)]) as channel:
            stub = scaler_pb2_grpc.ExternalScalerStub(channel)
            async with asyncio.TaskGroup() as group:
                works = [work for each in self._scaled for work in (self._hear(stub, each), self._scale(each))]
                tasks = [group.create_task(work) for work in works]
                yield
                for task in tasks:
                    task.cancel()

    async def is_scaled_to(self, queue: str, count: int) -> None:
        """Returns once there are so many replicas of a queue."""
        (scaled,) = [each for each in self._scaled if each.queue == queue]
        async with self._told:
            await self._told.wait_for(lambda: scaled.count == count)

    async def _hear(self, stub: scaler_pb2_grpc.ExternalScalerAsyncStub, scaled: Scaled) -> None:
        ref = scaler_pb2.ScaledObjectRef(
            name=scaled.queue, namespace="rehearsal", scalerMetadata={"pool": scaled.queue}
        )
        async for answer in stub.StreamIsActive(ref):
            scaled.is_active, scaled.active_at = answer.result, time.monotonic()
            await self._tell()

    async def _scale(self, scaled: Scaled) -> None:
        await self._count(scaled, 0)
        while True:
            async with self._told:
                await self._told.wait_for(lambda: scaled.is_active)
            scaled.start()
            await self._count(scaled, 1)
            while scaled.is_active or time.monotonic() - scaled.active_at < self._cooldown_seconds:
                assert not scaled.has_ended(), f"the replica of {scaled.queue} ended by itself"
                await asyncio.sleep(0.05)
            scaled.stop()
            while not scaled.has_ended():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            await self._count(scaled, 0)

    async def _count(self, scaled: Scaled, count: int) -> None:
        scaled.replicas.append((time.monotonic(), count))
        await self._tell()

    async def _tell(self) -> None:
        async with self._told:
            self._told.notify_all()
