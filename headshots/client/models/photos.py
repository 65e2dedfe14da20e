"""What an inspection found wrong with photos, as the SDK tells it."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.v1 import photos_pb2


@dataclass(frozen=True)
class PhotoFinding:
    """One thing that is wrong with a photo or a set: a stable UPPER_SNAKE reason and a sentence with the cure.

    `measured` is on the wrong side of `limit`; both are None where there is no number to it. `duplicate_of` is the
    number of the photo that this one repeats, `cause` why an upload would refuse one that is UNDECODABLE.
    """

    reason: str
    message: str
    measured: float | None
    limit: float | None
    duplicate_of: int | None
    cause: str


@dataclass(frozen=True)
class PhotoInspection:
    """What is wrong with one photo; `usable` where nothing is. `name` is empty for a candidate."""

    name: str
    filename: str
    usable: bool
    findings: tuple[PhotoFinding, ...]
    width_px: int
    height_px: int


@dataclass(frozen=True)
class PhotosInspection:
    """The subject's stored photos, then the candidates; `findings` are those of the usable ones as a set.

    Where `faces_checked` is False no analyzer took part, and that no photo has a finding about faces says nothing.
    """

    photos: tuple[PhotoInspection, ...]
    usable_count: int
    findings: tuple[PhotoFinding, ...]
    ready_to_train: bool
    faces_checked: bool
    analyzer: str


def photos_inspection(message: photos_pb2.InspectPhotosResponse) -> PhotosInspection:
    """From the wire."""
    return PhotosInspection(
        photos=tuple(map(_inspected_photo, message.photos)),
        usable_count=message.usable_count,
        findings=tuple(map(_finding, message.findings)),
        ready_to_train=message.ready_to_train,
        faces_checked=message.faces_checked,
        analyzer=message.analyzer,
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
