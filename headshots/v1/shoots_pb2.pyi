import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headshots.v1 import galleries_pb2 as _galleries_pb2
from headshots.v1 import images_pb2 as _images_pb2
from headshots.v1 import jobs_pb2 as _jobs_pb2
from headshots.v1 import trainings_pb2 as _trainings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShootStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHOOT_STAGE_UNSPECIFIED: _ClassVar[ShootStage]
    SHOOT_STAGE_TRAINING: _ClassVar[ShootStage]
    SHOOT_STAGE_PAINTING: _ClassVar[ShootStage]
    SHOOT_STAGE_ENDED: _ClassVar[ShootStage]
SHOOT_STAGE_UNSPECIFIED: ShootStage
SHOOT_STAGE_TRAINING: ShootStage
SHOOT_STAGE_PAINTING: ShootStage
SHOOT_STAGE_ENDED: ShootStage

class Quote(_message.Message):
    __slots__ = ("queue_place", "expected_finish_time", "latest_finish_time", "training_steps", "images", "device_seconds", "measured_on", "beyond_expiry")
    QUEUE_PLACE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    LATEST_FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    TRAINING_STEPS_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MEASURED_ON_FIELD_NUMBER: _ClassVar[int]
    BEYOND_EXPIRY_FIELD_NUMBER: _ClassVar[int]
    queue_place: int
    expected_finish_time: _timestamp_pb2.Timestamp
    latest_finish_time: _timestamp_pb2.Timestamp
    training_steps: int
    images: int
    device_seconds: float
    measured_on: int
    beyond_expiry: bool
    def __init__(self, queue_place: _Optional[int] = ..., expected_finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., training_steps: _Optional[int] = ..., images: _Optional[int] = ..., device_seconds: _Optional[float] = ..., measured_on: _Optional[int] = ..., beyond_expiry: _Optional[bool] = ...) -> None: ...

class Shoot(_message.Message):
    __slots__ = ("name", "state", "stage", "training", "trains", "gallery", "pack", "styles", "style_shots", "asked", "delivered", "tries", "max_tries", "profile", "profile_version", "guarantee", "training_step", "training_total_steps", "completed_shots", "quote", "deadline", "failure", "status_message", "create_time", "end_time", "event_number", "pack_version", "training_phase_message", "training_progress", "training_eta", "style_seeds", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    TRAINS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    STYLE_SHOTS_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    TRIES_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_VERSION_FIELD_NUMBER: _ClassVar[int]
    GUARANTEE_FIELD_NUMBER: _ClassVar[int]
    TRAINING_STEP_FIELD_NUMBER: _ClassVar[int]
    TRAINING_TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_SHOTS_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PACK_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRAINING_PHASE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRAINING_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_ETA_FIELD_NUMBER: _ClassVar[int]
    STYLE_SEEDS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _jobs_pb2.JobState
    stage: ShootStage
    training: str
    trains: bool
    gallery: str
    pack: str
    styles: _containers.RepeatedScalarFieldContainer[str]
    style_shots: _containers.RepeatedScalarFieldContainer[int]
    asked: int
    delivered: int
    tries: int
    max_tries: int
    profile: str
    profile_version: int
    guarantee: _galleries_pb2.Guarantee
    training_step: int
    training_total_steps: int
    completed_shots: int
    quote: Quote
    deadline: _timestamp_pb2.Timestamp
    failure: _jobs_pb2.Failure
    status_message: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    event_number: int
    pack_version: int
    training_phase_message: str
    training_progress: _trainings_pb2.TrainingProgress
    training_eta: _duration_pb2.Duration
    style_seeds: _galleries_pb2.StyleSeeds
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_jobs_pb2.JobState, str]] = ..., stage: _Optional[_Union[ShootStage, str]] = ..., training: _Optional[str] = ..., trains: _Optional[bool] = ..., gallery: _Optional[str] = ..., pack: _Optional[str] = ..., styles: _Optional[_Iterable[str]] = ..., style_shots: _Optional[_Iterable[int]] = ..., asked: _Optional[int] = ..., delivered: _Optional[int] = ..., tries: _Optional[int] = ..., max_tries: _Optional[int] = ..., profile: _Optional[str] = ..., profile_version: _Optional[int] = ..., guarantee: _Optional[_Union[_galleries_pb2.Guarantee, str]] = ..., training_step: _Optional[int] = ..., training_total_steps: _Optional[int] = ..., completed_shots: _Optional[int] = ..., quote: _Optional[_Union[Quote, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failure: _Optional[_Union[_jobs_pb2.Failure, _Mapping]] = ..., status_message: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_number: _Optional[int] = ..., pack_version: _Optional[int] = ..., training_phase_message: _Optional[str] = ..., training_progress: _Optional[_Union[_trainings_pb2.TrainingProgress, _Mapping]] = ..., training_eta: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., style_seeds: _Optional[_Union[_galleries_pb2.StyleSeeds, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateShootRequest(_message.Message):
    __slots__ = ("parent", "pack", "styles", "count", "photos", "retrain", "profile", "max_tries", "seed", "format", "quality", "priority", "deadline", "request_id", "validate_only", "allow_unjudged", "foundation", "style_seeds", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    RETRAIN_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    ALLOW_UNJUDGED_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    STYLE_SEEDS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    pack: str
    styles: _containers.RepeatedScalarFieldContainer[str]
    count: int
    photos: _containers.RepeatedScalarFieldContainer[str]
    retrain: bool
    profile: str
    max_tries: int
    seed: int
    format: _images_pb2.ImageFormat
    quality: int
    priority: _jobs_pb2.Priority
    deadline: _timestamp_pb2.Timestamp
    request_id: str
    validate_only: bool
    allow_unjudged: bool
    foundation: str
    style_seeds: _galleries_pb2.StyleSeeds
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, parent: _Optional[str] = ..., pack: _Optional[str] = ..., styles: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ..., photos: _Optional[_Iterable[str]] = ..., retrain: _Optional[bool] = ..., profile: _Optional[str] = ..., max_tries: _Optional[int] = ..., seed: _Optional[int] = ..., format: _Optional[_Union[_images_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ..., priority: _Optional[_Union[_jobs_pb2.Priority, str]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., allow_unjudged: _Optional[bool] = ..., foundation: _Optional[str] = ..., style_seeds: _Optional[_Union[_galleries_pb2.StyleSeeds, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateShootResponse(_message.Message):
    __slots__ = ("shoot",)
    SHOOT_FIELD_NUMBER: _ClassVar[int]
    shoot: Shoot
    def __init__(self, shoot: _Optional[_Union[Shoot, _Mapping]] = ...) -> None: ...

class GetShootRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetShootResponse(_message.Message):
    __slots__ = ("shoot",)
    SHOOT_FIELD_NUMBER: _ClassVar[int]
    shoot: Shoot
    def __init__(self, shoot: _Optional[_Union[Shoot, _Mapping]] = ...) -> None: ...

class ListShootsRequest(_message.Message):
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

class ListShootsResponse(_message.Message):
    __slots__ = ("shoots", "next_page_token")
    SHOOTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    shoots: _containers.RepeatedCompositeFieldContainer[Shoot]
    next_page_token: str
    def __init__(self, shoots: _Optional[_Iterable[_Union[Shoot, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchShootRequest(_message.Message):
    __slots__ = ("name", "after_event")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_event: int
    def __init__(self, name: _Optional[str] = ..., after_event: _Optional[int] = ...) -> None: ...

class WatchShootResponse(_message.Message):
    __slots__ = ("shoot", "images")
    SHOOT_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    shoot: Shoot
    images: _containers.RepeatedCompositeFieldContainer[_images_pb2.Image]
    def __init__(self, shoot: _Optional[_Union[Shoot, _Mapping]] = ..., images: _Optional[_Iterable[_Union[_images_pb2.Image, _Mapping]]] = ...) -> None: ...

class CancelShootRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelShootResponse(_message.Message):
    __slots__ = ("shoot",)
    SHOOT_FIELD_NUMBER: _ClassVar[int]
    shoot: Shoot
    def __init__(self, shoot: _Optional[_Union[Shoot, _Mapping]] = ...) -> None: ...
