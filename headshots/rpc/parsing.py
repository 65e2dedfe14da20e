"""Turns the bytes of requests into messages within the interceptors: what is none is told, counted and logged."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.message import DecodeError

from headshots.errors import InvalidArgumentError
from headshots.rpc.handlers import Context, Handler, Streaming, Unary, WrappingInterceptor

log = logging.getLogger(__name__)


class ParsingInterceptor(WrappingInterceptor):
    """Parses every request instead of gRPC.

    gRPC would parse outside all interceptors, before anybody asked for a key, and answer UNKNOWN with a traceback in
    the log. Within AuthInterceptor the bytes of strangers are not looked at.
    """

    def deserializer(self, handler: Handler) -> Any:
        """None: the bytes as they came."""
        return None

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Parse, then answer."""

        async def call(request: Any, context: Context) -> Any:
            return await inner(_parsed(request, handler, method), context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Parse, then stream."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            responses = inner(_parsed(request, handler, method), context)
            async with contextlib.aclosing(responses):  # type: ignore[type-var]
                async for response in responses:
                    yield response

        return call


def _parsed(request: Any, handler: Handler, method: str) -> Any:
    """The message, or the iterator of messages."""
    if handler.request_streaming:
        return _parsed_stream(request, handler, method)
    return _parse(request, handler, method)


async def _parsed_stream(requests: AsyncIterator[bytes], handler: Handler, method: str) -> AsyncIterator[Any]:
    async for request in requests:
        yield _parse(request, handler, method)


def _parse(request: bytes, handler: Handler, method: str) -> Any:
    """One message.

    Raises:
        InvalidArgumentError: MESSAGE_MALFORMED.
    """
    parse = handler.request_deserializer
    assert parse is not None, f"{method} has no parser; generated handlers have"
    try:
        return parse(request)
    except DecodeError as error:
        log.warning("%s: a request of %d bytes is no message of the call: %s", method, len(request), error)
        raise InvalidArgumentError(
            "MESSAGE_MALFORMED",
            f"the request's {len(request)} bytes are no protobuf message that {method} takes; build the client from "
            "protos/headshots/v1, or look for what changes its bytes on the way",
        ) from error
