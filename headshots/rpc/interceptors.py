"""Does what every call to a server of ours needs, outermost first: metrics, errors, authentication.

Then come :mod:`headshots.rpc.parsing` and :mod:`headshots.rpc.validation`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry, Counter, Histogram

from headshots.errors import HeadshotsError, InternalError
from headshots.rpc.auth import Authenticator, bearer_token, id_of_key, set_current_caller
from headshots.rpc.handlers import Context, Handler, Streaming, Unary, WrappingInterceptor, grpc_type, is_open
from headshots.rpc.statuses import status_from_error

log = logging.getLogger(__name__)

_HANDLING_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


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

    @contextlib.contextmanager
    def _measured(self, handler: Handler, method: str, context: Any) -> Iterator[None]:
        _, service, name = method.split("/")
        labels = (service, name, grpc_type(handler))
        self._started.labels(*labels).inc()
        begin = time.perf_counter()
        code = grpc.StatusCode.OK
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            code = grpc.StatusCode.CANCELLED
            raise
        except grpc.aio.AbortError:
            code = _code(context.code())
            raise
        except BaseException:
            code = grpc.StatusCode.UNKNOWN
            raise
        finally:
            self._handled.labels(*labels, code.name).inc()
            self._seconds.labels(*labels, code.name).observe(time.perf_counter() - begin)

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


def _code(code: grpc.StatusCode | int | None) -> grpc.StatusCode:
    """grpc.aio's context reports a number, 0 where nothing was set."""
    if isinstance(code, grpc.StatusCode):
        return code
    return next((status for status in grpc.StatusCode if status.value[0] == code), grpc.StatusCode.UNKNOWN)


class ErrorInterceptor(WrappingInterceptor):
    """Turns :class:`HeadshotsError` into a rich status; anything else is logged and answers INTERNAL without detail."""

    @contextlib.asynccontextmanager
    async def _translated(self, method: str, context: Context) -> AsyncIterator[None]:
        try:
            yield
        except HeadshotsError as error:
            if isinstance(error, InternalError):
                log.exception("%s failed", method)
            await context.abort_with_status(rpc_status.to_status(status_from_error(error)))
        except grpc.aio.AbortError:
            raise
        except Exception:
            log.exception("%s failed", method)
            hidden = InternalError("INTERNAL", "the server met a defect of its own; its log has the traceback")
            await context.abort_with_status(rpc_status.to_status(status_from_error(hidden)))

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Translate what the handler raises."""

        async def call(request: Any, context: Context) -> Any:
            async with self._translated(method, context):
                return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Translate what the stream raises."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with (
                self._translated(method, context),
                contextlib.aclosing(inner(request, context)) as responses,  # type: ignore[type-var]
            ):
                async for response in responses:
                    yield response

        return call


class AuthInterceptor(WrappingInterceptor):
    """Asks the authenticator who calls; health and reflection stay open."""

    def __init__(self, authenticate: Authenticator) -> None:
        self._authenticate = authenticate

    def applies(self, method: str) -> bool:
        """All but health and reflection."""
        return not is_open(method)

    async def _identify(self, context: Context) -> None:
        pairs = context.invocation_metadata() or ()
        metadata = {key: value for key, value in pairs if isinstance(value, str)}
        tenant = await self._authenticate(metadata)
        set_current_caller(tenant, id_of_key(bearer_token(metadata)))

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Identify, then answer."""

        async def call(request: Any, context: Context) -> Any:
            await self._identify(context)
            return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Identify, then stream."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            await self._identify(context)
            async with contextlib.aclosing(inner(request, context)) as responses:  # type: ignore[type-var]
                async for response in responses:
                    yield response

        return call
