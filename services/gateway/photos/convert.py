"""Converts photos, streams of photos and inspection reports between dataclasses and protobuf."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.imaging.findings import Finding
from headshots.v1 import photos_pb2
from services.gateway.api import names
from services.gateway.api.convert import optional_timestamp, timestamp
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.photos.inspector import InspectedPhoto, InspectionReport
from services.gateway.photos.models import Photo
from services.gateway.photos.streams import PhotoStart, StreamHeader, StreamPart


def photo(value: Photo) -> photos_pb2.Photo:
    """A photo."""
    return photos_pb2.Photo(
        name=names.photo_name(value.subject_id, value.sha256),
        sha256=value.sha256,
        size_bytes=value.size_bytes,
        width_px=value.width_px,
        height_px=value.height_px,
        filename=value.filename,
        create_time=timestamp(value.created_at),
        expire_time=optional_timestamp(value.expires_at),
        **value.labelling.fields,
    )


async def photo_parts(
    requests: AsyncIterator[photos_pb2.UploadPhotosRequest] | AsyncIterator[photos_pb2.InspectPhotosRequest],
) -> AsyncIterator[StreamPart]:
    """The messages of an upload's or an inspection's stream."""
    async for request in requests:
        if request.HasField("header"):
            parent = request.header.parent
            yield StreamHeader(names.ids(parent)[0] if parent else "")
        elif request.HasField("photo"):
            yield PhotoStart(request.photo.filename, request.photo.size_bytes, _labelling(request.photo))
        else:
            yield request.chunk


def _labelling(start: photos_pb2.PhotoStart | photos_pb2.CandidatePhoto) -> Labelling:
    """A candidate is not stored, so it has none."""
    return Labelling.of_request(start) if isinstance(start, photos_pb2.PhotoStart) else NO_LABELS


def inspection(value: InspectionReport) -> photos_pb2.InspectPhotosResponse:
    """The report of an inspection."""
    return photos_pb2.InspectPhotosResponse(
        photos=map(_inspected_photo, value.photos),
        usable_count=sum(not photo.findings for photo in value.photos),
        findings=map(_finding, value.findings),
        ready_to_train=not value.findings,
        faces_checked=bool(value.analyzer),
        analyzer=value.analyzer,
        reviews=map(_finding, value.reviews),
    )


def _inspected_photo(value: InspectedPhoto) -> photos_pb2.PhotoInspection:
    return photos_pb2.PhotoInspection(
        name=names.photo_name(value.stored.subject_id, value.stored.sha256) if value.stored else "",
        filename=value.filename,
        usable=not value.findings,
        findings=map(_finding, value.findings),
        width_px=value.width_px,
        height_px=value.height_px,
    )


def _finding(value: Finding) -> photos_pb2.PhotoFinding:
    return photos_pb2.PhotoFinding(
        reason=value.reason,
        message=value.message,
        measured=value.measured,
        limit=value.limit,
        duplicate_of=value.duplicate_of,
        cause=value.cause,
    )
