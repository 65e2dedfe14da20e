import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headshots.v1 import images_pb2 as _images_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SeedPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEED_POLICY_UNSPECIFIED: _ClassVar[SeedPolicy]
    SEED_POLICY_SAME: _ClassVar[SeedPolicy]
    SEED_POLICY_VARIED: _ClassVar[SeedPolicy]
SEED_POLICY_UNSPECIFIED: SeedPolicy
SEED_POLICY_SAME: SeedPolicy
SEED_POLICY_VARIED: SeedPolicy

class Frame(_message.Message):
    __slots__ = ("width_px", "height_px", "eye_line", "head_height")
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    EYE_LINE_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    width_px: int
    height_px: int
    eye_line: float
    head_height: float
    def __init__(self, width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., eye_line: _Optional[float] = ..., head_height: _Optional[float] = ...) -> None: ...

class Look(_message.Message):
    __slots__ = ("name", "display_name", "description", "version", "styles", "portraits", "frame", "profile", "seed_policy", "seed", "max_tries", "max_repaints", "format", "quality", "archived", "create_time", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SEED_POLICY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    MAX_REPAINTS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    description: str
    version: int
    styles: _containers.RepeatedScalarFieldContainer[str]
    portraits: int
    frame: Frame
    profile: str
    seed_policy: SeedPolicy
    seed: int
    max_tries: int
    max_repaints: int
    format: _images_pb2.ImageFormat
    quality: int
    archived: bool
    create_time: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., version: _Optional[int] = ..., styles: _Optional[_Iterable[str]] = ..., portraits: _Optional[int] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., profile: _Optional[str] = ..., seed_policy: _Optional[_Union[SeedPolicy, str]] = ..., seed: _Optional[int] = ..., max_tries: _Optional[int] = ..., max_repaints: _Optional[int] = ..., format: _Optional[_Union[_images_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ..., archived: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class LookStyles(_message.Message):
    __slots__ = ("styles",)
    STYLES_FIELD_NUMBER: _ClassVar[int]
    styles: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, styles: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateLookRequest(_message.Message):
    __slots__ = ("look_id", "display_name", "description", "request_id", "styles", "portraits", "frame", "profile", "seed_policy", "seed", "max_tries", "max_repaints", "format", "quality", "validate_only", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LOOK_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SEED_POLICY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    MAX_REPAINTS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    look_id: str
    display_name: str
    description: str
    request_id: str
    styles: _containers.RepeatedScalarFieldContainer[str]
    portraits: int
    frame: Frame
    profile: str
    seed_policy: SeedPolicy
    seed: int
    max_tries: int
    max_repaints: int
    format: _images_pb2.ImageFormat
    quality: int
    validate_only: bool
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, look_id: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., request_id: _Optional[str] = ..., styles: _Optional[_Iterable[str]] = ..., portraits: _Optional[int] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., profile: _Optional[str] = ..., seed_policy: _Optional[_Union[SeedPolicy, str]] = ..., seed: _Optional[int] = ..., max_tries: _Optional[int] = ..., max_repaints: _Optional[int] = ..., format: _Optional[_Union[_images_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ..., validate_only: _Optional[bool] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateLookResponse(_message.Message):
    __slots__ = ("look",)
    LOOK_FIELD_NUMBER: _ClassVar[int]
    look: Look
    def __init__(self, look: _Optional[_Union[Look, _Mapping]] = ...) -> None: ...

class ListLooksRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "include_archived", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    include_archived: bool
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_archived: _Optional[bool] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class ListLooksResponse(_message.Message):
    __slots__ = ("looks", "next_page_token")
    LOOKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    looks: _containers.RepeatedCompositeFieldContainer[Look]
    next_page_token: str
    def __init__(self, looks: _Optional[_Iterable[_Union[Look, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetLookRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetLookResponse(_message.Message):
    __slots__ = ("look",)
    LOOK_FIELD_NUMBER: _ClassVar[int]
    look: Look
    def __init__(self, look: _Optional[_Union[Look, _Mapping]] = ...) -> None: ...

class UpdateLookRequest(_message.Message):
    __slots__ = ("name", "display_name", "description", "validate_only", "styles", "portraits", "frame", "profile", "seed_policy", "seed", "max_tries", "max_repaints", "format", "quality")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SEED_POLICY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    MAX_REPAINTS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    description: str
    validate_only: bool
    styles: LookStyles
    portraits: int
    frame: Frame
    profile: str
    seed_policy: SeedPolicy
    seed: int
    max_tries: int
    max_repaints: int
    format: _images_pb2.ImageFormat
    quality: int
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., validate_only: _Optional[bool] = ..., styles: _Optional[_Union[LookStyles, _Mapping]] = ..., portraits: _Optional[int] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., profile: _Optional[str] = ..., seed_policy: _Optional[_Union[SeedPolicy, str]] = ..., seed: _Optional[int] = ..., max_tries: _Optional[int] = ..., max_repaints: _Optional[int] = ..., format: _Optional[_Union[_images_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ...) -> None: ...

class UpdateLookResponse(_message.Message):
    __slots__ = ("look",)
    LOOK_FIELD_NUMBER: _ClassVar[int]
    look: Look
    def __init__(self, look: _Optional[_Union[Look, _Mapping]] = ...) -> None: ...

class ArchiveLookRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ArchiveLookResponse(_message.Message):
    __slots__ = ("look",)
    LOOK_FIELD_NUMBER: _ClassVar[int]
    look: Look
    def __init__(self, look: _Optional[_Union[Look, _Mapping]] = ...) -> None: ...
