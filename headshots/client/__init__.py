"""The Python SDK: `AsyncHeadshots` for asyncio, `Headshots` for everything else.

Needs grpcio and protobuf only; imports no torch, numpy or database. Errors are those of `headshots.errors`, raised
here as the server raised them, and `JobFailedError` for a training or gallery that ended badly.
"""

from headshots.client.aio import AsyncHeadshots
from headshots.client.images import Image, ImageFormat, PaintedImage, Remix, ShotPreview
from headshots.client.inspections import PhotoFinding, PhotoInspection, PhotosInspection
from headshots.client.models import (
    Adapter,
    Failure,
    Gallery,
    GalleryEvent,
    GalleryRef,
    JobFailedError,
    JobState,
    LossPoint,
    Photo,
    PhotoRef,
    Priority,
    Style,
    Subject,
    SubjectRef,
    Tenant,
    Training,
    TrainingOptions,
    TrainingRef,
)
from headshots.client.scores import CheckpointScores, TrainingScores
from headshots.client.sync import Headshots

__all__ = [
    "Adapter",
    "AsyncHeadshots",
    "CheckpointScores",
    "Failure",
    "Gallery",
    "GalleryEvent",
    "GalleryRef",
    "Headshots",
    "Image",
    "ImageFormat",
    "JobFailedError",
    "JobState",
    "LossPoint",
    "PaintedImage",
    "Photo",
    "PhotoFinding",
    "PhotoInspection",
    "PhotoRef",
    "PhotosInspection",
    "Priority",
    "Remix",
    "ShotPreview",
    "Style",
    "Subject",
    "SubjectRef",
    "Tenant",
    "Training",
    "TrainingOptions",
    "TrainingRef",
    "TrainingScores",
]
