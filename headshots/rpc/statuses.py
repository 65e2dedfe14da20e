"""Translates exceptions to rich gRPC statuses and back, by the table of :mod:`headshots.errors`."""

from __future__ import annotations

from typing import cast

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from headshots.errors import (
    DOMAIN,
    CancelledByCallerError,
    DeadlineExceededError,
    FieldViolation,
    HeadshotsError,
    InternalError,
    UnavailableError,
    error_class,
)


def status_from_error(error: HeadshotsError) -> status_pb2.Status:
    """``google.rpc.Status`` with ErrorInfo, and BadRequest and RetryInfo where the error has them."""
    details = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
                    for v in error.violations
                ]
            )
        )
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = [any_pb2.Any() for _ in details]
    for target, detail in zip(packed, details, strict=True):
        target.Pack(detail)
    return status_pb2.Status(code=getattr(code_pb2, error.code.name), message=error.message, details=packed)


def error_from_rpc(error: grpc.RpcError) -> HeadshotsError:
    """The exception that the server raised, rebuilt from a failed call.

    Statuses without our details (a dead server, a deadline, a proxy) get the class of their code and a reason of
    their own: SERVER_UNREACHABLE, DEADLINE_EXCEEDED, CALL_CANCELLED, MESSAGE_TOO_LARGE or RPC_FAILED.
    """
    call = cast(grpc.Call, error)
    status = rpc_status.from_call(call)
    if status is None:
        return _from_bare_status(call.code(), call.details() or "")
    info, bad_request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    retry_after: float | None = None
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToMilliseconds() / 1000
    cls = error_class(call.code(), info.reason)
    return cls(
        info.reason or "RPC_FAILED",
        status.message,
        metadata=dict(info.metadata),
        violations=[FieldViolation(v.field, v.description) for v in bad_request.field_violations],
        retry_after_seconds=retry_after,
    )


def _from_bare_status(code: grpc.StatusCode, details: str) -> HeadshotsError:
    if code is grpc.StatusCode.UNAVAILABLE:
        return UnavailableError("SERVER_UNREACHABLE", f"no answer from the server: {details}")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceededError("DEADLINE_EXCEEDED", "the call's deadline passed before the server answered")
    if code is grpc.StatusCode.CANCELLED:
        return CancelledByCallerError("CALL_CANCELLED", details or "the call was cancelled")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
        return error_class(code, "")("MESSAGE_TOO_LARGE", f"{details}: send photos in chunks of at most 1 MiB")
    if code is grpc.StatusCode.UNKNOWN:
        return InternalError("RPC_FAILED", details)
    return error_class(code, "")("RPC_FAILED", details)
