"""Defines events of the audit log as the SDK hands them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuditAction(StrEnum):
    """What was done to a subject."""

    SUBJECT_CREATED = "SUBJECT_CREATED"
    CONSENT_GIVEN = "CONSENT_GIVEN"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    RETENTION_EXTENDED = "RETENTION_EXTENDED"
    SUBJECT_HELD = "SUBJECT_HELD"
    SUBJECT_RELEASED = "SUBJECT_RELEASED"
    SUBJECT_EXPIRED = "SUBJECT_EXPIRED"
    PHOTOS_UPLOADED = "PHOTOS_UPLOADED"
    PHOTO_DELETED = "PHOTO_DELETED"
    TRAINING_CREATED = "TRAINING_CREATED"
    TRAINED = "TRAINED"
    GALLERY_CREATED = "GALLERY_CREATED"
    SHOOT_CREATED = "SHOOT_CREATED"
    PAINTED = "PAINTED"
    IMAGE_READ = "IMAGE_READ"
    PREVIEW_READ = "PREVIEW_READ"
    LINK_CREATED = "LINK_CREATED"
    TRAINING_FILE_READ = "TRAINING_FILE_READ"
    IMAGE_DELETED = "IMAGE_DELETED"
    GALLERY_DELETED = "GALLERY_DELETED"
    SUBJECT_DELETED = "SUBJECT_DELETED"
    SUBJECT_ERASED = "SUBJECT_ERASED"
    PHOTOS_EXPIRED = "PHOTOS_EXPIRED"
    ADAPTER_EXPIRED = "ADAPTER_EXPIRED"
    IMAGES_EXPIRED = "IMAGES_EXPIRED"


@dataclass(frozen=True)
class AuditEvent:
    """One thing that was done to a subject. It tells ids only, and outlives the subject."""

    name: str
    """`auditEvents/NUMBER`; the tenant's events are numbered from 1 on, without gaps."""
    record_time: datetime | None
    key_id: str
    """The id of the API key that did it, as `hs_<id>_…`; empty: the gateway by itself."""
    subject: str
    """Name of the subject, which may be erased since."""
    action: AuditAction
    resource: str
    """Name of the training, gallery, image or shoot; empty: the subject itself, or its photos."""
    count: int
    """How many photos, shots or objects, or how often."""
    sha256: str
    """Digest of the event and of the one before it, in hex."""
