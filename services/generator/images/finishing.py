"""From decoded pixels to a file: kept pixels put back, encoded, stored where that was asked for."""

from __future__ import annotations

import asyncio
import hashlib

from headshots.artifacts import ArtifactStore
from services.generator.batching.jobs import Decoded, Job
from services.generator.images import encoding
from services.generator.metrics import Metrics
from services.generator.requests.request import Painted


class Finisher:
    """Makes the files of finished images. Used from one event loop; encoding runs in threads."""

    def __init__(self, store: ArtifactStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def finish(self, job: Job, event: Decoded) -> Painted:
        """Encode an image and, where asked for, store it under its own digest.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        plan, request = job.plan, job.plan.request
        with self._metrics.stage("encode"):
            content = await asyncio.to_thread(_encode, job, event)
        sha256 = hashlib.sha256(content).hexdigest()
        key = f"{request.output_prefix}/{sha256}.{request.extension}" if request.output_prefix else ""
        if key:
            await self._store.put(key, content)
        return Painted(
            index=event.index,
            content=b"" if key else content,
            key=key,
            sha256=sha256,
            size_bytes=len(content),
            content_type=encoding.CONTENT_TYPES[request.extension],
            width_px=plan.width_px,
            height_px=plan.height_px,
            seed=plan.seed(event.index),
        )


def _encode(job: Job, event: Decoded) -> bytes:
    assert job.prepared is not None
    source = job.prepared.source
    pixels = event.pixels if source is None else source.keep(event.pixels)
    return encoding.encode(pixels, job.plan.request.extension, job.plan.quality)
