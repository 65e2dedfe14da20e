"""Answers KEDA's calls: see `protos/externalscaler`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc.aio
from sqlalchemy.engine import Engine

from externalscaler import externalscaler_pb2 as scaler_pb2
from externalscaler import externalscaler_pb2_grpc as scaler_pb2_grpc
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.threads import in_read_thread
from services.gateway.scaling.queues import KnownPool, Queue, count_work, queues_of

_POOL, _PER_REPLICA = "pool", "perReplica"
_LEAST, _MOST = 0.001, 1_000_000
"""Of that number: beyond it KEDA's own numbers overflow, and nobody means that."""
IDLE_POLL_SECONDS = 0.25
"""Between two looks for a stream that told of no work: people wait for a first replica for as long."""


@dataclass(frozen=True)
class _Asked:
    """What a trigger's metadata say."""

    queue: Queue
    per_replica: float

    @classmethod
    def of(cls, message: scaler_pb2.ScaledObjectRef, queues: Mapping[str, Queue]) -> _Asked:
        """Reads them.

        Raises:
            NotFoundError: SCALER_POOL_UNKNOWN.
            InvalidArgumentError: SCALER_PER_REPLICA_INVALID.
        """
        pool = message.scalerMetadata.get(_POOL, "")
        if pool not in queues:
            raise NotFoundError(
                "SCALER_POOL_UNKNOWN",
                f"{message.namespace}/{message.name}: "
                f"{f'there is no pool {pool!r}' if pool else f'metadata.{_POOL} is not set'}; set the trigger's "
                f"metadata.{_POOL} to {' or '.join(queues)}, or declare a pool NAME in HEADSHOTS_GATEWAY_POOLS for "
                "generators-NAME and trainers-NAME",
            )
        text = message.scalerMetadata.get(_PER_REPLICA, "1")
        try:
            per_replica = float(text)
        except ValueError:
            per_replica = math.nan
        # Not a number is in no order with these.
        if not _LEAST <= per_replica <= _MOST:
            raise InvalidArgumentError(
                "SCALER_PER_REPLICA_INVALID",
                f"{message.namespace}/{message.name}: metadata.{_PER_REPLICA} is {text!r}; set it to how much a "
                f"replica works on at once, {_LEAST} to {_MOST}",
            )
        return cls(queues[pool], per_replica)


class ScalerServicer(scaler_pb2_grpc.ExternalScalerServicer):
    """KEDA's external scaler: no keys, no names, only how much there is to do."""

    def __init__(self, database: Engine, pools: Sequence[KnownPool], *, poll_seconds: float) -> None:
        self._database = database
        self._pools, self._queues = pools, queues_of(pools)
        self._poll_seconds = poll_seconds

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds itself; its full name."""
        scaler_pb2_grpc.add_ExternalScalerServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [scaler_pb2.DESCRIPTOR.services_by_name["ExternalScaler"].full_name]

    async def IsActive(self, request: scaler_pb2.ScaledObjectRef, context: Any) -> scaler_pb2.IsActiveResponse:
        return scaler_pb2.IsActiveResponse(result=await self._work(_Asked.of(request, self._queues)) > 0)

    async def StreamIsActive(
        self, request: scaler_pb2.ScaledObjectRef, context: Any
    ) -> AsyncIterator[scaler_pb2.IsActiveResponse]:
        asked, told = _Asked.of(request, self._queues), None
        while True:
            is_active = await self._work(asked) > 0
            if is_active is not told:
                yield scaler_pb2.IsActiveResponse(result=is_active)
                told = is_active
            await asyncio.sleep(self._poll_seconds if is_active else min(self._poll_seconds, IDLE_POLL_SECONDS))

    async def GetMetricSpec(
        self, request: scaler_pb2.ScaledObjectRef, context: Any
    ) -> scaler_pb2.GetMetricSpecResponse:
        asked = _Asked.of(request, self._queues)
        spec = scaler_pb2.MetricSpec(
            metricName=asked.queue.name, targetSize=math.ceil(asked.per_replica), targetSizeFloat=asked.per_replica
        )
        return scaler_pb2.GetMetricSpecResponse(metricSpecs=[spec])

    async def GetMetrics(self, request: scaler_pb2.GetMetricsRequest, context: Any) -> scaler_pb2.GetMetricsResponse:
        asked = _Asked.of(request.scaledObjectRef, self._queues)
        count = await self._work(asked)
        value = scaler_pb2.MetricValue(metricName=asked.queue.name, metricValue=count, metricValueFloat=count)
        return scaler_pb2.GetMetricsResponse(metricValues=[value])

    async def _work(self, asked: _Asked) -> int:
        return await in_read_thread(count_work, self._database, asked.queue, self._pools)
