"""Calls of the SDK are part of the traces of the program that makes them, where it traces."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from headshots.client import AsyncHeadshots
from headshots.errors import NotFoundError
from headshots.telemetry import calls, otel
from tests.support.consents import CONSENT
from tests.support.gateway.caller import selfie
from tests.support.traces import recorded
from tests.support.waiting import until


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """A program with an OpenTelemetry of its own; what it is told."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(otel, "global_tracer", lambda: provider.get_tracer("program"))
    yield exporter
    provider.shutdown()


async def test_the_programs_own_spans_have_our_calls(client: AsyncHeadshots, program: InMemorySpanExporter) -> None:
    with trace.use_span(trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)):
        subject = await client.create_subject(consent=CONSENT)
        await client.upload_photos(subject, [selfie(1)])
        _ = [each async for each in client.list_photos(subject)]
        with pytest.raises(NotFoundError) as caught:
            await client.get_subject("subjects/nobody")
    assert caught.value.request_id, "whoever reports an error can say which call it was"
    spans = program.get_finished_spans()
    assert [(span.name.rpartition("/")[2], (span.attributes or {})["rpc.grpc.status_code"]) for span in spans] == [
        ("CreateSubject", 0),
        ("UploadPhotos", 0),
        ("ListPhotos", 0),
        ("GetSubject", 5),
    ]
    assert all(span.kind is trace.SpanKind.CLIENT for span in spans)


async def test_the_server_goes_on_with_the_clients_trace(client: AsyncHeadshots) -> None:
    with recorded() as told:
        subject = await client.create_subject(consent=CONSENT)
        await client.upload_photos(subject, [selfie(1)])
        # A caller has its answer before the server has written down what it did.
        await until(lambda: len(told.spans) == 4)
    roots = [span for span in told.spans if span.parent is None]
    assert [told.tree(root) for root in roots] == [{"CreateSubject": {}}, {"UploadPhotos": {}}]


def test_a_program_without_opentelemetry_pays_for_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    assert calls.adopted() is None
