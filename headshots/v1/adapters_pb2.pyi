from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

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
