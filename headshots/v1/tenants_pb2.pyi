import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tenant(_message.Message):
    __slots__ = ("name", "display_name", "create_time", "consent_required", "retention_seconds", "photo_retention_seconds", "adapter_retention_seconds", "image_retention_seconds", "rights_owner", "usage_terms", "licence", "prompts_in_images")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PHOTO_RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_OWNER_FIELD_NUMBER: _ClassVar[int]
    USAGE_TERMS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_IN_IMAGES_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    create_time: _timestamp_pb2.Timestamp
    consent_required: bool
    retention_seconds: int
    photo_retention_seconds: int
    adapter_retention_seconds: int
    image_retention_seconds: int
    rights_owner: str
    usage_terms: str
    licence: str
    prompts_in_images: bool
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consent_required: _Optional[bool] = ..., retention_seconds: _Optional[int] = ..., photo_retention_seconds: _Optional[int] = ..., adapter_retention_seconds: _Optional[int] = ..., image_retention_seconds: _Optional[int] = ..., rights_owner: _Optional[str] = ..., usage_terms: _Optional[str] = ..., licence: _Optional[str] = ..., prompts_in_images: _Optional[bool] = ...) -> None: ...

class GetTenantRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTenantResponse(_message.Message):
    __slots__ = ("tenant",)
    TENANT_FIELD_NUMBER: _ClassVar[int]
    tenant: Tenant
    def __init__(self, tenant: _Optional[_Union[Tenant, _Mapping]] = ...) -> None: ...

class UpdateTenantRequest(_message.Message):
    __slots__ = ("update_mask", "retention_seconds", "photo_retention_seconds", "adapter_retention_seconds", "image_retention_seconds", "rights_owner", "usage_terms", "licence", "prompts_in_images")
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PHOTO_RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_RETENTION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_OWNER_FIELD_NUMBER: _ClassVar[int]
    USAGE_TERMS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_IN_IMAGES_FIELD_NUMBER: _ClassVar[int]
    update_mask: _field_mask_pb2.FieldMask
    retention_seconds: int
    photo_retention_seconds: int
    adapter_retention_seconds: int
    image_retention_seconds: int
    rights_owner: str
    usage_terms: str
    licence: str
    prompts_in_images: bool
    def __init__(self, update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., retention_seconds: _Optional[int] = ..., photo_retention_seconds: _Optional[int] = ..., adapter_retention_seconds: _Optional[int] = ..., image_retention_seconds: _Optional[int] = ..., rights_owner: _Optional[str] = ..., usage_terms: _Optional[str] = ..., licence: _Optional[str] = ..., prompts_in_images: _Optional[bool] = ...) -> None: ...

class UpdateTenantResponse(_message.Message):
    __slots__ = ("tenant",)
    TENANT_FIELD_NUMBER: _ClassVar[int]
    tenant: Tenant
    def __init__(self, tenant: _Optional[_Union[Tenant, _Mapping]] = ...) -> None: ...
