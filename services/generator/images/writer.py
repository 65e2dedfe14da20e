"""Turns decoded pixels into image files, and stores the files where that was asked for."""

from __future__ import annotations

import asyncio
import hashlib

from headshots.artifacts import ArtifactStore
from services.generator.images import encoding
from services.generator.images.decoder import Decoded
from services.generator.metrics import Metrics
from services.generator.requests.plan import Plan
from services.generator.requests.request import GeneratedImage
from services.generator.requests.source_images import SourcePixels


class ImageWriter:
    """Writes image files. Used from one event loop; encoding runs in threads."""

    def __init__(self, store: ArtifactStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def write(self, plan: Plan, source: SourcePixels | None, image: Decoded) -> GeneratedImage:
        """Encode an image and, where asked for, store it under its own digest.

        What the mask keeps of ``source`` is put back first.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        request = plan.request
        with self._metrics.stage("encode"):
            content = await asyncio.to_thread(_encode, plan, source, image)
        sha256 = hashlib.sha256(content).hexdigest()
        key = f"{request.output_prefix}/{sha256}.{request.extension}" if request.output_prefix else ""
        if key:
            await self._store.put(key, content)
        return GeneratedImage(
            index=image.index,
            content=b"" if key else content,
            key=key,
            sha256=sha256,
            size_bytes=len(content),
            content_type=encoding.CONTENT_TYPES[request.extension],
            width_px=plan.width_px,
            height_px=plan.height_px,
            seed=plan.seed(image.index),
        )


def _encode(plan: Plan, source: SourcePixels | None, image: Decoded) -> bytes:
    pixels = image.pixels if source is None else source.keep(image.pixels)
    return encoding.encode(pixels, plan.request.extension, plan.quality)
