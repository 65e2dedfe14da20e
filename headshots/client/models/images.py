"""Defines the images of galleries as the SDK hands them out. A likeness of `None` was not measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headshots.client.models.verdicts import Verdict


class ImageFormat(StrEnum):
    """How image files are encoded. The SDK's default is PNG, which is lossless."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"


class ImageOrder(StrEnum):
    """In which order images are listed."""

    NUMBER = "NUMBER"
    """By shot number."""
    RANK = "RANK"
    """The accepted ones, best first, then the others by likeness."""


@dataclass(frozen=True)
class Image:
    """One image of a gallery: what it was painted from and what the file is; `sha256` is of the file.

    `verdict` is None where nobody has judged it. `rank` counts from 1; it is 0 where the image is not accepted, or the
    call does not tell ranks. `tries` are the seeds that were tried for it, this one included.
    """

    name: str
    style: str
    prompt: str
    seed: int
    width_px: int
    height_px: int
    content_type: str
    size_bytes: int
    sha256: str
    likeness: float | None
    seconds: float
    verdict: Verdict | None = None
    rank: int = 0
    tries: int = 1
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


@dataclass(frozen=True)
class Remix:
    """An image of a subject's galleries, by its name, that shots of the same subject are painted over.

    `repaint`: share of the denoising steps that are painted over it, above 0 to 1; 0.3 leaves most as it is. `None`
    takes the server's default of 0.8.
    """

    image: str
    repaint: float | None = None


@dataclass(frozen=True)
class PaintedImage:
    """An image and its file; `content` is empty where the file was not asked for."""

    image: Image
    content: bytes


@dataclass(frozen=True)
class ImageLink:
    """A link to an image's file. Whoever has the `url` can open it until `expire_time`; it is not part of the repr."""

    image: str
    url: str = field(repr=False)
    expire_time: datetime | None


@dataclass(frozen=True)
class ShotPreview:
    """A glimpse of shot number `shot` while it is being painted; `content` is a small JPEG."""

    shot: int
    step: int
    total_steps: int
    content: bytes
