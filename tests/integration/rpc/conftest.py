"""Gives tests of the frame of servers one of them, and a client."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from headshots.client.stub import GatewayStub
from headshots.errors import (
    NotFoundError,
    ResourceExhaustedError,
    UnauthenticatedError,
)
from headshots.rpc.auth import bearer_token, current_tenant
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from tests.support.fake_gateway.public_servicer import PublicServicer
from tests.support.waiting import until


class Servicer(PublicServicer):
    """Just enough of a gateway to exercise the frame."""

    async def GetTenant(self, request: tenants_pb2.GetTenantRequest, context: Any) -> tenants_pb2.GetTenantResponse:
        return tenants_pb2.GetTenantResponse(tenant=tenants_pb2.Tenant(name=f"tenants/{current_tenant()}"))

    async def GetSubject(
        self, request: subjects_pb2.GetSubjectRequest, context: Any
    ) -> subjects_pb2.GetSubjectResponse:
        if request.name == "subjects/defect":
            raise RuntimeError("secret detail")
        if request.name == "subjects/busy":
            raise ResourceExhaustedError("QUEUE_FULL", "come back later", retry_after_seconds=1.5)
        raise NotFoundError("SUBJECT_NOT_FOUND", f"no {request.name}", metadata={"name": request.name})

    async def UploadPhotos(
        self, request_iterator: AsyncIterator[photos_pb2.UploadPhotosRequest], context: Any
    ) -> photos_pb2.UploadPhotosResponse:
        count = 0
        async for _ in request_iterator:
            count += 1
        return photos_pb2.UploadPhotosResponse(photos=[photos_pb2.Photo(size_bytes=count)])

    async def WatchTraining(
        self, request: trainings_pb2.WatchTrainingRequest, context: Any
    ) -> AsyncIterator[trainings_pb2.WatchTrainingResponse]:
        yield trainings_pb2.WatchTrainingResponse(training=trainings_pb2.Training(name=current_tenant()))
        if request.name.endswith("/endless"):
            await asyncio.Event().wait()
        raise NotFoundError("TRAINING_NOT_FOUND", "gone")


async def authenticate(metadata: Mapping[str, str]) -> str:
    if bearer_token(metadata) != "hs_good":
        raise UnauthenticatedError("API_KEY_UNKNOWN", "this key is not known")
    return "acme"


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    server = await start_server(
        Servicer().register,
        ServerSettings(max_message_bytes=2**20 * 2),
        registry=CollectorRegistry(),
        authenticate=authenticate,
    )
    yield server
    await server.stop()


@pytest.fixture
async def stub(running: RunningServer) -> AsyncIterator[GatewayStub]:
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        yield GatewayStub(channel)


KEY = (("authorization", "Bearer hs_good"),)


async def failure(call: Any) -> Any:
    """The library's own exception of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_from_rpc(caught.value)


async def until_counted(running: RunningServer, method: str, codes: Mapping[str, int]) -> None:
    """Wait until exactly so many calls of a method are counted as handled, by code."""
    _, service, name = method.split("/")
    labels = re.compile(rf'grpc_server_handled_total{{grpc_code="(\w+)",grpc_method="{name}",grpc_service="{service}"')

    async def are_counted() -> bool:
        lines = (await asyncio.to_thread(scrape, running)).splitlines()
        found = {match[1]: float(line.split()[-1]) for line in lines if (match := labels.match(line))}
        found = {code: times for code, times in found.items() if times}
        return found == dict(codes)

    await until(are_counted)


def scrape(running: RunningServer) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.metrics_port}/metrics") as answer:
        return str(answer.read().decode())
