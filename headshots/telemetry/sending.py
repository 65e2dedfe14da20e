"""Sends spans to a collector, from a thread of its own: one that is away costs spans and nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import headshots
from headshots.telemetry.otel import OpenTelemetry
from headshots.telemetry.settings import TracingSettings

_LOG = logging.getLogger(__name__)
CLOSE_SECONDS = 2.0
"""Within which the last spans have to be sent when a process ends."""
# What the SDK says of each batch and of each span for which its queue has no room.
_NOISY = ("opentelemetry.exporter.otlp.proto.grpc.exporter", "opentelemetry.sdk._shared_internal")


class Sender:
    """Makes spans and sends them. At most OTEL_BSP_MAX_QUEUE_SIZE (2048) wait; what comes on top is dropped."""

    def __init__(self, settings: TracingSettings, exporter: SpanExporter | None = None) -> None:
        """``exporter``: None sends to the collector of ``settings``, with headers, certificates and limits by
        OpenTelemetry's other variables, which its SDK reads here."""
        resource = Resource.create({"service.name": settings.service_name, "service.version": headshots.__version__})
        # We end it ourselves, in time; the SDK's own way at exit would wait half a minute for a collector that is away.
        self._provider = TracerProvider(_sampler(settings), resource, shutdown_on_exit=False)
        # Where no scheme is given the SDK would take TLS, but with OTEL_EXPORTER_OTLP_INSECURE; that stays so.
        self._exporter = TellingOnce(exporter or OTLPSpanExporter(endpoint=settings.endpoint), settings.endpoint)
        try:
            self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        except ValueError:  # one of OTEL_BSP_…
            self._exporter.close()
            raise
        self.tracing = OpenTelemetry(self._provider.get_tracer("headshots", headshots.__version__))

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Sends what is left, as far as there is time; none is spent on a collector that is known to be away."""
        closing = threading.Thread(target=self._provider.shutdown, name="spans-close", daemon=True)
        closing.start()
        closing.join(0.0 if self._exporter.is_losing else seconds)
        self._exporter.close()


def _sampler(settings: TracingSettings) -> sampling.Sampler:
    kind = settings.sampler.removeprefix("parentbased_")
    roots = {"always_on": sampling.ALWAYS_ON, "always_off": sampling.ALWAYS_OFF}
    root = roots.get(kind) or sampling.TraceIdRatioBased(settings.ratio)
    return sampling.ParentBased(root) if settings.sampler != kind else root


class TellingOnce(SpanExporter):
    """Tells when spans begin to be lost, and when they arrive again, instead of each batch that is."""

    def __init__(self, inner: SpanExporter, endpoint: str) -> None:
        self._inner, self._endpoint = inner, endpoint
        self._lost = 0
        self._is_closed = False
        self._hushed = _Hushed()
        for name in _NOISY:
            logging.getLogger(name).addFilter(self._hushed)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends a batch, in the SDK's thread."""
        result = self._inner.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._lost and not self._is_closed:
                _LOG.warning(
                    "traces do not reach the collector at %s and are dropped until they do; nothing waits for them: %s",
                    self._endpoint,
                    self._hushed.last or "it gave no reason",
                )
            self._lost += len(spans)
        elif self._lost:
            _LOG.info("traces reach the collector again; %d spans or more were dropped", self._lost)
            self._lost = 0
        return result

    @property
    def is_losing(self) -> bool:
        """Whether the newest batch was lost."""
        return self._lost > 0

    def close(self) -> None:
        """Ends what is being sent."""
        if not self._is_closed:
            self._is_closed = True
            self._inner.shutdown()
            for name in _NOISY:
                logging.getLogger(name).removeFilter(self._hushed)

    def shutdown(self) -> None:
        """For the SDK."""
        self.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """For the SDK."""
        return self._inner.force_flush(timeout_millis)


class _Hushed(logging.Filter):
    """Keeps the newest line of a logger, and has none printed."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """False."""
        self.last = record.getMessage()
        return False
