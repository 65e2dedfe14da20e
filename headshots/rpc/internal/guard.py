"""Refuses calls of an internal port that bring no grant for them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

from headshots.rpc.handlers import Context, Handler, Streaming, Unary, WrappingInterceptor, is_open
from headshots.rpc.internal.grants import METADATA_KEY, Grant, verify
from headshots.rpc.internal.secret import Secret

_grant: ContextVar[Grant] = ContextVar("headshots_grant")


def current_grant() -> Grant:
    """The grant of the running call, verified and for its method. Only on servers with a `GrantInterceptor`."""
    return _grant.get()


class GrantInterceptor(WrappingInterceptor):
    """Verifies each call's grant and that it is for this service and method; health and reflection stay open.

    What the call names (keys, jobs, tenants) is held to the grant by the servicers.
    """

    def __init__(self, audience: str, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        """``audience``: this service, as grants name it; ``clock``: seconds since the epoch."""
        self._audience, self._secret, self._clock = audience, secret, clock

    def applies(self, method: str) -> bool:
        """All but health and reflection."""
        return not is_open(method)

    def _admit(self, method: str, context: Context) -> None:
        tokens = [value for key, value in context.invocation_metadata() or () if key == METADATA_KEY]
        token = tokens[0] if len(tokens) == 1 and isinstance(tokens[0], str) else ""
        grant = verify(token, self._secret.verifying, self._clock())
        grant.check_equal("audience", self._audience, grant.audience)
        grant.check_equal("method", method.rpartition("/")[2], grant.method)
        _grant.set(grant)

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Admit, then answer."""

        async def call(request: Any, context: Context) -> Any:
            self._admit(method, context)
            return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Admit, then stream."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            self._admit(method, context)
            async with contextlib.aclosing(inner(request, context)) as responses:  # type: ignore[type-var]
                async for response in responses:
                    yield response

        return call
