from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredFile(_message.Message):
    __slots__ = ("key", "sha256", "size_bytes")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    key: str
    sha256: str
    size_bytes: int
    def __init__(self, key: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class Adapter(_message.Message):
    __slots__ = ("sha256", "key", "foundation_digest", "rank", "trigger", "size_bytes", "kohya_key", "manifest_key", "others")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FOUNDATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    KOHYA_KEY_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_KEY_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    key: str
    foundation_digest: str
    rank: int
    trigger: str
    size_bytes: int
    kohya_key: str
    manifest_key: str
    others: _containers.RepeatedCompositeFieldContainer[StoredFile]
    def __init__(self, sha256: _Optional[str] = ..., key: _Optional[str] = ..., foundation_digest: _Optional[str] = ..., rank: _Optional[int] = ..., trigger: _Optional[str] = ..., size_bytes: _Optional[int] = ..., kohya_key: _Optional[str] = ..., manifest_key: _Optional[str] = ..., others: _Optional[_Iterable[_Union[StoredFile, _Mapping]]] = ...) -> None: ...
