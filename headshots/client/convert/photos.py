"""Converts photos and their inspections from protobuf."""

from __future__ import annotations

from headshots.client.convert.labels import labelled
from headshots.client.convert.values import utc_time
from headshots.client.models.photos import Photo, PhotoFinding, PhotoInspection, PhotosInspection
from headshots.v1 import photos_pb2


def photo(message: photos_pb2.Photo) -> Photo:
    """A photo."""
    return Photo(
        name=message.name,
        sha256=message.sha256,
        size_bytes=message.size_bytes,
        width_px=message.width_px,
        height_px=message.height_px,
        filename=message.filename,
        create_time=utc_time(message.create_time),
        **labelled(message),
        expire_time=utc_time(message.expire_time),
    )


def photos_inspection(message: photos_pb2.InspectPhotosResponse) -> PhotosInspection:
    """What an inspection found."""
    return PhotosInspection(
        photos=tuple(map(_inspected_photo, message.photos)),
        usable_count=message.usable_count,
        findings=tuple(map(_finding, message.findings)),
        ready_to_train=message.ready_to_train,
        faces_checked=message.faces_checked,
        analyzer=message.analyzer,
        reviews=tuple(map(_finding, message.reviews)),
    )


def _inspected_photo(message: photos_pb2.PhotoInspection) -> PhotoInspection:
    return PhotoInspection(
        name=message.name,
        filename=message.filename,
        usable=message.usable,
        findings=tuple(map(_finding, message.findings)),
        width_px=message.width_px,
        height_px=message.height_px,
    )


def _finding(message: photos_pb2.PhotoFinding) -> PhotoFinding:
    return PhotoFinding(
        reason=message.reason,
        message=message.message,
        measured=message.measured if message.HasField("measured") else None,
        limit=message.limit if message.HasField("limit") else None,
        duplicate_of=message.duplicate_of if message.HasField("duplicate_of") else None,
        cause=message.cause,
    )
