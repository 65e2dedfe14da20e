"""Does what every call to a server of ours needs, outermost first: traces and logs, metrics, errors, authentication.

Then come :mod:`headshots.rpc.parsing` and :mod:`headshots.rpc.validation`.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio
from grpc_status import rpc_status

from headshots.errors import HeadshotsError, InternalError
from headshots.rpc.auth import Authenticator, bearer_token, id_of_key, set_current_caller
from headshots.rpc.handlers import (
    Context,
    Handler,
    Outcome,
    Streaming,
    Unary,
    WrappingInterceptor,
    is_open,
    text_metadata,
)
from headshots.rpc.statuses import status_from_error
from headshots.telemetry import spans
from headshots.telemetry.logs import CALLS
from headshots.telemetry.origins import REQUEST_ID, TRACEPARENT, accepted_request_id, request_id, set_request_id

log = logging.getLogger(__name__)
_calls = logging.getLogger(CALLS)


class CallInterceptor(WrappingInterceptor):
    """Ties all that is done for a call to it by a request id, told in its trailers, and a span; may log a line of it.

    Health and reflection are left out.
    """

    def applies(self, method: str) -> bool:
        """All but health and reflection."""
        return not is_open(method)

    @contextlib.contextmanager
    def _told(self, method: str, context: Context) -> Iterator[None]:
        metadata = text_metadata(context)
        set_request_id(accepted_request_id(metadata.get(REQUEST_ID, "")))
        context.set_trailing_metadata(((REQUEST_ID, request_id()),))
        _, service, name = method.split("/")
        span = spans.span(
            method[1:],
            kind=spans.Kind.SERVER,
            parent=metadata.get(TRACEPARENT, ""),
            system="grpc",
            service=service,
            method=name,
        )
        # Never left: gRPC runs each call in a task of its own, and may end this generator in another one.
        span.enter()
        begin = time.perf_counter()
        outcome = Outcome()
        try:
            with outcome.of(context):
                yield
        finally:
            span.set(code=outcome.code.value[0])
            if outcome.code in _OUR_FAULTS:
                span.fail(outcome.code.name)
            span.end()
            if _calls.isEnabledFor(logging.INFO):
                seconds = round(time.perf_counter() - begin, 6)
                told = {"method": method[1:], "code": outcome.code.name, "seconds": seconds}
                _calls.info("%s %s in %.3f s", method[1:], outcome.code.name, seconds, extra=told)

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Tell of one answer."""

        async def call(request: Any, context: Context) -> Any:
            with self._told(method, context):
                return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Tell of a stream once it has ended."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            with self._told(method, context):
                async with contextlib.aclosing(inner(request, context)) as responses:  # type: ignore[type-var]
                    async for response in responses:
                        yield response

        return call


# By OpenTelemetry's conventions only these are errors of a server; all else is the caller's.
_OUR_FAULTS = (
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
)


class ErrorInterceptor(WrappingInterceptor):
    """Turns :class:`HeadshotsError` into a rich status; anything else is logged and answers INTERNAL without detail."""

    @contextlib.asynccontextmanager
    async def _translated(self, method: str, context: Context) -> AsyncIterator[None]:
        try:
            yield
        except HeadshotsError as error:
            if isinstance(error, InternalError):
                log.exception("%s failed", method)
            await _abort(context, error)
        except grpc.aio.AbortError:
            raise
        except Exception:
            log.exception("%s failed", method)
            hidden = InternalError("INTERNAL", "the server met a defect of its own; its log has the traceback")
            await _abort(context, hidden)

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


async def _abort(context: Context, error: HeadshotsError) -> None:
    status = rpc_status.to_status(status_from_error(error, request_id()))
    # Trailers that were set before are lost with an abort that brings its own.
    trailers = (*status.trailing_metadata, (REQUEST_ID, request_id())) if request_id() else status.trailing_metadata
    await context.abort_with_status(status._replace(trailing_metadata=trailers))


class AuthInterceptor(WrappingInterceptor):
    """Asks the authenticator who calls; health and reflection stay open."""

    def __init__(self, authenticate: Authenticator) -> None:
        self._authenticate = authenticate

    def applies(self, method: str) -> bool:
        """All but health and reflection."""
        return not is_open(method)

    async def _identify(self, context: Context) -> None:
        metadata = text_metadata(context)
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
