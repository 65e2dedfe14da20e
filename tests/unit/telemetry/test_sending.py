"""A collector that is away costs spans and nothing else, and is told of once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from headshots.telemetry import sending, spans
from headshots.telemetry.sending import Sender, TellingOnce
from headshots.telemetry.settings import SAMPLERS, TracingSettings
from tests.support.waiting import PATIENCE_SECONDS

SETTINGS = TracingSettings("http://collector:4317", "headshots-test")


class Collector(SpanExporter):
    """Takes spans, loses them, or does not answer at all until `answers` is set."""

    def __init__(self) -> None:
        self.taken: list[ReadableSpan] = []
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self.is_away = False
        self.was_shut = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        assert self.answers.wait(2 * PATIENCE_SECONDS)
        if self.is_away:
            logging.getLogger(sending._NOISY[0]).error("Failed to export: connection refused")
            return SpanExportResult.FAILURE
        self.taken += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.was_shut = True
        self.answers.set()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    spans.switch(None)
    collector.answers.set()


def test_what_is_left_is_sent_at_the_end(collector: Collector) -> None:
    sender = Sender(SETTINGS, collector)
    spans.switch(sender.tracing)
    with spans.span("one"):
        spans.span("two").end()
    sender.close()
    assert {span.name for span in collector.taken} == {"one", "two"}
    (resource,) = {span.resource for span in collector.taken}
    assert resource.attributes["service.name"] == "headshots-test"


def test_a_collector_that_hangs_holds_up_no_span_and_the_queue_is_bounded(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    collector.answers.clear()
    sender = Sender(SETTINGS, collector)
    spans.switch(sender.tracing)
    # Every one returns at once, while the collector has not answered for the first batch.
    for _ in range(4):
        spans.span("first").end()
    assert collector.asked.wait(PATIENCE_SECONDS)
    for _ in range(1000):
        spans.span("later").end()
    collector.answers.set()
    sender.close(PATIENCE_SECONDS)
    assert 0 < len(collector.taken) <= 4 + 8


def test_an_outage_is_told_once_and_so_is_its_end(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    telling = TellingOnce(collector, SETTINGS.endpoint)
    try:
        one = (ReadableSpan("one"),)
        assert telling.export(one) is SpanExportResult.SUCCESS
        collector.is_away = True
        for _ in range(3):
            assert telling.export(one) is SpanExportResult.FAILURE
        assert telling.is_losing
        collector.is_away = False
        telling.export(one)
        telling.export(one)
    finally:
        telling.close()
    away, back = [record.getMessage() for record in caplog.records]
    assert "http://collector:4317" in away
    assert "connection refused" in away
    assert "3 spans" in back


def test_a_process_that_ends_tells_of_no_lost_span_and_lets_the_sdk_speak_again(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    noisy = logging.getLogger(sending._NOISY[0])
    telling = TellingOnce(collector, SETTINGS.endpoint)
    noisy.error("while it sends")
    telling.close()
    collector.is_away = True
    assert telling.export((ReadableSpan("one"),)) is SpanExportResult.FAILURE
    noisy.error("afterwards")
    assert caplog.messages == ["Failed to export: connection refused", "afterwards"]


def test_the_sdk_does_not_wait_for_a_collector_when_python_ends(collector: Collector) -> None:
    sender = Sender(SETTINGS, collector)
    assert sender._provider._atexit_handler is None, "it would for half a minute; `close` knows when to stop"
    sender.close()


@pytest.mark.parametrize(("is_away", "waits"), [(True, 0.0), (False, 7.0)])
def test_no_time_is_spent_at_the_end_on_a_collector_that_is_known_to_be_away(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, is_away: bool, waits: float
) -> None:
    waited: list[float | None] = []

    class Thread(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            waited.append(timeout)
            super().join(timeout)

    sender = Sender(SETTINGS, collector)
    collector.is_away = is_away
    sender._exporter.export((ReadableSpan("first"),))
    monkeypatch.setattr(sending.threading, "Thread", Thread)
    sender.close(7.0)
    assert waited == [waits]
    assert collector.was_shut


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_of_the_standard_decides(collector: Collector, sampler: str) -> None:
    sender = Sender(TracingSettings("http://collector:4317", "test", sampler, 0.0), collector)
    spans.switch(sender.tracing)
    spans.span("root").end()
    kept = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    spans.span("child", parent=kept).end()
    sender.close()
    roots = ["root"] if sampler.endswith("always_on") else []
    children = ["child"] if sampler.startswith("parentbased") or sampler == "always_on" else []
    assert [span.name for span in collector.taken] == [*roots, *children]
