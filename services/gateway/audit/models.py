"""Defines what the audit log tells as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What was done to a subject; the value stands in rows and in digests, so none is ever renamed."""

    SUBJECT_CREATED = "subject_created"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    RETENTION_EXTENDED = "retention_extended"
    SUBJECT_HELD = "subject_held"
    SUBJECT_RELEASED = "subject_released"
    SUBJECT_EXPIRED = "subject_expired"
    PHOTOS_UPLOADED = "photos_uploaded"
    PHOTO_DELETED = "photo_deleted"
    TRAINING_CREATED = "training_created"
    TRAINED = "trained"
    GALLERY_CREATED = "gallery_created"
    SHOOT_CREATED = "shoot_created"
    PAINTED = "painted"
    IMAGE_READ = "image_read"
    PREVIEW_READ = "preview_read"
    LINK_CREATED = "link_created"
    TRAINING_FILE_READ = "training_file_read"
    IMAGE_DELETED = "image_deleted"
    GALLERY_DELETED = "gallery_deleted"
    SUBJECT_DELETED = "subject_deleted"
    SUBJECT_ERASED = "subject_erased"
    IMAGE_VERIFIED = "image_verified"
    PHOTOS_EXPIRED = "photos_expired"
    ADAPTER_EXPIRED = "adapter_expired"
    IMAGES_EXPIRED = "images_expired"


@dataclass(frozen=True)
class Reading:
    """What was read of a subject and by whom: what one event counts."""

    tenant_id: str
    key_id: str
    subject_id: str
    action: Action
    resource: str


@dataclass(frozen=True)
class AuditEvent:
    """An event that is linked."""

    number: int
    at: float
    key_id: str
    """Empty: the gateway by itself."""
    subject_id: str
    action: Action
    resource: str
    """Name of the training, gallery, image or shoot; empty: the subject itself, or its photos."""
    count: int
    sha256: str


@dataclass(frozen=True)
class AuditQuery:
    """Which events a list is to have; None and nothing: whichever."""

    subject_id: str | None = None
    actions: frozenset[Action] = frozenset()
    start: float | None = None
    """At this time or later."""
    end: float | None = None
    """Before this time."""
