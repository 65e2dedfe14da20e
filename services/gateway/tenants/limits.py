"""Limits what a tenant may have open at a time on this gateway, so that threads and memory are left to others."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

from headshots.errors import ResourceExhaustedError
from headshots.rpc.auth import current_tenant
from headshots.rpc.handlers import Context, Handler, Streaming, Unary, WrappingInterceptor

_CALL_RETRY_SECONDS, _WATCH_RETRY_SECONDS = 1.0, 10.0


class TenantLimiter(WrappingInterceptor):
    """Counts calls by tenant; uploads have limits of their own. Runs within AuthInterceptor, which tells the tenant."""

    def __init__(self, *, calls: int, watches: int) -> None:
        self._limits = {"calls": calls, "watches": watches}
        self._open: dict[str, Counter[str]] = {"calls": Counter(), "watches": Counter()}

    def applies(self, method: str) -> bool:
        """Only our own services have tenants."""
        return method.startswith("/headshots.")

    @contextlib.contextmanager
    def _counted(self, kind: str, full: ResourceExhaustedError) -> Iterator[None]:
        tenant, counter = current_tenant(), self._open[kind]
        if counter[tenant] >= self._limits[kind]:
            raise full
        counter[tenant] += 1
        try:
            yield
        finally:
            counter[tenant] -= 1
            if not counter[tenant]:
                del counter[tenant]

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Counts a call that takes one request."""
        if handler.request_streaming:
            return inner

        async def call(request: Any, context: Context) -> Any:
            with self._counted("calls", self._too_many_calls()):
                return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Counts a watch or a download."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            with self._counted("watches", self._too_many_watches()):
                async with contextlib.aclosing(inner(request, context)) as responses:  # type: ignore[type-var]
                    async for response in responses:
                        yield response

        return call

    def _too_many_calls(self) -> ResourceExhaustedError:
        return ResourceExhaustedError(
            "TOO_MANY_CALLS",
            f"{self._limits['calls']} calls of your tenant are under way on this gateway; send fewer at a time",
            retry_after_seconds=_CALL_RETRY_SECONDS,
        )

    def _too_many_watches(self) -> ResourceExhaustedError:
        return ResourceExhaustedError(
            "WATCH_LIMIT",
            f"{self._limits['watches']} watches and downloads of your tenant are open on this gateway; close some, "
            "or ask with Get",
            retry_after_seconds=_WATCH_RETRY_SECONDS,
        )
