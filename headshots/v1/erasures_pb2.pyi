import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErasureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_STATE_UNSPECIFIED: _ClassVar[ErasureState]
    ERASURE_STATE_PENDING: _ClassVar[ErasureState]
    ERASURE_STATE_PENDING_BACKUPS: _ClassVar[ErasureState]
    ERASURE_STATE_COMPLETE: _ClassVar[ErasureState]

class ErasureTrigger(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_TRIGGER_UNSPECIFIED: _ClassVar[ErasureTrigger]
    ERASURE_TRIGGER_REQUEST: _ClassVar[ErasureTrigger]
    ERASURE_TRIGGER_EXPIRY: _ClassVar[ErasureTrigger]
    ERASURE_TRIGGER_CONSENT_WITHDRAWN: _ClassVar[ErasureTrigger]
    ERASURE_TRIGGER_REPLAY: _ClassVar[ErasureTrigger]
    ERASURE_TRIGGER_UNKNOWN: _ClassVar[ErasureTrigger]
ERASURE_STATE_UNSPECIFIED: ErasureState
ERASURE_STATE_PENDING: ErasureState
ERASURE_STATE_PENDING_BACKUPS: ErasureState
ERASURE_STATE_COMPLETE: ErasureState
ERASURE_TRIGGER_UNSPECIFIED: ErasureTrigger
ERASURE_TRIGGER_REQUEST: ErasureTrigger
ERASURE_TRIGGER_EXPIRY: ErasureTrigger
ERASURE_TRIGGER_CONSENT_WITHDRAWN: ErasureTrigger
ERASURE_TRIGGER_REPLAY: ErasureTrigger
ERASURE_TRIGGER_UNKNOWN: ErasureTrigger

class Erasure(_message.Message):
    __slots__ = ("name", "state", "trigger", "subject_commitment", "request_time", "erase_time", "sign_time", "backups_end_time", "number", "receipt", "receipt_sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TIME_FIELD_NUMBER: _ClassVar[int]
    ERASE_TIME_FIELD_NUMBER: _ClassVar[int]
    SIGN_TIME_FIELD_NUMBER: _ClassVar[int]
    BACKUPS_END_TIME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: ErasureState
    trigger: ErasureTrigger
    subject_commitment: str
    request_time: _timestamp_pb2.Timestamp
    erase_time: _timestamp_pb2.Timestamp
    sign_time: _timestamp_pb2.Timestamp
    backups_end_time: _timestamp_pb2.Timestamp
    number: int
    receipt: str
    receipt_sha256: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[ErasureState, str]] = ..., trigger: _Optional[_Union[ErasureTrigger, str]] = ..., subject_commitment: _Optional[str] = ..., request_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., erase_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sign_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., backups_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., number: _Optional[int] = ..., receipt: _Optional[str] = ..., receipt_sha256: _Optional[str] = ...) -> None: ...

class ErasureKey(_message.Message):
    __slots__ = ("name", "public_key_pem", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_PEM_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    public_key_pem: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., public_key_pem: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ErasureCommitment(_message.Message):
    __slots__ = ("store_class", "commitment", "size_bytes", "object_sha256", "create_time")
    STORE_CLASS_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OBJECT_SHA256_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    store_class: str
    commitment: str
    size_bytes: int
    object_sha256: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, store_class: _Optional[str] = ..., commitment: _Optional[str] = ..., size_bytes: _Optional[int] = ..., object_sha256: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetErasureReceiptRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetErasureReceiptResponse(_message.Message):
    __slots__ = ("erasure",)
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    erasure: Erasure
    def __init__(self, erasure: _Optional[_Union[Erasure, _Mapping]] = ...) -> None: ...

class ListErasureReceiptsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "subject_commitment")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    subject_commitment: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., subject_commitment: _Optional[str] = ...) -> None: ...

class ListErasureReceiptsResponse(_message.Message):
    __slots__ = ("erasures", "next_page_token")
    ERASURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    erasures: _containers.RepeatedCompositeFieldContainer[Erasure]
    next_page_token: str
    def __init__(self, erasures: _Optional[_Iterable[_Union[Erasure, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListErasureKeysRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListErasureKeysResponse(_message.Message):
    __slots__ = ("keys", "next_page_token")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[ErasureKey]
    next_page_token: str
    def __init__(self, keys: _Optional[_Iterable[_Union[ErasureKey, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListErasureCommitmentsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListErasureCommitmentsResponse(_message.Message):
    __slots__ = ("commitments", "next_page_token")
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    commitments: _containers.RepeatedCompositeFieldContainer[ErasureCommitment]
    next_page_token: str
    def __init__(self, commitments: _Optional[_Iterable[_Union[ErasureCommitment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
