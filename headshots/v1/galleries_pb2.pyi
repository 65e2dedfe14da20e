import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headshots.v1 import images_pb2 as _images_pb2
from headshots.v1 import jobs_pb2 as _jobs_pb2
from headshots.v1 import labels_pb2 as _labels_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RemixChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMIX_CHANGE_UNSPECIFIED: _ClassVar[RemixChange]
    REMIX_CHANGE_BACKDROP: _ClassVar[RemixChange]
    REMIX_CHANGE_OUTFIT: _ClassVar[RemixChange]
    REMIX_CHANGE_LIGHT: _ClassVar[RemixChange]

class StyleSeeds(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STYLE_SEEDS_UNSPECIFIED: _ClassVar[StyleSeeds]
    STYLE_SEEDS_SAME: _ClassVar[StyleSeeds]
    STYLE_SEEDS_VARIED: _ClassVar[StyleSeeds]

class Guarantee(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GUARANTEE_UNSPECIFIED: _ClassVar[Guarantee]
    GUARANTEE_MET: _ClassVar[Guarantee]
    GUARANTEE_NOT_MET: _ClassVar[Guarantee]
    GUARANTEE_NOT_MEASURED: _ClassVar[Guarantee]

class ImageOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_ORDER_UNSPECIFIED: _ClassVar[ImageOrder]
    IMAGE_ORDER_NUMBER: _ClassVar[ImageOrder]
    IMAGE_ORDER_RANK: _ClassVar[ImageOrder]
REMIX_CHANGE_UNSPECIFIED: RemixChange
REMIX_CHANGE_BACKDROP: RemixChange
REMIX_CHANGE_OUTFIT: RemixChange
REMIX_CHANGE_LIGHT: RemixChange
STYLE_SEEDS_UNSPECIFIED: StyleSeeds
STYLE_SEEDS_SAME: StyleSeeds
STYLE_SEEDS_VARIED: StyleSeeds
GUARANTEE_UNSPECIFIED: Guarantee
GUARANTEE_MET: Guarantee
GUARANTEE_NOT_MET: Guarantee
GUARANTEE_NOT_MEASURED: Guarantee
IMAGE_ORDER_UNSPECIFIED: ImageOrder
IMAGE_ORDER_NUMBER: ImageOrder
IMAGE_ORDER_RANK: ImageOrder

class Remix(_message.Message):
    __slots__ = ("image", "repaint", "change", "to")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    REPAINT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    image: str
    repaint: float
    change: RemixChange
    to: str
    def __init__(self, image: _Optional[str] = ..., repaint: _Optional[float] = ..., change: _Optional[_Union[RemixChange, str]] = ..., to: _Optional[str] = ...) -> None: ...

class Gallery(_message.Message):
    __slots__ = ("name", "state", "styles", "shots_per_style", "seed", "total_shots", "completed_shots", "failed_shots", "adapter_sha256", "failure", "create_time", "end_time", "images", "status_message", "remix", "style_shots", "profile", "profile_version", "max_tries", "accepted_shots", "tries", "guarantee", "regenerates", "images_expire_time", "style_seeds", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    SHOTS_PER_STYLE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SHOTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_SHOTS_FIELD_NUMBER: _ClassVar[int]
    FAILED_SHOTS_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMIX_FIELD_NUMBER: _ClassVar[int]
    STYLE_SHOTS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_SHOTS_FIELD_NUMBER: _ClassVar[int]
    TRIES_FIELD_NUMBER: _ClassVar[int]
    GUARANTEE_FIELD_NUMBER: _ClassVar[int]
    REGENERATES_FIELD_NUMBER: _ClassVar[int]
    IMAGES_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    STYLE_SEEDS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _jobs_pb2.JobState
    styles: _containers.RepeatedScalarFieldContainer[str]
    shots_per_style: int
    seed: int
    total_shots: int
    completed_shots: int
    failed_shots: int
    adapter_sha256: str
    failure: _jobs_pb2.Failure
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    images: _containers.RepeatedCompositeFieldContainer[_images_pb2.Image]
    status_message: str
    remix: Remix
    style_shots: _containers.RepeatedScalarFieldContainer[int]
    profile: str
    profile_version: int
    max_tries: int
    accepted_shots: int
    tries: int
    guarantee: Guarantee
    regenerates: str
    images_expire_time: _timestamp_pb2.Timestamp
    style_seeds: StyleSeeds
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_jobs_pb2.JobState, str]] = ..., styles: _Optional[_Iterable[str]] = ..., shots_per_style: _Optional[int] = ..., seed: _Optional[int] = ..., total_shots: _Optional[int] = ..., completed_shots: _Optional[int] = ..., failed_shots: _Optional[int] = ..., adapter_sha256: _Optional[str] = ..., failure: _Optional[_Union[_jobs_pb2.Failure, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., images: _Optional[_Iterable[_Union[_images_pb2.Image, _Mapping]]] = ..., status_message: _Optional[str] = ..., remix: _Optional[_Union[Remix, _Mapping]] = ..., style_shots: _Optional[_Iterable[int]] = ..., profile: _Optional[str] = ..., profile_version: _Optional[int] = ..., max_tries: _Optional[int] = ..., accepted_shots: _Optional[int] = ..., tries: _Optional[int] = ..., guarantee: _Optional[_Union[Guarantee, str]] = ..., regenerates: _Optional[str] = ..., images_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., style_seeds: _Optional[_Union[StyleSeeds, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateGalleryRequest(_message.Message):
    __slots__ = ("parent", "styles", "shots_per_style", "seed", "format", "quality", "priority", "request_id", "validate_only", "remix", "training", "style_shots", "profile", "max_tries", "allow_unjudged", "style_seeds", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
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
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    STYLE_SHOTS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_UNJUDGED_FIELD_NUMBER: _ClassVar[int]
    STYLE_SEEDS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    styles: _containers.RepeatedScalarFieldContainer[str]
    shots_per_style: int
    seed: int
    format: _images_pb2.ImageFormat
    quality: int
    priority: _jobs_pb2.Priority
    request_id: str
    validate_only: bool
    remix: Remix
    training: str
    style_shots: _containers.RepeatedScalarFieldContainer[int]
    profile: str
    max_tries: int
    allow_unjudged: bool
    style_seeds: StyleSeeds
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, parent: _Optional[str] = ..., styles: _Optional[_Iterable[str]] = ..., shots_per_style: _Optional[int] = ..., seed: _Optional[int] = ..., format: _Optional[_Union[_images_pb2.ImageFormat, str]] = ..., quality: _Optional[int] = ..., priority: _Optional[_Union[_jobs_pb2.Priority, str]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., remix: _Optional[_Union[Remix, _Mapping]] = ..., training: _Optional[str] = ..., style_shots: _Optional[_Iterable[int]] = ..., profile: _Optional[str] = ..., max_tries: _Optional[int] = ..., allow_unjudged: _Optional[bool] = ..., style_seeds: _Optional[_Union[StyleSeeds, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class GetGalleryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class ListGalleriesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class ListGalleriesResponse(_message.Message):
    __slots__ = ("galleries", "next_page_token")
    GALLERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    galleries: _containers.RepeatedCompositeFieldContainer[Gallery]
    next_page_token: str
    def __init__(self, galleries: _Optional[_Iterable[_Union[Gallery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

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
    gallery: Gallery
    image: _images_pb2.Image
    preview: ShotPreview
    content: bytes
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ..., image: _Optional[_Union[_images_pb2.Image, _Mapping]] = ..., preview: _Optional[_Union[ShotPreview, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class CancelGalleryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class DeleteGalleryRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteGalleryResponse(_message.Message):
    __slots__ = ("deleted_objects",)
    DELETED_OBJECTS_FIELD_NUMBER: _ClassVar[int]
    deleted_objects: int
    def __init__(self, deleted_objects: _Optional[int] = ...) -> None: ...

class ListImagesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "order", "acceptance", "styles", "max_rank", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    MAX_RANK_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    order: ImageOrder
    acceptance: _images_pb2.Acceptance
    styles: _containers.RepeatedScalarFieldContainer[str]
    max_rank: int
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., order: _Optional[_Union[ImageOrder, str]] = ..., acceptance: _Optional[_Union[_images_pb2.Acceptance, str]] = ..., styles: _Optional[_Iterable[str]] = ..., max_rank: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class ListImagesResponse(_message.Message):
    __slots__ = ("images", "next_page_token")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[_images_pb2.Image]
    next_page_token: str
    def __init__(self, images: _Optional[_Iterable[_Union[_images_pb2.Image, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RegenerateImageRequest(_message.Message):
    __slots__ = ("name", "max_tries", "request_id", "validate_only", "allow_unjudged")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MAX_TRIES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    ALLOW_UNJUDGED_FIELD_NUMBER: _ClassVar[int]
    name: str
    max_tries: int
    request_id: str
    validate_only: bool
    allow_unjudged: bool
    def __init__(self, name: _Optional[str] = ..., max_tries: _Optional[int] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., allow_unjudged: _Optional[bool] = ...) -> None: ...

class RegenerateImageResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class CreateImageLinksRequest(_message.Message):
    __slots__ = ("parent", "images", "valid_seconds")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    VALID_SECONDS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    images: _containers.RepeatedScalarFieldContainer[str]
    valid_seconds: int
    def __init__(self, parent: _Optional[str] = ..., images: _Optional[_Iterable[str]] = ..., valid_seconds: _Optional[int] = ...) -> None: ...

class CreateImageLinksResponse(_message.Message):
    __slots__ = ("links",)
    LINKS_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[ImageLink]
    def __init__(self, links: _Optional[_Iterable[_Union[ImageLink, _Mapping]]] = ...) -> None: ...

class ImageLink(_message.Message):
    __slots__ = ("image", "url", "expire_time")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    image: str
    url: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, image: _Optional[str] = ..., url: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetImageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetImageResponse(_message.Message):
    __slots__ = ("image", "content")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    image: _images_pb2.Image
    content: bytes
    def __init__(self, image: _Optional[_Union[_images_pb2.Image, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class UpdateImageRequest(_message.Message):
    __slots__ = ("name", "labels", "external_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    labels: _labels_pb2.Labels
    external_id: str
    def __init__(self, name: _Optional[str] = ..., labels: _Optional[_Union[_labels_pb2.Labels, _Mapping]] = ..., external_id: _Optional[str] = ...) -> None: ...

class UpdateImageResponse(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: _images_pb2.Image
    def __init__(self, image: _Optional[_Union[_images_pb2.Image, _Mapping]] = ...) -> None: ...

class DeleteImageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteImageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
