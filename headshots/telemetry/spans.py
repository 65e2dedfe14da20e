"""Starts spans, where traces are switched on; where they are not, a span is a constant that does nothing.

A span never carries what people or tenants gave us: no photo, prompt, name or label, no id of theirs, and of an error
its reason alone. So attributes are known by name here, and what is not in `ATTRIBUTES` cannot be set.
"""

from __future__ import annotations

import contextlib
import enum
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar

ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")
Value = str | int | float | bool | Sequence[int]

ATTRIBUTES: Mapping[str, str] = {
    # OpenTelemetry's conventions for RPCs.
    "system": "rpc.system",
    "service": "rpc.service",
    "method": "rpc.method",
    "code": "rpc.grpc.status_code",
    # The reason of a HeadshotsError, or the class of another error.
    "error": "error.type",
    # Rows and images of a network's call, and for each image how many steps it had done before.
    "rows": "headshots.rows",
    "images": "headshots.images",
    "steps": "headshots.steps",
    # Where an adapter was: slot, host, disk or store.
    "tier": "headshots.tier",
    # How often a shot or a training was begun before, and which try of a shot it is.
    "attempt": "headshots.attempt",
    "number_of_try": "headshots.try",
    # Steps of a training: where an interval begins and ends.
    "first_step": "headshots.first_step",
    "last_step": "headshots.last_step",
}
"""The attributes of our spans: how code names them, and how traces do."""


class Kind(enum.Enum):
    """Which side of a call a span is; INTERNAL is no call."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"


class Span(Protocol):
    """Something that takes time. As a context it is what spans within are part of; else whoever started it ends it."""

    @property
    def traceparent(self) -> str:
        """Names it to other processes (W3C Trace Context); empty where it is not traced."""

    @property
    def exemplar(self) -> dict[str, str] | None:
        """Labels for a histogram's exemplar; None where the trace is not kept."""

    def set(self, **attributes: Value) -> None:
        """Sets attributes, named as in `ATTRIBUTES`."""

    def link(self, other: Span) -> None:
        """Says that this one has to do with ``other``, of whatever trace."""

    def fail(self, error: BaseException | str) -> None:
        """It failed. What is told is the error's reason (which a text is), or its class, never its message."""

    def enter(self) -> Any:
        """Makes it what spans are part of from now on, in this task or thread; what `leave` takes."""

    def leave(self, token: Any) -> None:
        """Undoes `enter`. A task that ends with the span need not."""

    def end(self) -> None:
        """Ends it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Tracing(Protocol):
    """Makes spans; `otel.OpenTelemetry` is the one that there is."""

    def start(
        self,
        name: str,
        kind: Kind,
        parent: Span | str | None,
        links: Sequence[Span],
        since: float | None,
        attributes: Mapping[str, Value],
    ) -> Span:
        """See `span`."""

    def current(self) -> Span:
        """See `current`."""

    def remote(self, traceparent: str) -> Span:
        """The span of another process."""


class _Off:
    """The span of a process that traces nothing."""

    traceparent = ""
    exemplar = None

    def set(self, **attributes: Value) -> None:
        """Nothing."""

    def link(self, other: Span) -> None:
        """Nothing."""

    def fail(self, error: BaseException | str) -> None:
        """Nothing."""

    def enter(self) -> None:
        """Nothing."""

    def leave(self, token: Any) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing."""


OFF: Span = _Off()
"""A span that is none."""
_tracing: Tracing | None = None


def switch(tracing: Tracing | None) -> None:
    """Switches traces on, or off with None. For the start of a process, and for tests."""
    global _tracing
    _tracing = tracing


def is_on() -> bool:
    """Whether traces are switched on in this process."""
    return _tracing is not None


def span(
    name: str,
    *,
    kind: Kind = Kind.INTERNAL,
    parent: Span | str | None = None,
    links: Sequence[Span] = (),
    since: float | None = None,
    tracing: Tracing | None = None,
    **attributes: Value,
) -> Span:
    """Starts a span.

    Args:
        name: low in number, as `shot`; no ids.
        kind: which side of a call.
        parent: what it is part of: a span, a traceparent, None: what this task or thread is in.
        links: other spans that it has to do with.
        since: when it began, in seconds since the epoch; None: now.
        tracing: what makes it; None: what the process was switched to.
        attributes: named as in `ATTRIBUTES`.
    """
    maker = tracing or _tracing
    return OFF if maker is None else maker.start(name, kind, parent, links, since, attributes)


def current() -> Span:
    """The span that this task or thread is in."""
    return OFF if _tracing is None else _tracing.current()


def remote(traceparent: str) -> Span:
    """The span of another process, by its traceparent; no span where that is empty or malformed."""
    return OFF if _tracing is None or not traceparent else _tracing.remote(traceparent)


@contextlib.contextmanager
def within(span: Span) -> Iterator[None]:
    """What is started in the block is part of ``span``, which does not end with it."""
    token = span.enter()
    try:
        yield
    finally:
        span.leave(token)


def traced(name: str) -> Callable[[Callable[ParametersT, ResultT]], Callable[ParametersT, ResultT]]:
    """Has each call of a function, which is no coroutine and no generator, be a span of that name."""

    def wrap(function: Callable[ParametersT, ResultT]) -> Callable[ParametersT, ResultT]:
        @functools.wraps(function)
        def call(*args: ParametersT.args, **kwargs: ParametersT.kwargs) -> ResultT:
            with span(name):
                return function(*args, **kwargs)

        return call

    return wrap
