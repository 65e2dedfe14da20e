"""Defines photos, and what an inspection finds wrong with them, as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType


@dataclass(frozen=True)
class Photo:
    """One selfie as stored: upright, sRGB, without metadata. `sha256` is of the uploaded bytes."""

    name: str
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    filename: str
    create_time: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""
    expire_time: datetime | None = None
    """From when on no call uses it; None: it is kept as long as its subject, or until a delivery."""


@dataclass(frozen=True)
class PhotoFinding:
    """One thing that is wrong with a photo or a set: a stable UPPER_SNAKE reason, and a sentence that says what to do.

    `measured` is on the wrong side of `limit`; both are None where there is no number to it. `duplicate_of` is the
    number of the photo that this one repeats, `cause` why an upload would refuse one that is UNDECODABLE;
    `headshots.client.FINDING_OF_REFUSAL` has the reason for each with which an upload is refused.
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
    """The subject's stored photos, then the candidates; `findings` are those of the usable ones as a set, `reviews`
    what somebody should look at before a training.

    Where `faces_checked` is False no analyzer took part, and that no photo has a finding about faces says nothing.
    """

    photos: tuple[PhotoInspection, ...]
    usable_count: int
    findings: tuple[PhotoFinding, ...]
    ready_to_train: bool
    faces_checked: bool
    analyzer: str
    reviews: tuple[PhotoFinding, ...] = ()


PhotoRef = Photo | PhotoInspection | str
_OF_ITS_OWN = {"PHOTO_DUPLICATE": "DUPLICATE", "PHOTO_TOO_SMALL": "TOO_SMALL"}
_NO_PICTURE = (
    "PHOTO_ANIMATED",
    "PHOTO_TOO_COSTLY",
    "PHOTO_TOO_LARGE",
    "PHOTO_TOO_MANY_PIXELS",
    "PHOTO_TOO_NARROW",
    "PHOTO_TRUNCATED",
    "PHOTO_UNDECODABLE",
    "PHOTO_UNSUPPORTED_FORMAT",
)
FINDING_OF_REFUSAL: Mapping[str, str] = MappingProxyType({**_OF_ITS_OWN, **dict.fromkeys(_NO_PICTURE, "UNDECODABLE")})
"""`PhotoFinding.reason` of each reason with which an upload refuses a photo. Of UNDECODABLE `cause` is that reason."""
