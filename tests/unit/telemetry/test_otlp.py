"""Spans arrive at a real OTLP port; where nobody listens, the process ends in time and has told why."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from headshots.errors import InvalidArgumentError
from headshots.telemetry import spans
from headshots.telemetry.settings import TelemetrySettings
from headshots.telemetry.starting import tracing
from tests.support.ports import free_port


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.headers: dict[str, str] = {}

    def Export(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        self.headers |= dict(context.invocation_metadata())
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector, f"http://127.0.0.1:{port}"
    server.stop(0)


def test_spans_arrive_with_the_services_name_and_the_operators_headers(
    collector: tuple[Collector, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, endpoint = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=studio")
    settings = TelemetrySettings.from_environment("generator", {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    with tracing(settings.tracing), spans.span("outer"):
        spans.span("inner", rows=2).end()
    (resource,) = [each for request in kept.requests for each in request.resource_spans]
    names = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert names["service.name"] == "headshots-generator"
    sent = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert sent["inner"].parent_span_id == sent["outer"].span_id
    assert kept.headers["x-tenant"] == "studio"


def test_nobody_listens(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK tries again for so long before a batch is lost.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    endpoint = f"http://127.0.0.1:{free_port()}"
    settings = TelemetrySettings.from_environment("generator", {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    caplog.set_level(logging.INFO)
    with tracing(settings.tracing):
        spans.span("lost").end()
    (told,) = [
        record.getMessage() for record in caplog.records if "opentelemetry" in record.name or "telemetry" in record.name
    ]
    assert endpoint in told
    assert "Failed to export" in told
    assert not spans.is_on()


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip")]
)
def test_a_variable_that_the_sdk_refuses_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    settings = TelemetrySettings.from_environment("generator", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    with pytest.raises(InvalidArgumentError, match=value) as caught, tracing(settings.tracing):
        raise AssertionError("it started")
    assert caught.value.reason == "SETTING_INVALID"
    assert not spans.is_on()


class Refusing(types.ModuleType):
    """A module of the SDK that reads a variable when it is imported."""

    def __getattr__(self, name: str) -> object:
        raise ValueError("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT must be a non-negative integer but got -1")


def test_a_variable_that_the_sdk_refuses_when_it_is_imported_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "headshots.telemetry.sending", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", Refusing("opentelemetry.sdk.trace"))
    settings = TelemetrySettings.from_environment("generator", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    with pytest.raises(InvalidArgumentError, match="COUNT_LIMIT") as caught, tracing(settings.tracing):
        raise AssertionError("it started")
    assert caught.value.reason == "SETTING_INVALID"
