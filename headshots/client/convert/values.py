"""Converts values that several resources share: times, states, failures, priorities and intervals."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from headshots.client.models.jobs import Failure, JobState, Priority
from headshots.v1 import jobs_pb2

_PRIORITIES = {
    Priority.STANDARD: jobs_pb2.PRIORITY_STANDARD,
    Priority.HIGH: jobs_pb2.PRIORITY_HIGH,
}
TERMINAL_STATES = frozenset(jobs_pb2.JobState.Value(f"JOB_STATE_{state}") for state in JobState if state.terminal)


def wire_priority(value: Priority) -> jobs_pb2.Priority:
    """The protobuf value of a priority."""
    return _PRIORITIES[value]


def utc_time(message: Timestamp) -> datetime | None:
    """An aware UTC datetime; None where the field is unset."""
    # An unset Timestamp reads as the epoch, which no resource of ours can carry.
    if message.seconds == 0 and message.nanos == 0:
        return None
    return message.ToDatetime(tzinfo=UTC)


def span_seconds(message: Message, field: str) -> float | None:
    """A Duration of the message in seconds; None where the field is unset."""
    span: Duration = getattr(message, field)
    return span.ToNanoseconds() / 1e9 if message.HasField(field) else None


def job_state(value: jobs_pb2.JobState) -> JobState:
    """A job's state."""
    return JobState(jobs_pb2.JobState.Name(value).removeprefix("JOB_STATE_"))


def job_failure(message: jobs_pb2.Failure) -> Failure:
    """Why a job failed."""
    return Failure(message.reason, message.message)


def six_digits(value: float) -> float:
    """A float of the contract has seven digits: 0.45 comes as 0.449999988."""
    return float(f"{value:.6g}")


def interval(message: Message) -> tuple[float, float] | None:
    """The ends of a message's field `guidance_interval`; None where it is unset."""
    if not message.HasField("guidance_interval"):
        return None
    value = message.guidance_interval  # type: ignore[attr-defined]
    return value.low, value.high
