"""Tests that calls do not notice when connections end, on which balancing over a headless Service relies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from headshots.client.stub import GatewayStub
from headshots.rpc.channel import open_channel
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import tenants_pb2, trainings_pb2
from tests.support.fake_gateway.public_servicer import PublicServicer
from tests.support.waiting import PATIENCE_SECONDS


class Servicer(PublicServicer):
    """Remembers from which connection each call came."""

    def __init__(self) -> None:
        self.peers: list[str] = []
        self.enough = asyncio.Event()

    async def GetTenant(self, request: tenants_pb2.GetTenantRequest, context: Any) -> tenants_pb2.GetTenantResponse:
        self.peers.append(context.peer())
        return tenants_pb2.GetTenantResponse()

    async def WatchTraining(
        self, request: trainings_pb2.WatchTrainingRequest, context: Any
    ) -> AsyncIterator[trainings_pb2.WatchTrainingResponse]:
        yield trainings_pb2.WatchTrainingResponse()
        await self.enough.wait()
        yield trainings_pb2.WatchTrainingResponse()


@pytest.fixture
async def served() -> AsyncIterator[tuple[Servicer, RunningServer]]:
    servicer = Servicer()

    running = await start_server(
        servicer.register, ServerSettings(connection_age_seconds=0.5), registry=CollectorRegistry()
    )
    yield servicer, running
    await running.stop()


async def test_calls_move_to_a_fresh_connection_and_a_running_stream_survives(
    served: tuple[Servicer, RunningServer],
) -> None:
    servicer, running = served
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        stub = GatewayStub(channel)
        stream = stub.WatchTraining(trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/b"))
        await stream.read()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(set(servicer.peers)) < 3:
                await stub.GetTenant(tenants_pb2.GetTenantRequest())
                await asyncio.sleep(0.05)
        servicer.enough.set()
        assert await stream.read() == trainings_pb2.WatchTrainingResponse()
        assert await stream.read() is grpc.aio.EOF
