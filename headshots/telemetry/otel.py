"""Makes spans with OpenTelemetry. Besides `sending`, which sends them, nothing of ours imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import Self

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from headshots.errors import HeadshotsError
from headshots.telemetry.spans import ATTRIBUTES, Kind, Span, Value

_KINDS = {Kind.INTERNAL: SpanKind.INTERNAL, Kind.SERVER: SpanKind.SERVER, Kind.CLIENT: SpanKind.CLIENT}
_HEADER = "traceparent"
_LONGEST = 256
"""Characters of a traceparent. Of today's version it has 55; later ones may append to it."""
_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetrySpan:
    """`spans.Span` around one of OpenTelemetry's."""

    def __init__(self, inner: trace.Span) -> None:
        self.inner = inner
        self._token: Token[Context] | None = None

    @property
    def traceparent(self) -> str:
        """See `Span`."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(self.inner))
        return carrier.get(_HEADER, "")

    @property
    def exemplar(self) -> dict[str, str] | None:
        """See `Span`."""
        ids = self.inner.get_span_context()
        if not ids.is_valid or not ids.trace_flags.sampled:
            return None
        return {"trace_id": trace.format_trace_id(ids.trace_id), "span_id": trace.format_span_id(ids.span_id)}

    def set(self, **attributes: Value) -> None:
        """See `Span`."""
        for name, value in attributes.items():
            self.inner.set_attribute(ATTRIBUTES[name], value)

    def link(self, other: Span) -> None:
        """See `Span`."""
        if isinstance(other, OpenTelemetrySpan):
            self.inner.add_link(other.inner.get_span_context())

    def fail(self, error: BaseException | str) -> None:
        """See `Span`."""
        reason = error if isinstance(error, str) else type(error).__name__
        if isinstance(error, HeadshotsError):
            reason = error.reason
        self.set(error=reason)
        self.inner.set_status(Status(StatusCode.ERROR, reason))

    def enter(self) -> Token[Context]:
        """See `Span`."""
        return contexts.attach(trace.set_span_in_context(self.inner))

    def leave(self, token: Token[Context]) -> None:
        """See `Span`."""
        contexts.detach(token)

    def end(self) -> None:
        """See `Span`."""
        self.inner.end()

    def __enter__(self) -> Self:
        self._token = self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traced: TracebackType | None
    ) -> None:
        assert self._token is not None
        self.leave(self._token)
        # Who is cancelled has not failed.
        if isinstance(error, Exception):
            self.fail(error)
        self.end()


class OpenTelemetry:
    """`spans.Tracing`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start(
        self,
        name: str,
        kind: Kind,
        parent: Span | str | None,
        links: Sequence[Span],
        since: float | None,
        attributes: Mapping[str, Value],
    ) -> OpenTelemetrySpan:
        """See `spans.span`."""
        inner = self._tracer.start_span(
            name,
            _context(parent),
            _KINDS[kind],
            {ATTRIBUTES[key]: value for key, value in attributes.items()},
            [Link(each.inner.get_span_context()) for each in links if isinstance(each, OpenTelemetrySpan)],
            start_time=None if since is None else int(since * 1e9),
        )
        return OpenTelemetrySpan(inner)

    def current(self) -> OpenTelemetrySpan:
        """See `spans.current`."""
        return OpenTelemetrySpan(trace.get_current_span())

    def remote(self, traceparent: str) -> OpenTelemetrySpan:
        """See `spans.remote`."""
        return OpenTelemetrySpan(trace.get_current_span(_context(traceparent)))


def _context(parent: Span | str | None) -> Context | None:
    """What a span begins in; None: where this task or thread is."""
    if isinstance(parent, OpenTelemetrySpan):
        return trace.set_span_in_context(parent.inner, Context())
    if parent is None:
        return None
    # Nothing of a span that is none, or of a traceparent that is empty or malformed: a new trace. Of a long one the SDK
    # would write a line, and strangers can send any number.
    carrier = {_HEADER: parent} if isinstance(parent, str) and len(parent) <= _LONGEST else {}
    return _PROPAGATOR.extract(carrier, Context())


def global_tracer() -> Tracer:
    """The tracer of the program that we are a library of."""
    return trace.get_tracer("headshots")
