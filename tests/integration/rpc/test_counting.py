"""A server counts its calls, tells its health, and says why it cannot be reached."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from headshots.client.stub import GatewayStub
from headshots.errors import (
    UnavailableError,
)
from headshots.rpc.channel import open_channel
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from tests.integration.rpc.conftest import KEY, Servicer, failure, scrape
from tests.support.paths import ROOT
from tests.support.waiting import until


async def test_metrics_count_every_kind_of_call_with_its_code(running: RunningServer, stub: Any) -> None:
    await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=KEY)
    await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/x"), metadata=KEY))

    async def messages() -> AsyncIterator[photos_pb2.UploadPhotosRequest]:
        yield photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent="subjects/a"))

    await stub.UploadPhotos(messages(), metadata=KEY)
    endless = stub.WatchTraining(trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/endless"), metadata=KEY)
    await endless.read()
    endless.cancel()
    wanted = [
        ("TenantService", "GetTenant", "unary", "OK"),
        ("SubjectService", "GetSubject", "unary", "NOT_FOUND"),
        ("PhotoService", "UploadPhotos", "client_stream", "OK"),
        ("TrainingService", "WatchTraining", "server_stream", "CANCELLED"),
    ]
    lines = {
        f'grpc_server_handled_total{{grpc_code="{code}",grpc_method="{method}",'
        f'grpc_service="headshots.v1.{service}",grpc_type="{kind}"}} 1.0'
        for service, method, kind, code in wanted
    }

    async def are_counted() -> bool:
        text = await asyncio.to_thread(scrape, running)
        return all(line in text for line in lines)

    # A call is counted a moment after the client has its answer, or has let go of it.
    await until(are_counted)
    text = await asyncio.to_thread(scrape, running)
    assert 'grpc_server_handling_seconds_count{grpc_code="OK",grpc_method="GetTenant"' in text
    assert 'grpc_server_started_total{grpc_method="WatchTraining"' in text


async def test_calls_are_counted_from_zero_by_the_codes_that_the_objectives_name(running: RunningServer) -> None:
    rules = (ROOT / "deploy/prometheus/slo.yaml").read_text()
    (faults,) = set(re.findall(r'grpc_code=~"([A-Z_|]+)"', rules))
    lines = (await asyncio.to_thread(scrape, running)).splitlines()
    for code in ("OK", *faults.split("|")):
        for service, method, kind in (
            ("TenantService", "GetTenant", "unary"),
            ("PhotoService", "UploadPhotos", "client_stream"),
            ("TrainingService", "WatchTraining", "server_stream"),
        ):
            labels = f'grpc_method="{method}",grpc_service="headshots.v1.{service}",grpc_type="{kind}"'
            assert f'grpc_server_handled_total{{grpc_code="{code}",{labels}}} 0.0' in lines
            assert f"grpc_server_started_total{{{labels}}} 0.0" in lines


async def test_health_and_reflection_need_no_key(running: RunningServer) -> None:
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="headshots.v1.TenantService")
        assert (await health.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
        await running.set_serving(False)
        assert (await health.Check(request)).status == health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("kind", ["port", "metrics_port"])
async def test_a_taken_port_is_a_clear_error(
    running: RunningServer, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = replace(ServerSettings(prefix="HEADSHOTS_X_"), **{kind: getattr(running, kind)})
    with pytest.raises(UnavailableError) as caught:
        await start_server(Servicer().register, settings, registry=CollectorRegistry())
    assert caught.value.reason == "ADDRESS_IN_USE"
    assert f"127.0.0.1:{getattr(running, kind)}: " in caught.value.message
    assert caught.value.message.endswith(f"with HEADSHOTS_X_{kind.upper()}")
    assert "add_port" not in capfd.readouterr().err, "gRPC's own words"


async def test_no_server_is_a_clear_error() -> None:
    async with open_channel("127.0.0.1:1", options={"grpc.enable_retries": 0}) as channel:
        stub = GatewayStub(channel)
        error = await failure(stub.GetTenant(tenants_pb2.GetTenantRequest()))  # type: ignore[arg-type]
        assert isinstance(error, UnavailableError)
        assert error.reason == "SERVER_UNREACHABLE"
