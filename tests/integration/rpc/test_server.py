"""The server frame through real gRPC: errors, constraints, authentication, metrics, health and reflection."""

from __future__ import annotations

import asyncio
import logging
import re
import urllib.request
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from headshots.client.stub import GatewayStub
from headshots.errors import (
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from headshots.rpc.auth import bearer_token, current_tenant
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
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


async def test_a_raised_error_arrives_as_the_same_class_with_its_reason(stub: Any) -> None:
    error = await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/x"), metadata=KEY))
    assert isinstance(error, NotFoundError)
    assert (error.reason, error.message, error.metadata) == (
        "SUBJECT_NOT_FOUND",
        "no subjects/x",
        {"name": "subjects/x"},
    )


async def test_retry_after_survives_the_wire(stub: Any) -> None:
    error = await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/busy"), metadata=KEY))
    assert isinstance(error, ResourceExhaustedError)
    assert error.retry_after_seconds == 1.5


async def test_a_defect_tells_the_caller_nothing_of_the_inside(stub: Any, caplog: pytest.LogCaptureFixture) -> None:
    error = await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/defect"), metadata=KEY))
    assert isinstance(error, InternalError)
    assert "secret detail" not in error.message
    assert "secret detail" in caplog.text


async def test_constraints_name_each_bad_field(stub: Any) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent="people/x", styles=["styles/a", "office"], shots_per_style=65)
    error = await failure(stub.CreateGallery(request, metadata=KEY))
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "CONSTRAINT_VIOLATED"
    assert {violation.field for violation in error.violations} == {"parent", "styles[1]", "shots_per_style"}


async def test_sixty_bad_names_keep_their_reason_and_tell_how_many_more_there_are(stub: Any) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent="subjects/x", styles=[f"Bad name {n}" for n in range(60)])
    error = await failure(stub.CreateGallery(request, metadata=KEY))
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "CONSTRAINT_VIOLATED"
    # One more for their number.
    assert len(error.violations) + int(error.metadata["violations_left_out"]) == 61
    assert len(error.violations) > 10
    assert "styles[0]" in {violation.field for violation in error.violations}
    assert error.message.endswith("; and 56 more")


async def test_of_a_large_message_the_first_violation_is_enough(stub: Any) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent="subjects/x", styles=["B" * 60 for n in range(2000)])
    error = await failure(stub.CreateGallery(request, metadata=KEY))
    assert (error.reason, len(error.violations)) == ("CONSTRAINT_VIOLATED", 1)


async def test_constraints_hold_within_a_client_stream(stub: Any) -> None:
    async def messages() -> AsyncIterator[photos_pb2.UploadPhotosRequest]:
        yield photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent="subjects/a"))
        yield photos_pb2.UploadPhotosRequest(photo=photos_pb2.PhotoStart(size_bytes=0))

    error = await failure(stub.UploadPhotos(messages(), metadata=KEY))
    assert isinstance(error, InvalidArgumentError)
    assert error.violations[0].field == "photo.size_bytes"


async def test_a_message_above_the_limit_is_refused(stub: Any) -> None:
    async def messages() -> AsyncIterator[photos_pb2.UploadPhotosRequest]:
        yield photos_pb2.UploadPhotosRequest(chunk=b"x" * (3 * 2**20))

    error = await failure(stub.UploadPhotos(messages(), metadata=KEY))
    assert isinstance(error, ResourceExhaustedError)
    assert error.reason == "MESSAGE_TOO_LARGE"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [((), "API_KEY_MISSING"), ((("authorization", "Bearer hs_bad"),), "API_KEY_UNKNOWN")],
)
async def test_a_missing_or_wrong_key_is_refused_on_every_kind_of_call(stub: Any, metadata: Any, reason: str) -> None:
    name = "subjects/a/trainings/b"
    watch = stub.WatchTraining(trainings_pb2.WatchTrainingRequest(name=name), metadata=metadata)
    for call in (stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=metadata), watch.read()):
        error = await failure(call)
        assert isinstance(error, UnauthenticatedError)
        assert error.reason == reason


async def test_the_tenant_reaches_unary_and_streaming_handlers(stub: Any) -> None:
    answer = await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=(("x-api-key", "hs_good"),))
    assert answer.tenant.name == "tenants/acme"
    watch = stub.WatchTraining(trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/b"), metadata=KEY)
    assert (await watch.read()).training.name == "acme"
    assert (await failure(watch.read())).reason == "TRAINING_NOT_FOUND"


# No end of a length, a wrong wire type, an end of a group, no UTF-8 in a string, and a length beyond the message.
GARBAGE = [b"\xff" * 20, b"\x0f", b"\x0c", b"\x0a\x02\xff\xfe", b"\x0a\x7fshort"]
UNARY = "/headshots.v1.SubjectService/GetSubject"
SERVER_STREAM = "/headshots.v1.TrainingService/WatchTraining"
CLIENT_STREAM = "/headshots.v1.PhotoService/UploadPhotos"


async def raw_failure(channel: grpc.aio.Channel, method: str, data: bytes, metadata: Any) -> Any:
    """What a call with these bytes as its only message fails with."""
    if method == CLIENT_STREAM:

        async def messages() -> AsyncIterator[bytes]:
            yield data

        return await failure(channel.stream_unary(method)(messages(), metadata=metadata))
    if method == SERVER_STREAM:
        return await failure(channel.unary_stream(method)(data, metadata=metadata).read())
    return await failure(channel.unary_unary(method)(data, metadata=metadata))


@pytest.mark.parametrize("method", [UNARY, SERVER_STREAM, CLIENT_STREAM])
@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
async def test_bytes_that_are_no_message_are_told_counted_and_one_line_of_the_log(
    running: RunningServer, method: str, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        error = await raw_failure(channel, method, data, KEY)
        stranger = await raw_failure(channel, method, data, ())
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "MESSAGE_MALFORMED"
    assert isinstance(stranger, UnauthenticatedError)
    await until_counted(running, method, {"INVALID_ARGUMENT": 1, "UNAUTHENTICATED": 1})
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(method in record.getMessage(), record.exc_info) for record in warned] == [(True, None)]


async def test_health_answers_garbage_as_every_call_does(running: RunningServer) -> None:
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        error = await raw_failure(channel, "/grpc.health.v1.Health/Check", b"\xff", ())
    assert error.reason == "MESSAGE_MALFORMED"


async def until_counted(running: RunningServer, method: str, codes: Mapping[str, int]) -> None:
    """Wait until exactly so many calls of a method are counted as handled, by code."""
    _, service, name = method.split("/")
    labels = re.compile(rf'grpc_server_handled_total{{grpc_code="(\w+)",grpc_method="{name}",grpc_service="{service}"')

    async def are_counted() -> bool:
        lines = (await asyncio.to_thread(scrape, running)).splitlines()
        found = {match[1]: float(line.split()[-1]) for line in lines if (match := labels.match(line))}
        return found == dict(codes)

    await until(are_counted)


def scrape(running: RunningServer) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.metrics_port}/metrics") as answer:
        return str(answer.read().decode())


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
