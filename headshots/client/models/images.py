"""Defines images of galleries, and what is told of a file's origin, as the SDK hands them out.

A likeness of `None` was not measured.
"""

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


class StyleSeeds(StrEnum):
    """Which seeds the styles of an order are painted from. One seed gives much the same pose in every style."""

    SAME = "SAME"
    """Every style the same ones, as for comparing styles; the server's default for galleries."""
    VARIED = "VARIED"
    """Every style its own number added, so that poses differ between them; the server's default for shoots."""


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


class RemixChange(StrEnum):
    """What a remix changes of its image."""

    BACKDROP = "BACKDROP"
    """What is behind the person; face, hair and clothes keep their pixels."""
    OUTFIT = "OUTFIT"
    """The clothes and the neck; face, hair and backdrop keep their pixels."""
    LIGHT = "LIGHT"
    """The light: everything is painted over, lightly. No pixel stays, the person does."""


@dataclass(frozen=True)
class Remix:
    """An image of a subject's galleries, by its name, that shots of the same subject are painted over.

    `repaint`: share of the denoising steps that are painted over it, above 0 to 1; 0.3 leaves most as it is. `None`
    takes the server's default: 0.8, or what suits the change. With `change` one thing becomes what `to` says, in words
    or as `styles/…` has it; the order names no styles then.
    """

    image: str
    repaint: float | None = None
    change: RemixChange | None = None
    to: str = ""


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


class SignatureState(StrEnum):
    """What the C2PA manifest in a file is worth."""

    VALID = "VALID"
    """Nothing was changed since, and the signer is trusted by the installation."""
    UNTRUSTED = "UNTRUSTED"
    """Nothing was changed since; the installation does not know the signer."""
    BROKEN = "BROKEN"
    """Something was changed since, or it cannot be read."""
    ABSENT = "ABSENT"
    """There is none, as in every screenshot."""


@dataclass(frozen=True)
class ImageSignature:
    """The manifest: who signed (empty: not known), and which checks failed."""

    state: SignatureState
    signer: str
    failures: tuple[str, ...]


@dataclass(frozen=True)
class ImageMetadata:
    """The IPTC metadata: source type, AI system and rights. Anybody can write them."""

    source_type: str
    system: str
    system_version: str
    owner: str
    usage_terms: str
    licence: str = ""


@dataclass(frozen=True)
class ImageWatermark:
    """The watermark: what it carries, 16 hex digits, and how well it was read, 0.52 to 1."""

    mark_id: str
    confidence: float


@dataclass(frozen=True)
class ImageOrigin:
    """Where an image file comes from: what it says, and what the installation knows of it.

    Attributes:
        metadata, watermark: None where there is none.
        made_by_machine: whether anything says that a machine made it.
        made_here: whether the installation made it.
        yours: whether it was made for the caller's tenant.
        erased: whether it was made here and has been erased since.
        images: names of the caller's images with this picture.
    """

    signature: ImageSignature
    metadata: ImageMetadata | None
    watermark: ImageWatermark | None
    made_by_machine: bool
    made_here: bool
    yours: bool
    erased: bool
    images: tuple[str, ...]
