"""Records the spans of this process, as a collector would get them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_span_id, format_trace_id

from headshots.telemetry import spans
from headshots.telemetry.otel import OpenTelemetry

Tree = dict[str, "Tree"]


class Recorded:
    """Spans that have ended."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All of them, in the order of their ends."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        """Those whose name ends so."""
        return [span for span in self.spans if span.name.endswith(name)]

    def trace(self, trace_id: str) -> list[ReadableSpan]:
        """Those of a trace."""
        return [span for span in self.spans if trace_of(span) == trace_id]

    def tree(self, root: ReadableSpan) -> Tree:
        """The names of what is part of a span, each once, with what is part of those."""
        children: dict[str, Tree] = {}
        for span in self.trace(trace_of(root)):
            if span.parent is not None and span.parent.span_id == root.get_span_context().span_id:
                _merge(children.setdefault(short(span.name), {}), self.tree(span))
        return children


def _merge(tree: Tree, other: Tree) -> None:
    """Adds a tree to another, at every depth: of two alike, as two shots, one may have what they share."""
    for name, children in other.items():
        _merge(tree.setdefault(name, {}), children)


def short(name: str) -> str:
    """A span's name without the service."""
    return name.rpartition("/")[2]


def trace_of(span: ReadableSpan) -> str:
    """The id of its trace, 32 hex digits."""
    return format_trace_id(span.get_span_context().trace_id)


def span_id(span: ReadableSpan) -> str:
    """Its id, 16 hex digits."""
    return format_span_id(span.get_span_context().span_id)


@contextlib.contextmanager
def recorded() -> Iterator[Recorded]:
    """Traces are on in the block."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.switch(OpenTelemetry(provider.get_tracer("headshots")))
    try:
        yield Recorded(exporter)
    finally:
        spans.switch(None)
        provider.shutdown()
