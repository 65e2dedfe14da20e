"""Defines the image that a gallery is painted over, as it is ordered and as the gallery's row keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.peers.models import SourceImage


@dataclass(frozen=True)
class RemixOrder:
    """The image to paint over, by the ids in its name.

    `repaint` is the share of the denoising steps; None takes the generator's default.
    """

    subject_id: str
    gallery_id: str
    number: int
    repaint: float | None


@dataclass(frozen=True)
class Remix:
    """The image that is painted over, with the key and SHA-256 of its file. Kept in the gallery's row."""

    gallery_id: str
    number: int
    repaint: float | None
    key: str
    sha256: str

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Remix | None:
        """From a JSON column."""
        return cls(**document) if document else None


def source_image(remix: Remix | None) -> SourceImage | None:
    """What a generator paints over; None stays None."""
    return SourceImage(remix.key, remix.sha256, remix.repaint) if remix is not None else None
