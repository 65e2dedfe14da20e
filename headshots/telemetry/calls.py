"""Ties a call of ours to the work that it is made for: its metadata, and the client's span of it."""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Iterator, Sequence

import grpc
import grpc.aio

from headshots.telemetry import spans
from headshots.telemetry.origins import REQUEST_ID, TRACEPARENT, request_id
from headshots.telemetry.spans import Kind, Span, Tracing

Metadata = Sequence[tuple[str, str]]


@contextlib.contextmanager
def calling(method: str, metadata: Metadata, tracing: Tracing | None = None) -> Iterator[Metadata]:
    """The metadata of a call of ``package.Service/Method``, with what ties it to ours; the block is its span.

    The span is not what others become part of: the block may be a generator's, whose caller does something else between
    two messages. ``tracing``: makes it; None: what the process was switched to.
    """
    service, _, name = method.rpartition("/")
    span = spans.span(method, kind=Kind.CLIENT, tracing=tracing, system="grpc", service=service, method=name)
    try:
        yield [*metadata, *_ties(span)]
    except BaseException as error:
        _note(span, error)
        raise
    else:
        span.set(code=0)
    finally:
        span.end()


def _ties(span: Span) -> Iterator[tuple[str, str]]:
    if request_id():
        yield REQUEST_ID, request_id()
    if span.traceparent:
        yield TRACEPARENT, span.traceparent


def _note(span: Span, error: BaseException) -> None:
    """How it ended. Whoever leaves, as a watcher does, has not failed."""
    # Of grpc.aio as of the blocking stack; of other errors no status is known.
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call | grpc.aio.AioRpcError):
        span.set(code=error.code().value[0])
    if isinstance(error, Exception):
        span.fail(error)


def untraced(metadata: Metadata) -> Metadata:
    """The metadata of a call that is for nobody's order, as a poll: its server keeps no span of it.

    By W3C's flag, which samplers with a parent follow.
    """
    if not spans.is_on():
        return metadata
    return [*metadata, (TRACEPARENT, f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00")]


def adopted() -> Tracing | None:
    """What makes the spans of a client within somebody else's program.

    That is the process's own where it has one, and else the program's OpenTelemetry where it has imported it; a program
    that has not pays for no import.
    """
    if spans.is_on() or "opentelemetry.trace" not in sys.modules:
        return None
    from headshots.telemetry.otel import OpenTelemetry, global_tracer

    return OpenTelemetry(global_tracer())
