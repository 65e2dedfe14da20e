"""What balancing over a headless Service rests on: connections end now and then, and calls do not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from headshots.rpc.channel import open_channel
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import gateway_pb2 as pb
from headshots.v1 import gateway_pb2_grpc
from tests.support.waiting import PATIENCE_SECONDS


class Servicer(gateway_pb2_grpc.GatewayServiceServicer):
    """Remembers from which connection each call came."""

    def __init__(self) -> None:
        self.peers: list[str] = []
        self.enough = asyncio.Event()

    async def GetTenant(self, request: pb.GetTenantRequest, context: Any) -> pb.GetTenantResponse:
        self.peers.append(context.peer())
        return pb.GetTenantResponse()

    async def WatchTraining(
        self, request: pb.WatchTrainingRequest, context: Any
    ) -> AsyncIterator[pb.WatchTrainingResponse]:
        yield pb.WatchTrainingResponse()
        await self.enough.wait()
        yield pb.WatchTrainingResponse()


@pytest.fixture
async def served() -> AsyncIterator[tuple[Servicer, RunningServer]]:
    servicer = Servicer()

    def register(server: grpc.aio.Server) -> list[str]:
        gateway_pb2_grpc.add_GatewayServiceServicer_to_server(servicer, server)
        return [pb.DESCRIPTOR.services_by_name["GatewayService"].full_name]

    running = await start_server(register, ServerSettings(connection_age_seconds=0.5), registry=CollectorRegistry())
    yield servicer, running
    await running.stop()


async def test_calls_move_to_a_fresh_connection_and_a_running_stream_survives(
    served: tuple[Servicer, RunningServer],
) -> None:
    servicer, running = served
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        stream = stub.WatchTraining(pb.WatchTrainingRequest(name="subjects/a/trainings/b"))
        await stream.read()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(set(servicer.peers)) < 3:
                await stub.GetTenant(pb.GetTenantRequest())
                await asyncio.sleep(0.05)
        servicer.enough.set()
        assert await stream.read() == pb.WatchTrainingResponse()
        assert await stream.read() is grpc.aio.EOF
