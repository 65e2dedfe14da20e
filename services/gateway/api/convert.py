"""Converts what several resources have: times, states of jobs, phases of trainings, intervals, idempotency keys."""

from __future__ import annotations

from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from headshots.v1 import jobs_pb2, styles_pb2, trainings_pb2
from services.gateway.api.progress import TrainingProgress
from services.gateway.api.requests import IdempotencyKey

STATES = {
    PENDING: jobs_pb2.JOB_STATE_PENDING,
    RUNNING: jobs_pb2.JOB_STATE_RUNNING,
    SUCCEEDED: jobs_pb2.JOB_STATE_SUCCEEDED,
    FAILED: jobs_pb2.JOB_STATE_FAILED,
    CANCELLED: jobs_pb2.JOB_STATE_CANCELLED,
}


_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800
"""Seconds since the epoch between which protobuf's timestamps lie, and Python's times."""
# Neither says what is to be made.
_NO_PARAMETERS = ("request_id", "validate_only")


def idempotency_key(request: Message) -> IdempotencyKey:
    """The key of a create request, which has a field `request_id`."""
    parameters = MessageToDict(request, preserving_proto_field_name=True)
    request_id = parameters.get("request_id", "")
    return IdempotencyKey(request_id, {name: parameters[name] for name in parameters if name not in _NO_PARAMETERS})


def timestamp(seconds: float) -> timestamp_pb2.Timestamp:
    """Seconds since the epoch, to the microsecond."""
    whole, fraction = divmod(seconds, 1)
    carried, microseconds = divmod(round(fraction * 1e6), 1_000_000)
    # Messages have several: by way of Python's own times it takes ten times as long.
    return timestamp_pb2.Timestamp(seconds=int(whole) + carried, nanos=1000 * microseconds)


def optional_timestamp(seconds: float | None) -> timestamp_pb2.Timestamp | None:
    """None stays unset."""
    return None if seconds is None else timestamp(seconds)


def seconds_of(message: Message, field: str, *, within: str = "") -> float | None:
    """A time that a caller sends, in seconds since the epoch; None where it is unset. `within` leads to the message.

    Raises:
        InvalidArgumentError: CONSTRAINT_VIOLATED, it is no timestamp.
    """
    if not message.HasField(field):
        return None
    stamp = getattr(message, field)
    seconds = float(stamp.seconds + stamp.nanos / 1e9)
    # What is rounded up to the year 10000 could be kept, and never be told again.
    if _YEAR_1 <= seconds < _YEAR_10000 and 0 <= stamp.nanos < 1e9:
        return seconds
    path = f"{within}.{field}" if within else field
    rule = "must be a time from the year 1 to 9999, with 0 to 999999999 nanoseconds"
    raise InvalidArgumentError("CONSTRAINT_VIOLATED", f"{path}: {rule}", violations=[FieldViolation(path, rule)])


def required_seconds(message: Message, field: str) -> float:
    """The same of a field that its constraints require. Raises as `seconds_of`."""
    seconds = seconds_of(message, field)
    assert seconds is not None, "the message is validated"
    return seconds


def interval(message: Message) -> tuple[float, float] | None:
    """The ends of a message's field `guidance_interval`; None where it is unset."""
    if not message.HasField("guidance_interval"):
        return None
    value = message.guidance_interval  # type: ignore[attr-defined]
    return value.low, value.high


def wire_interval(value: tuple[float, float] | None) -> styles_pb2.GuidanceInterval | None:
    """The protobuf value of an interval of guidance; None stays unset."""
    return None if value is None else styles_pb2.GuidanceInterval(low=value[0], high=value[1])


def progress_from(message: trainings_pb2.TrainingProgress) -> TrainingProgress | None:
    """What a trainer tells; None also of a phase that only a newer trainer knows."""
    if message.phase not in trainings_pb2.TrainingPhase.values() or not message.phase:
        return None
    phase = trainings_pb2.TrainingPhase.Name(message.phase).removeprefix("TRAINING_PHASE_")
    eta = message.phase_eta.ToNanoseconds() / 1e9 if message.HasField("phase_eta") else None
    return TrainingProgress(phase, message.done, message.total, eta)


def training_progress(value: TrainingProgress | None) -> trainings_pb2.TrainingProgress | None:
    """What a running training does, for callers."""
    if value is None:
        return None
    phase = f"TRAINING_PHASE_{value.phase}"
    eta = seconds_as_duration(value.eta_seconds)
    return trainings_pb2.TrainingProgress(phase=phase, done=value.done, total=value.total, phase_eta=eta)


def seconds_as_duration(seconds: float | None) -> duration_pb2.Duration | None:
    """A span of time; None stays None."""
    if seconds is None:
        return None
    message = duration_pb2.Duration()
    message.FromMilliseconds(round(seconds * 1000))
    return message
