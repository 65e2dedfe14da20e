from headshots.validate import validate_pb2 as _validate_pb2
from headshots.v1 import styles_pb2 as _styles_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Foundation(_message.Message):
    __slots__ = ("name", "display_name", "native_width_px", "native_height_px", "min_width_px", "max_width_px", "min_height_px", "max_height_px", "size_multiple_px", "steps", "guidance_scale", "prompt_template", "class_nouns", "vocabulary", "window_tokens", "max_rank", "is_default", "ready_generators", "sampler", "digest", "negative_prompt", "guidance_interval", "head_height", "eye_line")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    NATIVE_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    NATIVE_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    MIN_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    MIN_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    SIZE_MULTIPLE_PX_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    CLASS_NOUNS_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_RANK_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    READY_GENERATORS_FIELD_NUMBER: _ClassVar[int]
    SAMPLER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    EYE_LINE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    native_width_px: int
    native_height_px: int
    min_width_px: int
    max_width_px: int
    min_height_px: int
    max_height_px: int
    size_multiple_px: int
    steps: int
    guidance_scale: float
    prompt_template: str
    class_nouns: _containers.RepeatedScalarFieldContainer[str]
    vocabulary: _containers.RepeatedScalarFieldContainer[str]
    window_tokens: int
    max_rank: int
    is_default: bool
    ready_generators: int
    sampler: str
    digest: str
    negative_prompt: str
    guidance_interval: _styles_pb2.GuidanceInterval
    head_height: float
    eye_line: float
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., native_width_px: _Optional[int] = ..., native_height_px: _Optional[int] = ..., min_width_px: _Optional[int] = ..., max_width_px: _Optional[int] = ..., min_height_px: _Optional[int] = ..., max_height_px: _Optional[int] = ..., size_multiple_px: _Optional[int] = ..., steps: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., prompt_template: _Optional[str] = ..., class_nouns: _Optional[_Iterable[str]] = ..., vocabulary: _Optional[_Iterable[str]] = ..., window_tokens: _Optional[int] = ..., max_rank: _Optional[int] = ..., is_default: _Optional[bool] = ..., ready_generators: _Optional[int] = ..., sampler: _Optional[str] = ..., digest: _Optional[str] = ..., negative_prompt: _Optional[str] = ..., guidance_interval: _Optional[_Union[_styles_pb2.GuidanceInterval, _Mapping]] = ..., head_height: _Optional[float] = ..., eye_line: _Optional[float] = ...) -> None: ...

class ListFoundationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFoundationsResponse(_message.Message):
    __slots__ = ("foundations", "next_page_token")
    FOUNDATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    foundations: _containers.RepeatedCompositeFieldContainer[Foundation]
    next_page_token: str
    def __init__(self, foundations: _Optional[_Iterable[_Union[Foundation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetFoundationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFoundationResponse(_message.Message):
    __slots__ = ("foundation",)
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    foundation: Foundation
    def __init__(self, foundation: _Optional[_Union[Foundation, _Mapping]] = ...) -> None: ...
