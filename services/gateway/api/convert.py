"""Converts times and job states, which several resources have, to protobuf."""

from __future__ import annotations

import datetime

from google.protobuf import timestamp_pb2

from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from headshots.v1 import jobs_pb2

STATES = {
    PENDING: jobs_pb2.JOB_STATE_PENDING,
    RUNNING: jobs_pb2.JOB_STATE_RUNNING,
    SUCCEEDED: jobs_pb2.JOB_STATE_SUCCEEDED,
    FAILED: jobs_pb2.JOB_STATE_FAILED,
    CANCELLED: jobs_pb2.JOB_STATE_CANCELLED,
}


def timestamp(seconds: float) -> timestamp_pb2.Timestamp:
    """Seconds since the epoch, to the microsecond."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
    return stamp


def optional_timestamp(seconds: float | None) -> timestamp_pb2.Timestamp | None:
    """None stays unset."""
    return None if seconds is None else timestamp(seconds)
