import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headshots.v1 import adapters_pb2 as _adapters_pb2
from headshots.v1 import jobs_pb2 as _jobs_pb2
from headshots.v1 import trainings_pb2 as _trainings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PhotoRef(_message.Message):
    __slots__ = ("key", "sha256")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    key: str
    sha256: str
    def __init__(self, key: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class StartTrainingRequest(_message.Message):
    __slots__ = ("job_id", "tenant", "photos", "output_prefix", "class_noun", "options", "priority")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PREFIX_FIELD_NUMBER: _ClassVar[int]
    CLASS_NOUN_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    tenant: str
    photos: _containers.RepeatedCompositeFieldContainer[PhotoRef]
    output_prefix: str
    class_noun: str
    options: _trainings_pb2.TrainingOptions
    priority: _jobs_pb2.Priority
    def __init__(self, job_id: _Optional[str] = ..., tenant: _Optional[str] = ..., photos: _Optional[_Iterable[_Union[PhotoRef, _Mapping]]] = ..., output_prefix: _Optional[str] = ..., class_noun: _Optional[str] = ..., options: _Optional[_Union[_trainings_pb2.TrainingOptions, _Mapping]] = ..., priority: _Optional[_Union[_jobs_pb2.Priority, str]] = ...) -> None: ...

class StartTrainingResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: TrainingJob
    def __init__(self, job: _Optional[_Union[TrainingJob, _Mapping]] = ...) -> None: ...

class TrainingJob(_message.Message):
    __slots__ = ("job_id", "state", "step", "total_steps", "loss", "eta", "queue_position", "attempt", "adapter", "failure", "start_time", "end_time", "curve", "revision", "likeness", "scores", "phase_message", "progress")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    ETA_FIELD_NUMBER: _ClassVar[int]
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CURVE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    LIKENESS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    PHASE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: _jobs_pb2.JobState
    step: int
    total_steps: int
    loss: float
    eta: _duration_pb2.Duration
    queue_position: int
    attempt: int
    adapter: _adapters_pb2.Adapter
    failure: _jobs_pb2.Failure
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    curve: _containers.RepeatedCompositeFieldContainer[_trainings_pb2.LossPoint]
    revision: int
    likeness: float
    scores: _trainings_pb2.TrainingScores
    phase_message: str
    progress: _trainings_pb2.TrainingProgress
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[_jobs_pb2.JobState, str]] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., loss: _Optional[float] = ..., eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_position: _Optional[int] = ..., attempt: _Optional[int] = ..., adapter: _Optional[_Union[_adapters_pb2.Adapter, _Mapping]] = ..., failure: _Optional[_Union[_jobs_pb2.Failure, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., curve: _Optional[_Iterable[_Union[_trainings_pb2.LossPoint, _Mapping]]] = ..., revision: _Optional[int] = ..., likeness: _Optional[float] = ..., scores: _Optional[_Union[_trainings_pb2.TrainingScores, _Mapping]] = ..., phase_message: _Optional[str] = ..., progress: _Optional[_Union[_trainings_pb2.TrainingProgress, _Mapping]] = ...) -> None: ...

class GetTrainingJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetTrainingJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: TrainingJob
    def __init__(self, job: _Optional[_Union[TrainingJob, _Mapping]] = ...) -> None: ...

class WatchTrainingJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class WatchTrainingJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: TrainingJob
    def __init__(self, job: _Optional[_Union[TrainingJob, _Mapping]] = ...) -> None: ...

class CancelTrainingJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelTrainingJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: TrainingJob
    def __init__(self, job: _Optional[_Union[TrainingJob, _Mapping]] = ...) -> None: ...

class DescribeTrainerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeTrainerResponse(_message.Message):
    __slots__ = ("foundation", "foundation_digest", "defaults", "device", "trigger")
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    foundation: str
    foundation_digest: str
    defaults: _trainings_pb2.TrainingOptions
    device: str
    trigger: str
    def __init__(self, foundation: _Optional[str] = ..., foundation_digest: _Optional[str] = ..., defaults: _Optional[_Union[_trainings_pb2.TrainingOptions, _Mapping]] = ..., device: _Optional[str] = ..., trigger: _Optional[str] = ...) -> None: ...
