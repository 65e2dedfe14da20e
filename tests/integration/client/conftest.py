"""Starts a gateway in memory, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from headshots.client import AsyncHeadshots
from headshots.rpc.server import RunningServer
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway, start_fake_gateway
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def server(fake: FakeGateway) -> AsyncIterator[RunningServer]:
    running = await start_fake_gateway(fake)
    yield running
    await running.stop()


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[AsyncHeadshots]:
    async with AsyncHeadshots(f"127.0.0.1:{server.port}", API_KEY, reconnect_seconds=PATIENCE_SECONDS) as client:
        yield client
