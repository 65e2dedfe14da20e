"""Every call has a request id, told to its caller, in its errors and in the log, a span, and an exemplar."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request
from typing import Any

import grpc.aio
import pytest

from headshots.rpc.server import RunningServer
from headshots.telemetry.logs import CALLS, JsonFormatter
from headshots.v1 import subjects_pb2, tenants_pb2, trainings_pb2
from tests.integration.rpc.conftest import KEY, failure
from tests.support.traces import recorded, span_id, trace_of
from tests.support.waiting import until

MINE = (("x-request-id", "order-7"),)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _of(trailers: Any) -> list[str]:
    return [value for key, value in trailers if key == "x-request-id"]


async def test_a_callers_id_comes_back_in_the_trailers(stub: Any) -> None:
    call = stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=(*KEY, *MINE))
    await call
    assert _of(await call.trailing_metadata()) == ["order-7"]


@pytest.mark.parametrize("sent", [(), (("x-request-id", "not an id"),)])
async def test_without_one_an_id_is_made(stub: Any, sent: Any) -> None:
    call = stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=(*KEY, *sent))
    await call
    (made,) = _of(await call.trailing_metadata())
    assert len(made) == 32


@pytest.mark.parametrize("name", ["subjects/x", "subjects/busy", "subjects/defect", "no name"])
async def test_an_error_tells_the_id_in_its_details_and_in_the_trailers(stub: Any, name: str) -> None:
    request = subjects_pb2.GetSubjectRequest(name=name)
    assert (await failure(stub.GetSubject(request, metadata=(*KEY, *MINE)))).request_id == "order-7"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetSubject(request, metadata=(*KEY, *MINE))
    assert _of(caught.value.trailing_metadata()) == ["order-7"]


async def test_a_refused_key_and_a_stream_that_fails_tell_it_too(stub: Any) -> None:
    assert (await failure(stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=MINE))).request_id == "order-7"
    request = trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/b")
    watch = stub.WatchTraining(request, metadata=(*KEY, *MINE))
    await watch.read()
    assert (await failure(watch.read())).request_id == "order-7"


async def test_a_call_is_a_span_of_its_callers_trace(stub: Any) -> None:
    tied = (*KEY, ("traceparent", PARENT))
    with recorded() as told:
        await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=tied)
        await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/x"), metadata=tied))
        await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/defect"), metadata=tied))
        # A caller has its answer before the server has written down what it did.
        await until(lambda: len(told.spans) == 3)
    ok, refused, defect = [(dict(span.attributes or {}), span.status.is_ok, span.status) for span in told.spans]
    assert {trace_of(span) for span in told.spans} == {PARENT.split("-")[1]}
    assert ok[0] == {
        "rpc.system": "grpc",
        "rpc.service": "headshots.v1.TenantService",
        "rpc.method": "GetTenant",
        "rpc.grpc.status_code": 0,
    }
    assert (refused[0]["rpc.grpc.status_code"], refused[2].is_unset) == (5, True), (
        "the caller's fault is no error of ours"
    )
    assert (defect[0]["rpc.grpc.status_code"], defect[2].description) == (13, "INTERNAL")


@pytest.mark.parametrize("sent", ["00-zz-1-01", "0" * 4000, f"cc{PARENT[2:]}-{'a' * 4000}"])
async def test_a_malformed_traceparent_begins_a_new_trace_and_no_line_of_the_log(
    stub: Any, caplog: pytest.LogCaptureFixture, sent: str
) -> None:
    with recorded() as told:
        await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=(*KEY, ("traceparent", sent)))
        await until(lambda: bool(told.spans))
    (span,) = told.spans
    assert span.parent is None
    assert not [record for record in caplog.records if "traceparent" in record.getMessage()]


async def test_a_line_in_the_log_tells_each_call_where_that_is_asked_for(
    stub: Any, caplog: pytest.LogCaptureFixture
) -> None:
    get = subjects_pb2.GetSubjectRequest(name="subjects/x")
    await failure(stub.GetSubject(get, metadata=KEY))
    assert not [record for record in caplog.records if record.name == CALLS], "off by default"
    caplog.set_level(logging.INFO, CALLS)
    # A call of before, whose line was not asked for, may end only now.
    before = len(caplog.records)
    await failure(stub.GetSubject(get, metadata=KEY))
    await until(lambda: len(caplog.records) > before)
    record = caplog.records[-1]
    assert record.name == CALLS
    line = json.loads(JsonFormatter().format(record))
    assert (line["method"], line["code"]) == ("headshots.v1.SubjectService/GetSubject", "NOT_FOUND")
    assert line["seconds"] >= 0
    assert "subjects/x" not in record.getMessage()


async def test_a_histogram_names_the_trace_of_a_call(running: RunningServer, stub: Any) -> None:
    await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=KEY)
    assert "# {" not in await asyncio.to_thread(_openmetrics, running), "traces are off"
    with recorded() as told:
        await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=KEY)
        await until(lambda: bool(told.spans))
    (span,) = told.spans
    exemplar = f'# {{span_id="{span_id(span)}",trace_id="{trace_of(span)}"}}'
    lines = [line for line in (await asyncio.to_thread(_openmetrics, running)).splitlines() if exemplar in line]
    assert len(lines) == 1
    assert lines[0].startswith("grpc_server_handling_seconds_bucket")


def _openmetrics(running: RunningServer) -> str:
    """As Prometheus asks."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{running.metrics_port}/metrics", headers={"Accept": "application/openmetrics-text"}
    )
    with urllib.request.urlopen(asked) as answer:
        return str(answer.read().decode())
