"""Defines the image that a gallery is painted over, as it is ordered and as the gallery's row keeps it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.peers.models import SourceImage
from services.gateway.remixes.changes import Change
from services.gateway.remixes.masker import Masker


@dataclass(frozen=True)
class RemixOrder:
    """The image to paint over, by the ids in its name.

    `repaint` is the share of the denoising steps; None takes the change's default, or the generator's. `change` is the
    one thing that is to change, `to` the words or `styles/{style}` that say to what.
    """

    subject_id: str
    gallery_id: str
    number: int
    repaint: float | None
    change: Change | None = None
    to: str = ""


@dataclass(frozen=True)
class Remix:
    """The image that is painted over, with the key and SHA-256 of its file. Kept in the gallery's row."""

    gallery_id: str
    number: int
    repaint: float | None
    key: str
    sha256: str
    change: Change | None = None
    to: str = ""
    likeness: float | None = None
    """The image's own, where something is to change: more than a little of it must not be lost. None: not measured."""

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Remix | None:
        """From a JSON column."""
        if not document:
            return None
        change = document.get("change")
        return cls(**{**document, "change": Change(change) if change else None})

    def to_json(self) -> dict[str, Any]:
        """For a JSON column; a change that there is not is left out."""
        document = dataclasses.asdict(self)
        if self.change is None:
            for name in ("change", "to", "likeness"):
                del document[name]
        return document


def is_change(remix: Remix | RemixOrder | None) -> bool:
    """Whether one thing of the image changes."""
    return remix is not None and remix.change is not None


async def source_image(remix: Remix | None, masker: Masker, *, is_framed: bool = False) -> SourceImage | None:
    """What a generator paints over, with the mask of what changes; None stays None.

    `is_framed`: the image was cut to a look's frame, so what comes out keeps its size and its cut.

    Raises:
        FailedPreconditionError: REMIX_PARTS_UNKNOWN.
        HeadshotsError: what reading the image's file raises.
    """
    if remix is None:
        return None
    if remix.change is None:
        return SourceImage(remix.key, remix.sha256, remix.repaint)
    repaint = remix.change.repaint if remix.repaint is None else remix.repaint
    mask = await masker.mask(remix.key, remix.change) if remix.change.is_masked else b""
    return SourceImage(remix.key, remix.sha256, repaint, mask, whole=is_framed)
