"""Defines the error tree of headshots, and the table between it and gRPC.

::

    HeadshotsError
    ├── InvalidArgumentError      what the caller sent is wrong; also a ValueError
    │   └── InvalidPhotoError     … and it is a photo
    ├── UnauthenticatedError      no key, or a wrong one
    ├── PermissionDeniedError     the caller is known, and may not do this
    ├── NotFoundError             no such thing, or another tenant's
    ├── AlreadyExistsError        it is there already
    ├── FailedPreconditionError   right request, wrong moment
    │   └── InvalidAdapterError   this engine cannot load that adapter
    ├── ResourceExhaustedError    too much at once; carries when to retry
    ├── DeadlineExceededError     it cannot be done in the time that is left
    ├── CancelledByCallerError    stopped because the caller asked for it
    ├── UnavailableError          a dependency is away; retry
    └── InternalError             a defect of ours; the traceback is in the server's log

Every error has a stable ``reason`` (UPPER_SNAKE, sent as ``google.rpc.ErrorInfo.reason``), a ``message`` that says
what to do, ``metadata`` for machines, and, for bad fields, ``violations`` (sent as ``google.rpc.BadRequest``). The
client SDK inverts the same table, so a caller catches what the server raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import grpc

DOMAIN = "headshots.dev"


@dataclass(frozen=True)
class FieldViolation:
    """One bad field: its path (``photos[3].size_bytes``) and what is wrong with it."""

    field: str
    description: str


class HeadshotsError(Exception):
    """Base of all errors that headshots raises on purpose."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after_seconds: float | None = None,
        request_id: str = "",
    ) -> None:
        """``request_id``: of the call that a server answered with it; its log lines have the same one."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_seconds = retry_after_seconds
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class InvalidArgumentError(HeadshotsError, ValueError):
    """What the caller sent is wrong and will be wrong again."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class InvalidPhotoError(InvalidArgumentError):
    """A photo that cannot be used; ``reason`` says why (UNDECODABLE, ANIMATED, TOO_SMALL, TOO_MANY_PIXELS …)."""


class UnauthenticatedError(HeadshotsError):
    """No API key, or one that is not known."""

    code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDeniedError(HeadshotsError):
    """Who calls is known, and this is not theirs to do."""

    code = grpc.StatusCode.PERMISSION_DENIED


class NotFoundError(HeadshotsError):
    """No such resource in this tenant."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(HeadshotsError):
    """The resource is there already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPreconditionError(HeadshotsError):
    """The request is right, the state of the system is not; ``message`` says what must change."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class InvalidAdapterError(FailedPreconditionError):
    """An adapter that this engine refuses: corrupt, of another foundation, above the rank, of unknown layers."""


class ResourceExhaustedError(HeadshotsError):
    """Too much at once; ``retry_after_seconds`` says when to come back."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class DeadlineExceededError(HeadshotsError):
    """The work cannot be finished in the time that is left."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class CancelledByCallerError(HeadshotsError):
    """Stopped because somebody asked for it."""

    code = grpc.StatusCode.CANCELLED


class UnavailableError(HeadshotsError):
    """A dependency is away; the same request may succeed later."""

    code = grpc.StatusCode.UNAVAILABLE


class InternalError(HeadshotsError):
    """A defect of ours."""

    code = grpc.StatusCode.INTERNAL


# The base class of each code, for the client: the reason tells the finer class.
_BY_CODE: dict[grpc.StatusCode, type[HeadshotsError]] = {
    cls.code: cls
    for cls in (
        InvalidArgumentError,
        UnauthenticatedError,
        PermissionDeniedError,
        NotFoundError,
        AlreadyExistsError,
        FailedPreconditionError,
        ResourceExhaustedError,
        DeadlineExceededError,
        CancelledByCallerError,
        UnavailableError,
        InternalError,
    )
}
# Reasons of the finer classes carry their class's prefix, so that the table can be inverted.
_BY_REASON_PREFIX: dict[str, type[HeadshotsError]] = {
    "PHOTO_": InvalidPhotoError,
    "ADAPTER_": InvalidAdapterError,
}


def error_class(code: grpc.StatusCode, reason: str) -> type[HeadshotsError]:
    """The class a client raises for a status: the finer class where the reason names one of the same code."""
    for prefix, cls in _BY_REASON_PREFIX.items():
        if reason.startswith(prefix) and cls.code is code:
            return cls
    return _BY_CODE.get(code, InternalError)
