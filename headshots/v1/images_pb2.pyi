from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImageFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_FORMAT_UNSPECIFIED: _ClassVar[ImageFormat]
    IMAGE_FORMAT_PNG: _ClassVar[ImageFormat]
    IMAGE_FORMAT_JPEG: _ClassVar[ImageFormat]
    IMAGE_FORMAT_WEBP: _ClassVar[ImageFormat]

class Acceptance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCEPTANCE_UNSPECIFIED: _ClassVar[Acceptance]
    ACCEPTANCE_ACCEPTED: _ClassVar[Acceptance]
    ACCEPTANCE_REFUSED: _ClassVar[Acceptance]
    ACCEPTANCE_NOT_MEASURED: _ClassVar[Acceptance]

class SignatureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGNATURE_STATE_UNSPECIFIED: _ClassVar[SignatureState]
    SIGNATURE_STATE_VALID: _ClassVar[SignatureState]
    SIGNATURE_STATE_UNTRUSTED: _ClassVar[SignatureState]
    SIGNATURE_STATE_BROKEN: _ClassVar[SignatureState]
    SIGNATURE_STATE_ABSENT: _ClassVar[SignatureState]
IMAGE_FORMAT_UNSPECIFIED: ImageFormat
IMAGE_FORMAT_PNG: ImageFormat
IMAGE_FORMAT_JPEG: ImageFormat
IMAGE_FORMAT_WEBP: ImageFormat
ACCEPTANCE_UNSPECIFIED: Acceptance
ACCEPTANCE_ACCEPTED: Acceptance
ACCEPTANCE_REFUSED: Acceptance
ACCEPTANCE_NOT_MEASURED: Acceptance
SIGNATURE_STATE_UNSPECIFIED: SignatureState
SIGNATURE_STATE_VALID: SignatureState
SIGNATURE_STATE_UNTRUSTED: SignatureState
SIGNATURE_STATE_BROKEN: SignatureState
SIGNATURE_STATE_ABSENT: SignatureState

class Check(_message.Message):
    __slots__ = ("reason", "passed", "measured", "limit", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    passed: bool
    measured: float
    limit: float
    message: str
    def __init__(self, reason: _Optional[str] = ..., passed: _Optional[bool] = ..., measured: _Optional[float] = ..., limit: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("acceptance", "profile", "profile_version", "analyzer", "checks")
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_VERSION_FIELD_NUMBER: _ClassVar[int]
    ANALYZER_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    acceptance: Acceptance
    profile: str
    profile_version: int
    analyzer: str
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    def __init__(self, acceptance: _Optional[_Union[Acceptance, str]] = ..., profile: _Optional[str] = ..., profile_version: _Optional[int] = ..., analyzer: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ...) -> None: ...

class Image(_message.Message):
    __slots__ = ("name", "style", "prompt", "seed", "width_px", "height_px", "content_type", "size_bytes", "sha256", "likeness", "seconds", "verdict", "rank", "tries", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
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
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    TRIES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
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
    verdict: Verdict
    rank: int
    tries: int
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, name: _Optional[str] = ..., style: _Optional[str] = ..., prompt: _Optional[str] = ..., seed: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., content_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., likeness: _Optional[float] = ..., seconds: _Optional[float] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., rank: _Optional[int] = ..., tries: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class ImageStart(_message.Message):
    __slots__ = ("size_bytes",)
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    def __init__(self, size_bytes: _Optional[int] = ...) -> None: ...

class VerifyImageRequest(_message.Message):
    __slots__ = ("image", "chunk")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    image: ImageStart
    chunk: bytes
    def __init__(self, image: _Optional[_Union[ImageStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ImageSignature(_message.Message):
    __slots__ = ("state", "signer", "failures")
    STATE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    state: SignatureState
    signer: str
    failures: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, state: _Optional[_Union[SignatureState, str]] = ..., signer: _Optional[str] = ..., failures: _Optional[_Iterable[str]] = ...) -> None: ...

class ImageMetadata(_message.Message):
    __slots__ = ("source_type", "system", "system_version", "owner", "usage_terms", "licence")
    SOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    USAGE_TERMS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    source_type: str
    system: str
    system_version: str
    owner: str
    usage_terms: str
    licence: str
    def __init__(self, source_type: _Optional[str] = ..., system: _Optional[str] = ..., system_version: _Optional[str] = ..., owner: _Optional[str] = ..., usage_terms: _Optional[str] = ..., licence: _Optional[str] = ...) -> None: ...

class ImageWatermark(_message.Message):
    __slots__ = ("mark_id", "confidence")
    MARK_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    mark_id: str
    confidence: float
    def __init__(self, mark_id: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class VerifyImageResponse(_message.Message):
    __slots__ = ("signature", "metadata", "watermark", "made_by_machine", "made_here", "yours", "erased", "images")
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_MACHINE_FIELD_NUMBER: _ClassVar[int]
    MADE_HERE_FIELD_NUMBER: _ClassVar[int]
    YOURS_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    signature: ImageSignature
    metadata: ImageMetadata
    watermark: ImageWatermark
    made_by_machine: bool
    made_here: bool
    yours: bool
    erased: bool
    images: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, signature: _Optional[_Union[ImageSignature, _Mapping]] = ..., metadata: _Optional[_Union[ImageMetadata, _Mapping]] = ..., watermark: _Optional[_Union[ImageWatermark, _Mapping]] = ..., made_by_machine: _Optional[bool] = ..., made_here: _Optional[bool] = ..., yours: _Optional[bool] = ..., erased: _Optional[bool] = ..., images: _Optional[_Iterable[str]] = ...) -> None: ...
