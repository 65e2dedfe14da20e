"""Makes the mask of a stored image. Nothing of it is kept: it is made anew for each try, and sent by value."""

from __future__ import annotations

import numpy as np

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError
from headshots.faces import FaceAnalyzer, Pixels
from headshots.imaging.workers.pool import DecoderPool
from services.gateway.photos.streams import StreamLimiter
from services.gateway.remixes.changes import Change
from services.gateway.remixes.masks import draw_mask


class Masker:
    """Draws masks with the gateway's analyzer of faces. It shares decoders and the limiter's threads with uploads."""

    def __init__(
        self, store: ArtifactStore, limiter: StreamLimiter, decoders: DecoderPool, analyzer: FaceAnalyzer | None
    ) -> None:
        self._store = store
        self._limiter = limiter
        self._decoders = decoders
        self._analyzer = analyzer

    async def mask(self, key: str, change: Change) -> bytes:
        """A PNG as `masks.draw_mask` makes it, of the image at this key.

        Raises:
            FailedPreconditionError: REMIX_PARTS_UNKNOWN.
            NotFoundError, UnavailableError: OBJECT_NOT_FOUND, OBJECT_STORE_UNAVAILABLE, DECODER_FAILED.
        """
        if self._analyzer is None:
            raise _unknown(change, "this installation has no analyzer of faces")
        picture = await self._decoders.open(await self._store.get(key), self._limiter.limits.stored_photo)
        mask = await self._limiter.measure(_draw, self._analyzer, np.asarray(picture), change)
        if mask is None:
            raise _unknown(change, f"the analyzer {self._analyzer.name} does not tell it from the rest of this image")
        return mask


def _draw(analyzer: FaceAnalyzer, pixels_HWC: Pixels, change: Change) -> bytes | None:
    parts = analyzer.parts(pixels_HWC)
    return draw_mask(parts, change) if parts is not None else None


def _unknown(change: Change, why: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        "REMIX_PARTS_UNKNOWN",
        f"the {change.field} cannot be changed alone: {why}. Take another image, leave `change` out to paint over all "
        "of it, or have the operator choose an analyzer that tells clothes, as `bundled` does of drawn people "
        "(HEADSHOTS_GATEWAY_FACES)",
    )
