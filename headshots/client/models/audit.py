"""Defines what is kept of what was done to subjects, as the SDK hands it out: events of the audit log, erasures."""

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
    IMAGE_VERIFIED = "IMAGE_VERIFIED"
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


class ErasureState(StrEnum):
    """How far an erasure is."""

    PENDING = "PENDING"
    """No receipt is signed yet."""
    PENDING_BACKUPS = "PENDING_BACKUPS"
    """It is signed; backups may have what was erased until `backups_end_time`."""
    COMPLETE = "COMPLETE"


class ErasureTrigger(StrEnum):
    """What began an erasure."""

    REQUEST = "REQUEST"
    EXPIRY = "EXPIRY"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    REPLAY = "REPLAY"
    """The subject had come back from a backup."""
    UNKNOWN = "UNKNOWN"
    """A gateway that knows no receipts began it."""


@dataclass(frozen=True)
class Erasure:
    """The erasure of a subject; once it is signed nothing in it leads to the person."""

    name: str
    """`erasures/ID`."""
    state: ErasureState
    trigger: ErasureTrigger
    subject_commitment: str
    """`Subject.erasure_commitment`; empty: the subject was older than commitments."""
    request_time: datetime | None
    erase_time: datetime | None
    """When everything of the subject was gone; None before that."""
    sign_time: datetime | None
    """When that was verified and signed; None before that."""
    backups_end_time: datetime | None
    """Until when backups may have what was erased; None before it is signed."""
    number: int
    """Its place in the tenant's chain of receipts, from 1; 0: it is not signed."""
    receipt: str
    """Canonical JSON with an Ed25519 signature; empty: it is not signed."""
    receipt_sha256: str
    """Which the next receipt of the tenant's names; empty: it is not signed."""


ErasureRef = Erasure | str


@dataclass(frozen=True)
class ErasureKey:
    """A public key that receipts are or were signed with."""

    name: str
    """`erasureKeys/ID`; receipts name the id."""
    public_key_pem: str
    create_time: datetime | None


@dataclass(frozen=True)
class ErasureCommitment:
    """A commitment to something of a subject's: a digest of it and of a salt that is told to nobody."""

    store_class: str
    """`subject`, `photos`, `adapters` or `images`."""
    commitment: str
    """64 hex digits."""
    size_bytes: int
    object_sha256: str
    """Of the stored object, in hex."""
    create_time: datetime | None
