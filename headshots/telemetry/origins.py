"""Keeps which call the running work is for: its request id, and its place in a trace; also through a durable queue.

What a call orders is often worked off later, by another process. So rows that are queues have a column `origin`, which
is filled by whoever inserts them (`headshots.schema`), and who works them off does it `resumed`.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from headshots.telemetry import spans

REQUEST_ID = "x-request-id"
"""Key of a call's metadata. Not the `request_id` of requests, which makes a create idempotent."""
TRACEPARENT = "traceparent"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")

_request_id: ContextVar[str] = ContextVar("headshots_request_id", default="")


def request_id() -> str:
    """The id of the call that this task or thread works for; empty where there is none, as in a service's own loops."""
    return _request_id.get()


def set_request_id(value: str) -> None:
    """For the rest of this task or thread."""
    _request_id.set(value)


def accepted_request_id(wanted: str) -> str:
    """A caller's own id where it has the form (1 to 64 of letters, digits, `.`, `_`, `-`), else a new one."""
    return wanted if _REQUEST_ID_FORM.fullmatch(wanted) else uuid.uuid4().hex


def current_origin() -> dict[str, str] | None:
    """What a row keeps of the call that made it; None where no call did."""
    found = {"request_id": request_id(), TRACEPARENT: spans.current().traceparent}
    return {key: value for key, value in found.items() if value} or None


@contextlib.contextmanager
def resumed(origin: Mapping[str, Any] | None) -> Iterator[None]:
    """The block works for the call that ``origin`` (of `current_origin`) tells of."""
    found = origin or {}
    token = _request_id.set(str(found.get("request_id", "")))
    try:
        with spans.within(spans.remote(str(found.get(TRACEPARENT, "")))):
            yield
    finally:
        _request_id.reset(token)
