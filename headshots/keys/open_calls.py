"""Ends streams, watches and uploads, when the key that opened them is revoked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from headshots.errors import UnauthenticatedError
from headshots.rpc.auth import bearer_token, id_of_key
from headshots.rpc.handlers import Context, Handler, Streaming, Unary, WrappingInterceptor

_END = object()


class OpenCall:
    """A call under way, in one task of the event loop."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    def end(self) -> None:
        """Interrupts the call where it may be interrupted, now or as soon as it gets there.

        Again changes nothing: a second interruption would break off what the first one has the call tidy up.
        """
        if self._ended.is_set():
            return
        self._ended.set()
        if self._task is not None:
            self._task.cancel()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that `end` ends, whatever is waited for in it.

        Raises:
            UnauthenticatedError: API_KEY_REVOKED.
        """
        task = asyncio.current_task()
        assert task is not None, "calls run in tasks"
        if self._ended.is_set():
            raise _revoked()
        cancelled_before, self._task = task.cancelling(), task
        try:
            yield
        except asyncio.CancelledError:
            # As asyncio.timeout does: the caller may have gone away at the same moment.
            if self._ended.is_set() and task.uncancel() <= cancelled_before:
                raise _revoked() from None
            raise
        finally:
            self._task = None


def _revoked() -> UnauthenticatedError:
    return UnauthenticatedError(
        "API_KEY_REVOKED", "the API key was revoked while the call was under way; call again with another key"
    )


class RevocationInterceptor(WrappingInterceptor):
    """Ends streaming calls whose key is revoked. Runs right within AuthInterceptor, which has checked the key."""

    def __init__(self, open_call: Callable[[str], AbstractContextManager[OpenCall]]) -> None:
        """`open_call` takes the key's id, see `KnownKeys.open_call`."""
        self._open_call = open_call

    def applies(self, method: str) -> bool:
        """Only our own services ask for keys."""
        return method.startswith("/headshots.")

    def _opened(self, context: Context) -> AbstractContextManager[OpenCall]:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        return self._open_call(id_of_key(bearer_token(metadata)))

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Interrupts uploads; a single request is answered as it was let in."""
        if not handler.request_streaming:
            return inner

        async def call(request: Any, context: Context) -> Any:
            with self._opened(context) as opened, opened.interruptible():
                return await inner(request, context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Interrupts the wait for the next message, and leaves the sending of one alone."""

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            with self._opened(context) as opened:
                async with contextlib.aclosing(inner(request, context)) as responses:  # type: ignore[type-var]
                    while True:
                        with opened.interruptible():
                            response = await anext(responses, _END)
                        if response is _END:
                            return
                        yield response

        return call
