"""Counts and times the calls to a server of ours, as grpc-ecosystem's metrics do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pool
from prometheus_client import CollectorRegistry, Counter, Histogram

from headshots.rpc.handlers import (
    Context,
    Handler,
    Outcome,
    Streaming,
    Unary,
    WrappingInterceptor,
    grpc_type,
)
from headshots.telemetry.exemplars import observe

_HANDLING_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
# Those that the rules of deploy/prometheus/slo.yaml take for our fault, and what they are a share of.
_CODES_FROM_THE_START = ("OK", "UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")


class MetricsInterceptor(WrappingInterceptor):
    """``grpc_server_started_total``, ``_handled_total`` and ``_handling_seconds`` with grpc-ecosystem's labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("grpc_service", "grpc_method", "grpc_type")
        self._started = Counter("grpc_server_started", "RPCs started on the server.", labels, registry=registry)
        self._handled = Counter(
            "grpc_server_handled", "RPCs completed on the server.", (*labels, "grpc_code"), registry=registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "Seconds from start to completion of RPCs.",
            (*labels, "grpc_code"),
            registry=registry,
            buckets=_HANDLING_BUCKETS,
        )

    def count_from_zero(self, services: Iterable[str]) -> None:
        """Make the counters of all calls of services, by full names: ``rate`` does not see a series' first value."""
        for service in services:
            for method in descriptor_pool.Default().FindServiceByName(service).methods:
                labels = (service, method.name, grpc_type(method.client_streaming, method.server_streaming))
                self._started.labels(*labels)
                for code in _CODES_FROM_THE_START:
                    self._handled.labels(*labels, code)

    @contextlib.contextmanager
    def _measured(self, handler: Handler, method: str, context: Any) -> Iterator[None]:
        _, service, name = method.split("/")
        labels = (service, name, grpc_type(handler.request_streaming, handler.response_streaming))
        self._started.labels(*labels).inc()
        begin = time.perf_counter()
        outcome = Outcome()
        try:
            with outcome.of(context):
                yield
        finally:
            self._handled.labels(*labels, outcome.code.name).inc()
            observe(self._seconds.labels(*labels, outcome.code.name), time.perf_counter() - begin)

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Count and time one answer."""

        async def call(request: Any, context: Context) -> Any:
            with self._measured(handler, method, context):
                return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Count and time a stream from its first to its last message."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            with self._measured(handler, method, context):
                async with contextlib.aclosing(inner(request, context)) as responses:  # type: ignore[type-var]
                    async for response in responses:
                        yield response

        return call
