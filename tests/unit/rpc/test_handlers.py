"""An interceptor wraps a method's handler once, however many calls there are."""

from __future__ import annotations

from typing import Any, cast

import grpc
import grpc.aio

from headshots.rpc.handlers import Handler, Streaming, Unary, WrappingInterceptor


class Counting(WrappingInterceptor):
    """Notes the methods whose handlers it was asked to wrap."""

    def __init__(self) -> None:
        self.wrapped: list[str] = []

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        self.wrapped.append(method)
        return inner

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        self.wrapped.append(method)
        return inner


class Details:
    """Of a call."""

    def __init__(self, method: str) -> None:
        self.method = method


async def _answer(_request: Any, _context: Any) -> bytes:
    return b""


async def intercepted(interceptor: Counting, method: str, handler: Handler | None) -> Handler | None:
    async def found(_details: grpc.HandlerCallDetails) -> Handler | None:
        return handler

    details = cast(grpc.HandlerCallDetails, Details(method))
    return await interceptor.intercept_service(cast(Any, found), details)


async def test_each_methods_handler_is_wrapped_once() -> None:
    interceptor = Counting()
    one, other = (grpc.unary_unary_rpc_method_handler(_answer) for _ in range(2))
    first = await intercepted(interceptor, "/a/One", one)
    assert first is not one
    assert [await intercepted(interceptor, "/a/One", one) for _ in range(3)] == [first] * 3
    assert interceptor.wrapped == ["/a/One"]
    assert await intercepted(interceptor, "/a/Other", other) is not first
    assert await intercepted(interceptor, "/a/None", None) is None
    assert interceptor.wrapped == ["/a/One", "/a/Other"]


async def test_another_handler_of_the_same_method_is_wrapped_anew() -> None:
    interceptor = Counting()
    one, other = (grpc.unary_unary_rpc_method_handler(_answer) for _ in range(2))
    first = await intercepted(interceptor, "/a/One", one)
    assert await intercepted(interceptor, "/a/One", other) is not first
    assert interceptor.wrapped == ["/a/One", "/a/One"]
