from headshots.validate import validate_pb2 as _validate_pb2
from headshots.v1 import adapters_pb2 as _adapters_pb2
from headshots.v1 import images_pb2 as _images_pb2
from headshots.v1 import jobs_pb2 as _jobs_pb2
from headshots.v1 import looks_pb2 as _looks_pb2
from headshots.v1 import styles_pb2 as _styles_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Sampler(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAMPLER_UNSPECIFIED: _ClassVar[Sampler]
    SAMPLER_DDIM: _ClassVar[Sampler]
    SAMPLER_EULER: _ClassVar[Sampler]
    SAMPLER_DPMPP_2M: _ClassVar[Sampler]
    SAMPLER_EULER_ANCESTRAL: _ClassVar[Sampler]
    SAMPLER_DPMPP_2M_SDE: _ClassVar[Sampler]
    SAMPLER_LCM: _ClassVar[Sampler]
    SAMPLER_TCD: _ClassVar[Sampler]
SAMPLER_UNSPECIFIED: Sampler
SAMPLER_DDIM: Sampler
SAMPLER_EULER: Sampler
SAMPLER_DPMPP_2M: Sampler
SAMPLER_EULER_ANCESTRAL: Sampler
SAMPLER_DPMPP_2M_SDE: Sampler
SAMPLER_LCM: Sampler
SAMPLER_TCD: Sampler

class Picture(_message.Message):
    __slots__ = ("stored", "content")
    STORED_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    stored: StoredPicture
    content: bytes
    def __init__(self, stored: _Optional[_Union[StoredPicture, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class StoredPicture(_message.Message):
    __slots__ = ("key", "sha256")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    key: str
    sha256: str
    def __init__(self, key: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("picture", "repaint", "mask", "soft_mask", "whole")
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    REPAINT_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    SOFT_MASK_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    picture: Picture
    repaint: float
    mask: Picture
    soft_mask: bool
    whole: bool
    def __init__(self, picture: _Optional[_Union[Picture, _Mapping]] = ..., repaint: _Optional[float] = ..., mask: _Optional[_Union[Picture, _Mapping]] = ..., soft_mask: _Optional[bool] = ..., whole: _Optional[bool] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("tenant", "adapter", "adapter_strength", "prompt", "negative_prompt", "seed", "steps", "guidance_scale", "width_px", "height_px", "sampler", "format", "quality", "image_count", "preview_every", "output_prefix", "priority", "source", "noise", "negative_adapter_share", "rights", "guidance_interval", "frame")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    SAMPLER_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_EVERY_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PREFIX_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_ADAPTER_SHARE_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    adapter: _adapters_pb2.Adapter
    adapter_strength: float
    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    guidance_scale: float
    width_px: int
    height_px: int
    sampler: Sampler
    format: _images_pb2.ImageFormat
    quality: int
    image_count: int
    preview_every: int
    output_prefix: str
    priority: _jobs_pb2.Priority
    source: Source
    noise: bytes
    negative_adapter_share: float
    rights: TenantRights
    guidance_interval: _styles_pb2.GuidanceInterval
    frame: _looks_pb2.Frame
    def __init__(self, tenant: _Optional[str] = ..., adapter: _Optional[_Union[_adapters_pb2.Adapter, _Mapping]] = ..., adapter_strength: _Optional[float] = ..., prompt: _Optional[str] = ..., negative_prompt: _Optional[str] = ..., seed: _Optional[int] = ..., steps: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., sampler: _Optional[_Union[Sampler, str]] = ..., format: _Optional[_Union[_images_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ..., image_count: _Optional[int] = ..., preview_every: _Optional[int] = ..., output_prefix: _Optional[str] = ..., priority: _Optional[_Union[_jobs_pb2.Priority, str]] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., noise: _Optional[bytes] = ..., negative_adapter_share: _Optional[float] = ..., rights: _Optional[_Union[TenantRights, _Mapping]] = ..., guidance_interval: _Optional[_Union[_styles_pb2.GuidanceInterval, _Mapping]] = ..., frame: _Optional[_Union[_looks_pb2.Frame, _Mapping]] = ...) -> None: ...

class TenantRights(_message.Message):
    __slots__ = ("owner", "usage_terms", "licence", "with_prompts")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    USAGE_TERMS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    WITH_PROMPTS_FIELD_NUMBER: _ClassVar[int]
    owner: str
    usage_terms: str
    licence: str
    with_prompts: bool
    def __init__(self, owner: _Optional[str] = ..., usage_terms: _Optional[str] = ..., licence: _Optional[str] = ..., with_prompts: _Optional[bool] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("queued", "started", "step", "image")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    queued: Queued
    started: Started
    step: StepDone
    image: GeneratedImage
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., step: _Optional[_Union[StepDone, _Mapping]] = ..., image: _Optional[_Union[GeneratedImage, _Mapping]] = ...) -> None: ...

class Queued(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: int
    def __init__(self, position: _Optional[int] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("queue_seconds",)
    QUEUE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    queue_seconds: float
    def __init__(self, queue_seconds: _Optional[float] = ...) -> None: ...

class StepDone(_message.Message):
    __slots__ = ("index", "step", "total_steps", "preview")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    index: int
    step: int
    total_steps: int
    preview: bytes
    def __init__(self, index: _Optional[int] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., preview: _Optional[bytes] = ...) -> None: ...

class GeneratedImage(_message.Message):
    __slots__ = ("index", "content", "key", "sha256", "size_bytes", "content_type", "width_px", "height_px", "seed", "mark_id", "frame_missed")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MARK_ID_FIELD_NUMBER: _ClassVar[int]
    FRAME_MISSED_FIELD_NUMBER: _ClassVar[int]
    index: int
    content: bytes
    key: str
    sha256: str
    size_bytes: int
    content_type: str
    width_px: int
    height_px: int
    seed: int
    mark_id: str
    frame_missed: str
    def __init__(self, index: _Optional[int] = ..., content: _Optional[bytes] = ..., key: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., content_type: _Optional[str] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., seed: _Optional[int] = ..., mark_id: _Optional[str] = ..., frame_missed: _Optional[str] = ...) -> None: ...

class CheckGenerationRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: GenerateRequest
    def __init__(self, request: _Optional[_Union[GenerateRequest, _Mapping]] = ...) -> None: ...

class TextReading(_message.Message):
    __slots__ = ("tokens", "lost", "unknown_words")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_WORDS_FIELD_NUMBER: _ClassVar[int]
    tokens: int
    lost: str
    unknown_words: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tokens: _Optional[int] = ..., lost: _Optional[str] = ..., unknown_words: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckGenerationResponse(_message.Message):
    __slots__ = ("prompt", "negative_prompt", "width_px", "height_px", "steps", "guidance_scale", "guidance_interval", "row_steps")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ROW_STEPS_FIELD_NUMBER: _ClassVar[int]
    prompt: TextReading
    negative_prompt: TextReading
    width_px: int
    height_px: int
    steps: int
    guidance_scale: float
    guidance_interval: _styles_pb2.GuidanceInterval
    row_steps: int
    def __init__(self, prompt: _Optional[_Union[TextReading, _Mapping]] = ..., negative_prompt: _Optional[_Union[TextReading, _Mapping]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., steps: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., guidance_interval: _Optional[_Union[_styles_pb2.GuidanceInterval, _Mapping]] = ..., row_steps: _Optional[int] = ...) -> None: ...

class DescribeGeneratorRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeGeneratorResponse(_message.Message):
    __slots__ = ("foundation", "foundation_digest", "backend", "slots", "slots_used", "max_rank", "max_rows", "native_width_px", "native_height_px", "sampler", "steps", "guidance_scale", "requests_waiting", "requests_running", "prompt_template", "negative_prompt", "trigger", "latent_channels", "latent_cell_px", "adapter_guidance_scale", "negative_adapter_share", "adapter_strength", "min_width_px", "max_width_px", "min_height_px", "max_height_px", "size_multiple_px", "class_nouns", "vocabulary", "window_tokens", "slot_adapters", "host_adapters", "disk_adapters", "guidance_interval", "head_height", "eye_line")
    FOUNDATION_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_USED_FIELD_NUMBER: _ClassVar[int]
    MAX_RANK_FIELD_NUMBER: _ClassVar[int]
    MAX_ROWS_FIELD_NUMBER: _ClassVar[int]
    NATIVE_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    NATIVE_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    SAMPLER_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_WAITING_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    LATENT_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    LATENT_CELL_PX_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_ADAPTER_SHARE_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    MIN_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    MIN_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    SIZE_MULTIPLE_PX_FIELD_NUMBER: _ClassVar[int]
    CLASS_NOUNS_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SLOT_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    HOST_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    DISK_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    EYE_LINE_FIELD_NUMBER: _ClassVar[int]
    foundation: str
    foundation_digest: str
    backend: str
    slots: int
    slots_used: int
    max_rank: int
    max_rows: int
    native_width_px: int
    native_height_px: int
    sampler: Sampler
    steps: int
    guidance_scale: float
    requests_waiting: int
    requests_running: int
    prompt_template: str
    negative_prompt: str
    trigger: str
    latent_channels: int
    latent_cell_px: int
    adapter_guidance_scale: float
    negative_adapter_share: float
    adapter_strength: float
    min_width_px: int
    max_width_px: int
    min_height_px: int
    max_height_px: int
    size_multiple_px: int
    class_nouns: _containers.RepeatedScalarFieldContainer[str]
    vocabulary: _containers.RepeatedScalarFieldContainer[str]
    window_tokens: int
    slot_adapters: _containers.RepeatedScalarFieldContainer[str]
    host_adapters: _containers.RepeatedScalarFieldContainer[str]
    disk_adapters: _containers.RepeatedScalarFieldContainer[str]
    guidance_interval: _styles_pb2.GuidanceInterval
    head_height: float
    eye_line: float
    def __init__(self, foundation: _Optional[str] = ..., foundation_digest: _Optional[str] = ..., backend: _Optional[str] = ..., slots: _Optional[int] = ..., slots_used: _Optional[int] = ..., max_rank: _Optional[int] = ..., max_rows: _Optional[int] = ..., native_width_px: _Optional[int] = ..., native_height_px: _Optional[int] = ..., sampler: _Optional[_Union[Sampler, str]] = ..., steps: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., requests_waiting: _Optional[int] = ..., requests_running: _Optional[int] = ..., prompt_template: _Optional[str] = ..., negative_prompt: _Optional[str] = ..., trigger: _Optional[str] = ..., latent_channels: _Optional[int] = ..., latent_cell_px: _Optional[int] = ..., adapter_guidance_scale: _Optional[float] = ..., negative_adapter_share: _Optional[float] = ..., adapter_strength: _Optional[float] = ..., min_width_px: _Optional[int] = ..., max_width_px: _Optional[int] = ..., min_height_px: _Optional[int] = ..., max_height_px: _Optional[int] = ..., size_multiple_px: _Optional[int] = ..., class_nouns: _Optional[_Iterable[str]] = ..., vocabulary: _Optional[_Iterable[str]] = ..., window_tokens: _Optional[int] = ..., slot_adapters: _Optional[_Iterable[str]] = ..., host_adapters: _Optional[_Iterable[str]] = ..., disk_adapters: _Optional[_Iterable[str]] = ..., guidance_interval: _Optional[_Union[_styles_pb2.GuidanceInterval, _Mapping]] = ..., head_height: _Optional[float] = ..., eye_line: _Optional[float] = ...) -> None: ...

class EvictAdapterRequest(_message.Message):
    __slots__ = ("sha256",)
    SHA256_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    def __init__(self, sha256: _Optional[str] = ...) -> None: ...

class EvictAdapterResponse(_message.Message):
    __slots__ = ("evicted",)
    EVICTED_FIELD_NUMBER: _ClassVar[int]
    evicted: bool
    def __init__(self, evicted: _Optional[bool] = ...) -> None: ...
