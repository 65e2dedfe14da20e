"""Wraps all four kinds of gRPC handlers in one way.

grpc.aio calls a streaming handler either as an async generator or as a coroutine that writes to the context; our
servicers use the generator form only, and so do the wrappers here.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import grpc
import grpc.aio

# The stubs' generics do not exist at run time, hence the quotes.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]]
# (request or request iterator, context) to a response, or to an iterator of them.
Unary = Callable[[Any, Context], Awaitable[Any]]
Streaming = Callable[[Any, Context], AsyncIterator[Any]]

# Services that are open to probes and tooling.
_OPEN_PREFIXES = ("/grpc.health.", "/grpc.reflection.")


def is_open(method: str) -> bool:
    """Whether ``/package.Service/Method`` answers without credentials."""
    return method.startswith(_OPEN_PREFIXES)


def grpc_type(requests: bool, responses: bool) -> str:
    """``unary``, ``client_stream``, ``server_stream`` or ``bidi_stream``, as in grpc-ecosystem's metrics.

    Args:
        requests: whether a call has a stream of them.
        responses: the same of these.
    """
    if requests:
        return "bidi_stream" if responses else "client_stream"
    return "server_stream" if responses else "unary"


def behaviour(handler: Handler) -> Any:
    """The handler's one function."""
    return handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream


def text_metadata(context: Context) -> dict[str, str]:
    """What a call brings beside its request, by lower-case keys; binary values are left out."""
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def rebuild(handler: Handler, function: Any, deserializer: Any) -> Handler:
    """The same handler around another function, which takes what ``deserializer`` makes of a request's bytes."""
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[(bool(handler.request_streaming), bool(handler.response_streaming))]
    return make(function, deserializer, handler.response_serializer)


class Outcome:
    """The status that a call ends with, once the block of `of` is left."""

    code = grpc.StatusCode.OK

    @contextlib.contextmanager
    def of(self, context: Any) -> Iterator[None]:
        """The block answers the call."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self.code = grpc.StatusCode.CANCELLED
            raise
        except grpc.aio.AbortError:
            self.code = _code(context.code())
            raise
        except BaseException:
            self.code = grpc.StatusCode.UNKNOWN
            raise


def _code(code: grpc.StatusCode | int | None) -> grpc.StatusCode:
    """grpc.aio's context reports a number, 0 where nothing was set."""
    if isinstance(code, grpc.StatusCode):
        return code
    return next((status for status in grpc.StatusCode if status.value[0] == code), grpc.StatusCode.UNKNOWN)


class WrappingInterceptor(grpc.aio.ServerInterceptor):
    """Base of ours: a subclass wraps the unary and the streaming form of a handler.

    A method's handler is the same object at each call, so it is wrapped once.
    """

    @functools.cached_property
    def _wrapped(self) -> dict[str, tuple[Handler, Handler]]:
        """By method: the handler that came, and what became of it."""
        return {}

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Wrap the handler of one call; unknown methods pass through and answer UNIMPLEMENTED."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not self.applies(method):
            return handler
        before, wrapped = self._wrapped.get(method, (None, None))
        if wrapped is None or before is not handler:
            wrap = self.wrap_streaming if handler.response_streaming else self.wrap_unary
            wrapped = rebuild(handler, wrap(behaviour(handler), handler, method), self.deserializer(handler))
            self._wrapped[method] = handler, wrapped
        return wrapped

    def applies(self, method: str) -> bool:
        """Whether calls of ``/package.Service/Method`` are wrapped; default: all."""
        return True

    def deserializer(self, handler: Handler) -> Any:
        """What gRPC makes a request of before the wrapped function is called; None gives it the bytes."""
        return handler.request_deserializer

    @abstractmethod
    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Wrap a handler that answers once."""

    @abstractmethod
    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Wrap a handler that answers with a stream."""
