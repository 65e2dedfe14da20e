import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headshots.v1 import adapters_pb2 as _adapters_pb2
from headshots.v1 import jobs_pb2 as _jobs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrainingFile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_FILE_UNSPECIFIED: _ClassVar[TrainingFile]
    TRAINING_FILE_ADAPTER: _ClassVar[TrainingFile]
    TRAINING_FILE_KOHYA: _ClassVar[TrainingFile]
    TRAINING_FILE_MANIFEST: _ClassVar[TrainingFile]
    TRAINING_FILE_SHEET: _ClassVar[TrainingFile]
    TRAINING_FILE_CARD: _ClassVar[TrainingFile]

class TrainingPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_PHASE_UNSPECIFIED: _ClassVar[TrainingPhase]
    TRAINING_PHASE_DOWNLOADING: _ClassVar[TrainingPhase]
    TRAINING_PHASE_INSPECTING: _ClassVar[TrainingPhase]
    TRAINING_PHASE_LOADING: _ClassVar[TrainingPhase]
    TRAINING_PHASE_CLASS_IMAGES: _ClassVar[TrainingPhase]
    TRAINING_PHASE_ENCODING: _ClassVar[TrainingPhase]
    TRAINING_PHASE_TRAINING: _ClassVar[TrainingPhase]
    TRAINING_PHASE_VALIDATING: _ClassVar[TrainingPhase]
    TRAINING_PHASE_SAVING: _ClassVar[TrainingPhase]
TRAINING_FILE_UNSPECIFIED: TrainingFile
TRAINING_FILE_ADAPTER: TrainingFile
TRAINING_FILE_KOHYA: TrainingFile
TRAINING_FILE_MANIFEST: TrainingFile
TRAINING_FILE_SHEET: TrainingFile
TRAINING_FILE_CARD: TrainingFile
TRAINING_PHASE_UNSPECIFIED: TrainingPhase
TRAINING_PHASE_DOWNLOADING: TrainingPhase
TRAINING_PHASE_INSPECTING: TrainingPhase
TRAINING_PHASE_LOADING: TrainingPhase
TRAINING_PHASE_CLASS_IMAGES: TrainingPhase
TRAINING_PHASE_ENCODING: TrainingPhase
TRAINING_PHASE_TRAINING: TrainingPhase
TRAINING_PHASE_VALIDATING: TrainingPhase
TRAINING_PHASE_SAVING: TrainingPhase

class TrainingOptions(_message.Message):
    __slots__ = ("steps", "rank", "learning_rate", "batch_rows", "seed")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    BATCH_ROWS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    steps: int
    rank: int
    learning_rate: float
    batch_rows: int
    seed: int
    def __init__(self, steps: _Optional[int] = ..., rank: _Optional[int] = ..., learning_rate: _Optional[float] = ..., batch_rows: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class TrainingProgress(_message.Message):
    __slots__ = ("phase", "done", "total", "phase_eta")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PHASE_ETA_FIELD_NUMBER: _ClassVar[int]
    phase: TrainingPhase
    done: int
    total: int
    phase_eta: _duration_pb2.Duration
    def __init__(self, phase: _Optional[_Union[TrainingPhase, str]] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., phase_eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class LossPoint(_message.Message):
    __slots__ = ("step", "loss")
    STEP_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    step: int
    loss: float
    def __init__(self, step: _Optional[int] = ..., loss: _Optional[float] = ...) -> None: ...

class CheckpointScores(_message.Message):
    __slots__ = ("step", "likeness", "copying", "diversity", "prompt_kept", "faces", "accepted", "regular", "bare_regular")
    STEP_FIELD_NUMBER: _ClassVar[int]
    LIKENESS_FIELD_NUMBER: _ClassVar[int]
    COPYING_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    PROMPT_KEPT_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REGULAR_FIELD_NUMBER: _ClassVar[int]
    BARE_REGULAR_FIELD_NUMBER: _ClassVar[int]
    step: int
    likeness: float
    copying: float
    diversity: float
    prompt_kept: float
    faces: float
    accepted: float
    regular: float
    bare_regular: float
    def __init__(self, step: _Optional[int] = ..., likeness: _Optional[float] = ..., copying: _Optional[float] = ..., diversity: _Optional[float] = ..., prompt_kept: _Optional[float] = ..., faces: _Optional[float] = ..., accepted: _Optional[float] = ..., regular: _Optional[float] = ..., bare_regular: _Optional[float] = ...) -> None: ...

class TrainingScores(_message.Message):
    __slots__ = ("analyzer", "held_out", "chosen_step", "reason", "passed", "stopped_early", "checkpoints", "sheet_key", "card_key")
    ANALYZER_FIELD_NUMBER: _ClassVar[int]
    HELD_OUT_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_STEP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    STOPPED_EARLY_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    SHEET_KEY_FIELD_NUMBER: _ClassVar[int]
    CARD_KEY_FIELD_NUMBER: _ClassVar[int]
    analyzer: str
    held_out: int
    chosen_step: int
    reason: str
    passed: bool
    stopped_early: bool
    checkpoints: _containers.RepeatedCompositeFieldContainer[CheckpointScores]
    sheet_key: str
    card_key: str
    def __init__(self, analyzer: _Optional[str] = ..., held_out: _Optional[int] = ..., chosen_step: _Optional[int] = ..., reason: _Optional[str] = ..., passed: _Optional[bool] = ..., stopped_early: _Optional[bool] = ..., checkpoints: _Optional[_Iterable[_Union[CheckpointScores, _Mapping]]] = ..., sheet_key: _Optional[str] = ..., card_key: _Optional[str] = ...) -> None: ...

class Training(_message.Message):
    __slots__ = ("name", "state", "step", "total_steps", "loss", "eta", "queue_position", "attempt", "options", "adapter", "failure", "create_time", "start_time", "end_time", "curve", "photo_count", "likeness", "status_message", "event_number", "scores", "adapter_expire_time", "foundation", "phase_message", "progress", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    ETA_FIELD_NUMBER: _ClassVar[int]
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CURVE_FIELD_NUMBER: _ClassVar[int]
    PHOTO_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIKENESS_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    PHASE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _jobs_pb2.JobState
    step: int
    total_steps: int
    loss: float
    eta: _duration_pb2.Duration
    queue_position: int
    attempt: int
    options: TrainingOptions
    adapter: _adapters_pb2.Adapter
    failure: _jobs_pb2.Failure
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    curve: _containers.RepeatedCompositeFieldContainer[LossPoint]
    photo_count: int
    likeness: float
    status_message: str
    event_number: int
    scores: TrainingScores
    adapter_expire_time: _timestamp_pb2.Timestamp
    foundation: str
    phase_message: str
    progress: TrainingProgress
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_jobs_pb2.JobState, str]] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., loss: _Optional[float] = ..., eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_position: _Optional[int] = ..., attempt: _Optional[int] = ..., options: _Optional[_Union[TrainingOptions, _Mapping]] = ..., adapter: _Optional[_Union[_adapters_pb2.Adapter, _Mapping]] = ..., failure: _Optional[_Union[_jobs_pb2.Failure, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., curve: _Optional[_Iterable[_Union[LossPoint, _Mapping]]] = ..., photo_count: _Optional[int] = ..., likeness: _Optional[float] = ..., status_message: _Optional[str] = ..., event_number: _Optional[int] = ..., scores: _Optional[_Union[TrainingScores, _Mapping]] = ..., adapter_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., foundation: _Optional[str] = ..., phase_message: _Optional[str] = ..., progress: _Optional[_Union[TrainingProgress, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateTrainingRequest(_message.Message):
    __slots__ = ("parent", "options", "priority", "request_id", "validate_only", "photos", "foundation", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    options: TrainingOptions
    priority: _jobs_pb2.Priority
    request_id: str
    validate_only: bool
    photos: _containers.RepeatedScalarFieldContainer[str]
    foundation: str
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, parent: _Optional[str] = ..., options: _Optional[_Union[TrainingOptions, _Mapping]] = ..., priority: _Optional[_Union[_jobs_pb2.Priority, str]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., photos: _Optional[_Iterable[str]] = ..., foundation: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class GetTrainingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class ListTrainingsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class ListTrainingsResponse(_message.Message):
    __slots__ = ("trainings", "next_page_token")
    TRAININGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    trainings: _containers.RepeatedCompositeFieldContainer[Training]
    next_page_token: str
    def __init__(self, trainings: _Optional[_Iterable[_Union[Training, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchTrainingRequest(_message.Message):
    __slots__ = ("name", "after_event")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_event: int
    def __init__(self, name: _Optional[str] = ..., after_event: _Optional[int] = ...) -> None: ...

class WatchTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class CancelTrainingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class DownloadTrainingFileRequest(_message.Message):
    __slots__ = ("name", "file")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    name: str
    file: TrainingFile
    def __init__(self, name: _Optional[str] = ..., file: _Optional[_Union[TrainingFile, str]] = ...) -> None: ...

class DownloadTrainingFileResponse(_message.Message):
    __slots__ = ("filename", "content_type", "size_bytes", "chunk")
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    filename: str
    content_type: str
    size_bytes: int
    chunk: bytes
    def __init__(self, filename: _Optional[str] = ..., content_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., chunk: _Optional[bytes] = ...) -> None: ...
