import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_PENDING: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_STANDARD: _ClassVar[Priority]
    PRIORITY_HIGH: _ClassVar[Priority]

class ImageFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_FORMAT_UNSPECIFIED: _ClassVar[ImageFormat]
    IMAGE_FORMAT_PNG: _ClassVar[ImageFormat]
    IMAGE_FORMAT_JPEG: _ClassVar[ImageFormat]
    IMAGE_FORMAT_WEBP: _ClassVar[ImageFormat]
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_PENDING: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
PRIORITY_UNSPECIFIED: Priority
PRIORITY_STANDARD: Priority
PRIORITY_HIGH: Priority
IMAGE_FORMAT_UNSPECIFIED: ImageFormat
IMAGE_FORMAT_PNG: ImageFormat
IMAGE_FORMAT_JPEG: ImageFormat
IMAGE_FORMAT_WEBP: ImageFormat

class Failure(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Tenant(_message.Message):
    __slots__ = ("name", "display_name", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Subject(_message.Message):
    __slots__ = ("name", "display_name", "class_noun", "create_time", "photo_count", "adapter")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CLASS_NOUN_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PHOTO_COUNT_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    class_noun: str
    create_time: _timestamp_pb2.Timestamp
    photo_count: int
    adapter: Adapter
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., class_noun: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., photo_count: _Optional[int] = ..., adapter: _Optional[_Union[Adapter, _Mapping]] = ...) -> None: ...

class Photo(_message.Message):
    __slots__ = ("name", "sha256", "size_bytes", "width_px", "height_px", "filename", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    filename: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., filename: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

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

class LossPoint(_message.Message):
    __slots__ = ("step", "loss")
    STEP_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    step: int
    loss: float
    def __init__(self, step: _Optional[int] = ..., loss: _Optional[float] = ...) -> None: ...

class Adapter(_message.Message):
    __slots__ = ("sha256", "key", "foundation_digest", "rank", "trigger", "size_bytes", "kohya_key", "manifest_key")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    KOHYA_KEY_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_KEY_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    key: str
    foundation_digest: str
    rank: int
    trigger: str
    size_bytes: int
    kohya_key: str
    manifest_key: str
    def __init__(self, sha256: _Optional[str] = ..., key: _Optional[str] = ..., foundation_digest: _Optional[str] = ..., rank: _Optional[int] = ..., trigger: _Optional[str] = ..., size_bytes: _Optional[int] = ..., kohya_key: _Optional[str] = ..., manifest_key: _Optional[str] = ...) -> None: ...

class CheckpointScores(_message.Message):
    __slots__ = ("step", "likeness", "copying", "diversity", "prompt_kept", "faces")
    STEP_FIELD_NUMBER: _ClassVar[int]
    LIKENESS_FIELD_NUMBER: _ClassVar[int]
    COPYING_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    PROMPT_KEPT_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    step: int
    likeness: float
    copying: float
    diversity: float
    prompt_kept: float
    faces: float
    def __init__(self, step: _Optional[int] = ..., likeness: _Optional[float] = ..., copying: _Optional[float] = ..., diversity: _Optional[float] = ..., prompt_kept: _Optional[float] = ..., faces: _Optional[float] = ...) -> None: ...

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
    __slots__ = ("name", "state", "step", "total_steps", "loss", "eta", "queue_place", "attempt", "options", "adapter", "failure", "create_time", "start_time", "end_time", "curve", "photo_count", "likeness", "status_message", "event_number", "scores")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    ETA_FIELD_NUMBER: _ClassVar[int]
    QUEUE_PLACE_FIELD_NUMBER: _ClassVar[int]
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
    name: str
    state: JobState
    step: int
    total_steps: int
    loss: float
    eta: _duration_pb2.Duration
    queue_place: int
    attempt: int
    options: TrainingOptions
    adapter: Adapter
    failure: Failure
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    curve: _containers.RepeatedCompositeFieldContainer[LossPoint]
    photo_count: int
    likeness: float
    status_message: str
    event_number: int
    scores: TrainingScores
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., loss: _Optional[float] = ..., eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_place: _Optional[int] = ..., attempt: _Optional[int] = ..., options: _Optional[_Union[TrainingOptions, _Mapping]] = ..., adapter: _Optional[_Union[Adapter, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., curve: _Optional[_Iterable[_Union[LossPoint, _Mapping]]] = ..., photo_count: _Optional[int] = ..., likeness: _Optional[float] = ..., status_message: _Optional[str] = ..., event_number: _Optional[int] = ..., scores: _Optional[_Union[TrainingScores, _Mapping]] = ...) -> None: ...

class Style(_message.Message):
    __slots__ = ("name", "display_name", "description", "version", "outfit", "backdrop", "lighting", "framing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OUTFIT_FIELD_NUMBER: _ClassVar[int]
    BACKDROP_FIELD_NUMBER: _ClassVar[int]
    LIGHTING_FIELD_NUMBER: _ClassVar[int]
    FRAMING_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    description: str
    version: int
    outfit: str
    backdrop: str
    lighting: str
    framing: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., version: _Optional[int] = ..., outfit: _Optional[str] = ..., backdrop: _Optional[str] = ..., lighting: _Optional[str] = ..., framing: _Optional[str] = ...) -> None: ...

class Image(_message.Message):
    __slots__ = ("name", "style", "prompt", "seed", "width_px", "height_px", "content_type", "size_bytes", "sha256", "likeness", "seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    LIKENESS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    style: str
    prompt: str
    seed: int
    width_px: int
    height_px: int
    content_type: str
    size_bytes: int
    sha256: str
    likeness: float
    seconds: float
    def __init__(self, name: _Optional[str] = ..., style: _Optional[str] = ..., prompt: _Optional[str] = ..., seed: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., content_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., likeness: _Optional[float] = ..., seconds: _Optional[float] = ...) -> None: ...

class Remix(_message.Message):
    __slots__ = ("image", "repaint")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    REPAINT_FIELD_NUMBER: _ClassVar[int]
    image: str
    repaint: float
    def __init__(self, image: _Optional[str] = ..., repaint: _Optional[float] = ...) -> None: ...

class Gallery(_message.Message):
    __slots__ = ("name", "state", "styles", "shots_per_style", "seed", "total_shots", "completed_shots", "failed_shots", "adapter_sha256", "failure", "create_time", "end_time", "images", "status_message", "remix")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    SHOTS_PER_STYLE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SHOTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_SHOTS_FIELD_NUMBER: _ClassVar[int]
    FAILED_SHOTS_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMIX_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: JobState
    styles: _containers.RepeatedScalarFieldContainer[str]
    shots_per_style: int
    seed: int
    total_shots: int
    completed_shots: int
    failed_shots: int
    adapter_sha256: str
    failure: Failure
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    images: _containers.RepeatedCompositeFieldContainer[Image]
    status_message: str
    remix: Remix
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., styles: _Optional[_Iterable[str]] = ..., shots_per_style: _Optional[int] = ..., seed: _Optional[int] = ..., total_shots: _Optional[int] = ..., completed_shots: _Optional[int] = ..., failed_shots: _Optional[int] = ..., adapter_sha256: _Optional[str] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., images: _Optional[_Iterable[_Union[Image, _Mapping]]] = ..., status_message: _Optional[str] = ..., remix: _Optional[_Union[Remix, _Mapping]] = ...) -> None: ...
