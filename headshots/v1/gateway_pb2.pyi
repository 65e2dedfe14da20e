from buf.validate import validate_pb2 as _validate_pb2
from headshots.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetTenantRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTenantResponse(_message.Message):
    __slots__ = ("tenant",)
    TENANT_FIELD_NUMBER: _ClassVar[int]
    tenant: _resources_pb2.Tenant
    def __init__(self, tenant: _Optional[_Union[_resources_pb2.Tenant, _Mapping]] = ...) -> None: ...

class CreateSubjectRequest(_message.Message):
    __slots__ = ("display_name", "class_noun", "request_id")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CLASS_NOUN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    class_noun: str
    request_id: str
    def __init__(self, display_name: _Optional[str] = ..., class_noun: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateSubjectResponse(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: _resources_pb2.Subject
    def __init__(self, subject: _Optional[_Union[_resources_pb2.Subject, _Mapping]] = ...) -> None: ...

class GetSubjectRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSubjectResponse(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: _resources_pb2.Subject
    def __init__(self, subject: _Optional[_Union[_resources_pb2.Subject, _Mapping]] = ...) -> None: ...

class ListSubjectsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSubjectsResponse(_message.Message):
    __slots__ = ("subjects", "next_page_token")
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subjects: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Subject]
    next_page_token: str
    def __init__(self, subjects: _Optional[_Iterable[_Union[_resources_pb2.Subject, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteSubjectRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteSubjectResponse(_message.Message):
    __slots__ = ("deleted_objects",)
    DELETED_OBJECTS_FIELD_NUMBER: _ClassVar[int]
    deleted_objects: int
    def __init__(self, deleted_objects: _Optional[int] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("parent",)
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class PhotoStart(_message.Message):
    __slots__ = ("filename", "size_bytes")
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    filename: str
    size_bytes: int
    def __init__(self, filename: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class UploadPhotosRequest(_message.Message):
    __slots__ = ("header", "photo", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    photo: PhotoStart
    chunk: bytes
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., photo: _Optional[_Union[PhotoStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class UploadPhotosResponse(_message.Message):
    __slots__ = ("photos",)
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    photos: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Photo]
    def __init__(self, photos: _Optional[_Iterable[_Union[_resources_pb2.Photo, _Mapping]]] = ...) -> None: ...

class ListPhotosRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPhotosResponse(_message.Message):
    __slots__ = ("photos", "next_page_token")
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    photos: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Photo]
    next_page_token: str
    def __init__(self, photos: _Optional[_Iterable[_Union[_resources_pb2.Photo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class InspectPhotosHeader(_message.Message):
    __slots__ = ("parent",)
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class CandidatePhoto(_message.Message):
    __slots__ = ("filename", "size_bytes")
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    filename: str
    size_bytes: int
    def __init__(self, filename: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class InspectPhotosRequest(_message.Message):
    __slots__ = ("header", "photo", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: InspectPhotosHeader
    photo: CandidatePhoto
    chunk: bytes
    def __init__(self, header: _Optional[_Union[InspectPhotosHeader, _Mapping]] = ..., photo: _Optional[_Union[CandidatePhoto, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class PhotoFinding(_message.Message):
    __slots__ = ("reason", "message", "measured", "limit", "duplicate_of", "cause")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_OF_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    measured: float
    limit: float
    duplicate_of: int
    cause: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., measured: _Optional[float] = ..., limit: _Optional[float] = ..., duplicate_of: _Optional[int] = ..., cause: _Optional[str] = ...) -> None: ...

class PhotoInspection(_message.Message):
    __slots__ = ("name", "filename", "usable", "findings", "width_px", "height_px")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    USABLE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    name: str
    filename: str
    usable: bool
    findings: _containers.RepeatedCompositeFieldContainer[PhotoFinding]
    width_px: int
    height_px: int
    def __init__(self, name: _Optional[str] = ..., filename: _Optional[str] = ..., usable: _Optional[bool] = ..., findings: _Optional[_Iterable[_Union[PhotoFinding, _Mapping]]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ...) -> None: ...

class InspectPhotosResponse(_message.Message):
    __slots__ = ("photos", "usable_count", "findings", "ready_to_train", "faces_checked", "analyzer")
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    USABLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    READY_TO_TRAIN_FIELD_NUMBER: _ClassVar[int]
    FACES_CHECKED_FIELD_NUMBER: _ClassVar[int]
    ANALYZER_FIELD_NUMBER: _ClassVar[int]
    photos: _containers.RepeatedCompositeFieldContainer[PhotoInspection]
    usable_count: int
    findings: _containers.RepeatedCompositeFieldContainer[PhotoFinding]
    ready_to_train: bool
    faces_checked: bool
    analyzer: str
    def __init__(self, photos: _Optional[_Iterable[_Union[PhotoInspection, _Mapping]]] = ..., usable_count: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[PhotoFinding, _Mapping]]] = ..., ready_to_train: _Optional[bool] = ..., faces_checked: _Optional[bool] = ..., analyzer: _Optional[str] = ...) -> None: ...

class CreateTrainingRequest(_message.Message):
    __slots__ = ("parent", "options", "priority", "request_id", "validate_only", "photos")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    options: _resources_pb2.TrainingOptions
    priority: _resources_pb2.Priority
    request_id: str
    validate_only: bool
    photos: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, parent: _Optional[str] = ..., options: _Optional[_Union[_resources_pb2.TrainingOptions, _Mapping]] = ..., priority: _Optional[_Union[_resources_pb2.Priority, str]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., photos: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: _resources_pb2.Training
    def __init__(self, training: _Optional[_Union[_resources_pb2.Training, _Mapping]] = ...) -> None: ...

class GetTrainingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: _resources_pb2.Training
    def __init__(self, training: _Optional[_Union[_resources_pb2.Training, _Mapping]] = ...) -> None: ...

class ListTrainingsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTrainingsResponse(_message.Message):
    __slots__ = ("trainings", "next_page_token")
    TRAININGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    trainings: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Training]
    next_page_token: str
    def __init__(self, trainings: _Optional[_Iterable[_Union[_resources_pb2.Training, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchTrainingRequest(_message.Message):
    __slots__ = ("name", "after_event")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_event: int
    def __init__(self, name: _Optional[str] = ..., after_event: _Optional[int] = ...) -> None: ...

class WatchTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: _resources_pb2.Training
    def __init__(self, training: _Optional[_Union[_resources_pb2.Training, _Mapping]] = ...) -> None: ...

class CancelTrainingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: _resources_pb2.Training
    def __init__(self, training: _Optional[_Union[_resources_pb2.Training, _Mapping]] = ...) -> None: ...

class CreateGalleryRequest(_message.Message):
    __slots__ = ("parent", "styles", "shots_per_style", "seed", "format", "quality", "priority", "request_id", "validate_only", "remix")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    SHOTS_PER_STYLE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REMIX_FIELD_NUMBER: _ClassVar[int]
    parent: str
    styles: _containers.RepeatedScalarFieldContainer[str]
    shots_per_style: int
    seed: int
    format: _resources_pb2.ImageFormat
    quality: int
    priority: _resources_pb2.Priority
    request_id: str
    validate_only: bool
    remix: _resources_pb2.Remix
    def __init__(self, parent: _Optional[str] = ..., styles: _Optional[_Iterable[str]] = ..., shots_per_style: _Optional[int] = ..., seed: _Optional[int] = ..., format: _Optional[_Union[_resources_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ..., priority: _Optional[_Union[_resources_pb2.Priority, str]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., remix: _Optional[_Union[_resources_pb2.Remix, _Mapping]] = ...) -> None: ...

class CreateGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: _resources_pb2.Gallery
    def __init__(self, gallery: _Optional[_Union[_resources_pb2.Gallery, _Mapping]] = ...) -> None: ...

class GetGalleryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: _resources_pb2.Gallery
    def __init__(self, gallery: _Optional[_Union[_resources_pb2.Gallery, _Mapping]] = ...) -> None: ...

class ListGalleriesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGalleriesResponse(_message.Message):
    __slots__ = ("galleries", "next_page_token")
    GALLERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    galleries: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Gallery]
    next_page_token: str
    def __init__(self, galleries: _Optional[_Iterable[_Union[_resources_pb2.Gallery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchGalleryRequest(_message.Message):
    __slots__ = ("name", "include_content", "include_previews")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PREVIEWS_FIELD_NUMBER: _ClassVar[int]
    name: str
    include_content: bool
    include_previews: bool
    def __init__(self, name: _Optional[str] = ..., include_content: _Optional[bool] = ..., include_previews: _Optional[bool] = ...) -> None: ...

class ShotPreview(_message.Message):
    __slots__ = ("shot", "step", "total_steps", "content")
    SHOT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    shot: int
    step: int
    total_steps: int
    content: bytes
    def __init__(self, shot: _Optional[int] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., content: _Optional[bytes] = ...) -> None: ...

class WatchGalleryResponse(_message.Message):
    __slots__ = ("gallery", "image", "preview", "content")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    gallery: _resources_pb2.Gallery
    image: _resources_pb2.Image
    preview: ShotPreview
    content: bytes
    def __init__(self, gallery: _Optional[_Union[_resources_pb2.Gallery, _Mapping]] = ..., image: _Optional[_Union[_resources_pb2.Image, _Mapping]] = ..., preview: _Optional[_Union[ShotPreview, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class CancelGalleryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: _resources_pb2.Gallery
    def __init__(self, gallery: _Optional[_Union[_resources_pb2.Gallery, _Mapping]] = ...) -> None: ...

class GetImageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetImageResponse(_message.Message):
    __slots__ = ("image", "content")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    image: _resources_pb2.Image
    content: bytes
    def __init__(self, image: _Optional[_Union[_resources_pb2.Image, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class ListStylesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStylesResponse(_message.Message):
    __slots__ = ("styles", "next_page_token")
    STYLES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    styles: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Style]
    next_page_token: str
    def __init__(self, styles: _Optional[_Iterable[_Union[_resources_pb2.Style, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetStyleRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetStyleResponse(_message.Message):
    __slots__ = ("style",)
    STYLE_FIELD_NUMBER: _ClassVar[int]
    style: _resources_pb2.Style
    def __init__(self, style: _Optional[_Union[_resources_pb2.Style, _Mapping]] = ...) -> None: ...
