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

class AuditAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIT_ACTION_UNSPECIFIED: _ClassVar[AuditAction]
    AUDIT_ACTION_SUBJECT_CREATED: _ClassVar[AuditAction]
    AUDIT_ACTION_CONSENT_GIVEN: _ClassVar[AuditAction]
    AUDIT_ACTION_CONSENT_WITHDRAWN: _ClassVar[AuditAction]
    AUDIT_ACTION_RETENTION_EXTENDED: _ClassVar[AuditAction]
    AUDIT_ACTION_SUBJECT_HELD: _ClassVar[AuditAction]
    AUDIT_ACTION_SUBJECT_RELEASED: _ClassVar[AuditAction]
    AUDIT_ACTION_SUBJECT_EXPIRED: _ClassVar[AuditAction]
    AUDIT_ACTION_PHOTOS_UPLOADED: _ClassVar[AuditAction]
    AUDIT_ACTION_PHOTO_DELETED: _ClassVar[AuditAction]
    AUDIT_ACTION_TRAINING_CREATED: _ClassVar[AuditAction]
    AUDIT_ACTION_TRAINED: _ClassVar[AuditAction]
    AUDIT_ACTION_GALLERY_CREATED: _ClassVar[AuditAction]
    AUDIT_ACTION_SHOOT_CREATED: _ClassVar[AuditAction]
    AUDIT_ACTION_PAINTED: _ClassVar[AuditAction]
    AUDIT_ACTION_IMAGE_READ: _ClassVar[AuditAction]
    AUDIT_ACTION_PREVIEW_READ: _ClassVar[AuditAction]
    AUDIT_ACTION_LINK_CREATED: _ClassVar[AuditAction]
    AUDIT_ACTION_TRAINING_FILE_READ: _ClassVar[AuditAction]
    AUDIT_ACTION_IMAGE_DELETED: _ClassVar[AuditAction]
    AUDIT_ACTION_GALLERY_DELETED: _ClassVar[AuditAction]
    AUDIT_ACTION_SUBJECT_DELETED: _ClassVar[AuditAction]
    AUDIT_ACTION_SUBJECT_ERASED: _ClassVar[AuditAction]
    AUDIT_ACTION_IMAGE_VERIFIED: _ClassVar[AuditAction]
    AUDIT_ACTION_PHOTOS_EXPIRED: _ClassVar[AuditAction]
    AUDIT_ACTION_ADAPTER_EXPIRED: _ClassVar[AuditAction]
    AUDIT_ACTION_IMAGES_EXPIRED: _ClassVar[AuditAction]
AUDIT_ACTION_UNSPECIFIED: AuditAction
AUDIT_ACTION_SUBJECT_CREATED: AuditAction
AUDIT_ACTION_CONSENT_GIVEN: AuditAction
AUDIT_ACTION_CONSENT_WITHDRAWN: AuditAction
AUDIT_ACTION_RETENTION_EXTENDED: AuditAction
AUDIT_ACTION_SUBJECT_HELD: AuditAction
AUDIT_ACTION_SUBJECT_RELEASED: AuditAction
AUDIT_ACTION_SUBJECT_EXPIRED: AuditAction
AUDIT_ACTION_PHOTOS_UPLOADED: AuditAction
AUDIT_ACTION_PHOTO_DELETED: AuditAction
AUDIT_ACTION_TRAINING_CREATED: AuditAction
AUDIT_ACTION_TRAINED: AuditAction
AUDIT_ACTION_GALLERY_CREATED: AuditAction
AUDIT_ACTION_SHOOT_CREATED: AuditAction
AUDIT_ACTION_PAINTED: AuditAction
AUDIT_ACTION_IMAGE_READ: AuditAction
AUDIT_ACTION_PREVIEW_READ: AuditAction
AUDIT_ACTION_LINK_CREATED: AuditAction
AUDIT_ACTION_TRAINING_FILE_READ: AuditAction
AUDIT_ACTION_IMAGE_DELETED: AuditAction
AUDIT_ACTION_GALLERY_DELETED: AuditAction
AUDIT_ACTION_SUBJECT_DELETED: AuditAction
AUDIT_ACTION_SUBJECT_ERASED: AuditAction
AUDIT_ACTION_IMAGE_VERIFIED: AuditAction
AUDIT_ACTION_PHOTOS_EXPIRED: AuditAction
AUDIT_ACTION_ADAPTER_EXPIRED: AuditAction
AUDIT_ACTION_IMAGES_EXPIRED: AuditAction

class AuditEvent(_message.Message):
    __slots__ = ("name", "record_time", "key_id", "subject", "action", "resource", "count", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    record_time: _timestamp_pb2.Timestamp
    key_id: str
    subject: str
    action: AuditAction
    resource: str
    count: int
    sha256: str
    def __init__(self, name: _Optional[str] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_id: _Optional[str] = ..., subject: _Optional[str] = ..., action: _Optional[_Union[AuditAction, str]] = ..., resource: _Optional[str] = ..., count: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class ListAuditEventsRequest(_message.Message):
    __slots__ = ("subject", "actions", "start_time", "end_time", "page_size", "page_token")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subject: str
    actions: _containers.RepeatedScalarFieldContainer[AuditAction]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, subject: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[AuditAction, str]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAuditEventsResponse(_message.Message):
    __slots__ = ("audit_events", "next_page_token")
    AUDIT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    audit_events: _containers.RepeatedCompositeFieldContainer[AuditEvent]
    next_page_token: str
    def __init__(self, audit_events: _Optional[_Iterable[_Union[AuditEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
