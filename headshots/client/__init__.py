"""Offers the Python SDK: `AsyncHeadshots` for asyncio, `Headshots` for everything else.

Needs grpcio and protobuf only; imports no torch, numpy or database. Errors are those of `headshots.errors`, raised
here as the server raised them, and `JobFailedError` for a training, gallery or shoot that ended badly.
"""

from headshots.client.aio import AsyncHeadshots
from headshots.client.models.audit import AuditAction, AuditEvent
from headshots.client.models.foundations import Foundation
from headshots.client.models.images import Image, ImageFormat, ImageLink, ImageOrder, PaintedImage, Remix, ShotPreview
from headshots.client.models.jobs import (
    Failure,
    Gallery,
    GalleryEvent,
    GalleryRef,
    JobFailedError,
    JobState,
    LossPoint,
    Priority,
    Training,
    TrainingFile,
    TrainingOptions,
    TrainingRef,
)
from headshots.client.models.labels import Labelling
from headshots.client.models.packs import Pack, PackStyle
from headshots.client.models.photos import Photo, PhotoFinding, PhotoInspection, PhotoRef, PhotosInspection
from headshots.client.models.scores import CheckpointScores, TrainingScores
from headshots.client.models.shoots import Quote, Shoot, ShootEvent, ShootOptions, ShootRef, ShootStage
from headshots.client.models.styles import Style, StylePreview, StyleRecipe
from headshots.client.models.subjects import (
    Adapter,
    Consent,
    ConsentPurpose,
    Hold,
    Subject,
    SubjectRef,
    Tenant,
    Unchanged,
    Withdrawal,
)
from headshots.client.models.verdicts import (
    Acceptance,
    AcceptanceLimits,
    Check,
    Guarantee,
    Profile,
    ProfileRef,
    Verdict,
)
from headshots.client.sync import Headshots

__all__ = [
    "Acceptance",
    "AcceptanceLimits",
    "Adapter",
    "AsyncHeadshots",
    "AuditAction",
    "AuditEvent",
    "Check",
    "CheckpointScores",
    "Consent",
    "ConsentPurpose",
    "Failure",
    "Foundation",
    "Gallery",
    "GalleryEvent",
    "GalleryRef",
    "Guarantee",
    "Headshots",
    "Hold",
    "Image",
    "ImageFormat",
    "ImageLink",
    "ImageOrder",
    "JobFailedError",
    "JobState",
    "Labelling",
    "LossPoint",
    "Pack",
    "PackStyle",
    "PaintedImage",
    "Photo",
    "PhotoFinding",
    "PhotoInspection",
    "PhotoRef",
    "PhotosInspection",
    "Priority",
    "Profile",
    "ProfileRef",
    "Quote",
    "Remix",
    "Shoot",
    "ShootEvent",
    "ShootOptions",
    "ShootRef",
    "ShootStage",
    "ShotPreview",
    "Style",
    "StylePreview",
    "StyleRecipe",
    "Subject",
    "SubjectRef",
    "Tenant",
    "Training",
    "TrainingFile",
    "TrainingOptions",
    "TrainingRef",
    "TrainingScores",
    "Unchanged",
    "Verdict",
    "Withdrawal",
]
