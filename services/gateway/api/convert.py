"""Converts what several resources have: times and job states to protobuf, create requests to idempotency keys."""

from __future__ import annotations

import datetime

from google.protobuf import timestamp_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from headshots.v1 import jobs_pb2
from services.gateway.api.requests import IdempotencyKey

STATES = {
    PENDING: jobs_pb2.JOB_STATE_PENDING,
    RUNNING: jobs_pb2.JOB_STATE_RUNNING,
    SUCCEEDED: jobs_pb2.JOB_STATE_SUCCEEDED,
    FAILED: jobs_pb2.JOB_STATE_FAILED,
    CANCELLED: jobs_pb2.JOB_STATE_CANCELLED,
}


# Neither says what is to be made.
_NO_PARAMETERS = ("request_id", "validate_only")


def idempotency_key(request: Message) -> IdempotencyKey:
    """The key of a create request, which has a field `request_id`."""
    parameters = MessageToDict(request, preserving_proto_field_name=True)
    request_id = parameters.get("request_id", "")
    return IdempotencyKey(request_id, {name: parameters[name] for name in parameters if name not in _NO_PARAMETERS})


def timestamp(seconds: float) -> timestamp_pb2.Timestamp:
    """Seconds since the epoch, to the microsecond."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
    return stamp


def optional_timestamp(seconds: float | None) -> timestamp_pb2.Timestamp | None:
    """None stays unset."""
    return None if seconds is None else timestamp(seconds)
