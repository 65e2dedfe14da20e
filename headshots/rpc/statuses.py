"""Translates exceptions to rich gRPC statuses and back, by the table of :mod:`headshots.errors`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import grpc
from google.protobuf import duration_pb2
from google.protobuf.message import Message
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
from headshots.rpc import fitting


def status_from_error(error: HeadshotsError, request_id: str = "") -> status_pb2.Status:
    """``google.rpc.Status`` with ErrorInfo, and BadRequest and RetryInfo where the error has them.

    RequestInfo tells ``request_id``, the call's (`headshots.telemetry.origins`), unless it is empty.

    It always fits into gRPC's metadata: a long message is cut, and of many violations the first are told, with the
    number of those left out in ErrorInfo's metadata (``violations_left_out``).
    """
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=DOMAIN, metadata=fitting.cut_metadata(error.metadata)
    )
    details: list[Message] = [info]
    if request_id:
        details.append(error_details_pb2.RequestInfo(request_id=request_id))
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if error.violations:
        told = fitting.as_many_as_fit(error.violations, _status(error, details))
        details.append(told)
        left_out = len(error.violations) - len(told.field_violations)
        if left_out:
            info.metadata[fitting.LEFT_OUT] = str(left_out + int(error.metadata.get(fitting.LEFT_OUT, "0")))
    return _status(error, details)


def _status(error: HeadshotsError, details: Iterable[Message]) -> status_pb2.Status:
    status = status_pb2.Status(code=getattr(code_pb2, error.code.name), message=fitting.cut_message(error.message))
    for detail in details:
        status.details.add().Pack(detail)
    return status


def error_from_rpc(error: grpc.RpcError) -> HeadshotsError:
    """The exception that the server raised, rebuilt from a failed call.

    Statuses without our details (a dead server, a deadline, a proxy) get the class of their code and a reason of
    their own: SERVER_UNREACHABLE, DEADLINE_EXCEEDED, CALL_CANCELLED, MESSAGE_TOO_LARGE or RPC_FAILED.
    """
    call = cast(grpc.Call, error)
    status = rpc_status.from_call(call)
    if status is None:
        return _from_bare_status(call.code(), call.details() or "")
    info, bad_request, retry, asked = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
        error_details_pb2.RequestInfo(),
    )
    retry_after: float | None = None
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
        detail.Unpack(asked)
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToMilliseconds() / 1000
    cls = error_class(call.code(), info.reason)
    return cls(
        info.reason or "RPC_FAILED",
        status.message,
        metadata=dict(info.metadata),
        violations=[FieldViolation(v.field, v.description) for v in bad_request.field_violations],
        retry_after_seconds=retry_after,
        request_id=asked.request_id,
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
