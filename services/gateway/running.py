"""Holds a running gateway: drains and closes it. And what its parts have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.engine import Engine

from headshots.imaging.workers.pool import DecoderPool
from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.server import RunningServer
from headshots.threads import in_thread
from services.gateway.audit.log import AuditLog
from services.gateway.links.opening import Links
from services.gateway.painting.pool import ShotPool
from services.gateway.scaling.rpc import ScalerPort


class Servicer(Protocol):
    def register(self, server: Any) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        ...


class Looping(Protocol):
    async def run(self) -> None:
        """Works until it is cancelled."""
        ...


class Gateway:
    """A running gateway."""

    def __init__(
        self,
        server: RunningServer,
        database: Engine,
        channels: Sequence[InternalChannel],
        pool: ShotPool,
        loops: list[asyncio.Task[None]],
        decoders: DecoderPool | None,
        links: Links,
        audit: AuditLog,
        scaler: ScalerPort,
        drain_seconds: float,
    ) -> None:
        self.server = server
        self._database = database
        self._channels = channels
        self._pool = pool
        self._loops = loops
        self._decoders = decoders
        self._links = links
        self._audit = audit
        self.scaler = scaler
        self._drain_seconds = drain_seconds

    async def drain(self) -> None:
        """Claims no more shots, waits for those in flight, and puts back those that do not finish in time."""
        await self._pool.drain(self._drain_seconds)

    async def close(self) -> None:
        """Ends the loops after the server. Without `drain` before, running shots are lost as in a crash."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._links.stop()
        await self.scaler.stop()
        await self._audit.close()
        for channel in self._channels:
            await channel.close()
        if self._decoders is not None:
            await in_thread(self._decoders.close)
        self._database.dispose()
