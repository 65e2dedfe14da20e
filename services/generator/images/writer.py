"""Turns decoded pixels into marked image files, and stores the files where that was asked for."""

from __future__ import annotations

import asyncio
import hashlib

from headshots.artifacts import ArtifactStore
from headshots.telemetry import spans
from services.generator.images import encoding
from services.generator.images.decoder import Decoded
from services.generator.images.marking import MarkedFile, Marker
from services.generator.metrics import Metrics
from services.generator.requests.plan import Plan
from services.generator.requests.request import GeneratedImage, GenerationRequest
from services.generator.requests.source_images import SourcePixels


class ImageWriter:
    """Writes image files. Used from one event loop; encoding runs in threads."""

    def __init__(self, store: ArtifactStore, marker: Marker, metrics: Metrics) -> None:
        self._store = store
        self._marker = marker
        self._metrics = metrics

    async def write(self, plan: Plan, source: SourcePixels | None, image: Decoded) -> GeneratedImage:
        """Mark and encode an image and, where asked for, store it under the digest of its file before the signature.

        What the mask keeps of ``source`` is put back first. No two signatures are equal, but the same image painted
        twice has the same key, and what lies there first stays: it is what this answers then.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE, C2PA_SIGNING_FAILED.
            FailedPreconditionError: SOURCE_UNSIGNABLE.
        """
        request = plan.request
        with self._metrics.stage("encode"):
            file = await asyncio.to_thread(self._encode, plan, source, image)
        content, key = file.signed, ""
        if request.output_prefix:
            key = f"{request.output_prefix}/{hashlib.sha256(file.unsigned).hexdigest()}.{request.extension}"
            with spans.span("store"):
                content = await self._store.put_or_get(key, content)
        return GeneratedImage(
            index=image.index,
            content=b"" if key else content,
            key=key,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            content_type=encoding.CONTENT_TYPES[request.extension],
            width_px=plan.width_px,
            height_px=plan.height_px,
            seed=plan.seed(image.index),
            mark_id=file.mark_id.hex(),
        )

    def _encode(self, plan: Plan, source: SourcePixels | None, image: Decoded) -> MarkedFile:
        pixels = image.pixels if source is None else source.keep(image.pixels)
        parent = None if source is None else source.file
        request = plan.request
        prompts = _prompts(request)
        with spans.span("mark"):
            return self._marker.write(
                request.tenant, pixels, request.extension, plan.quality, parent, request.rights, prompts
            )


def _prompts(request: GenerationRequest) -> str:
    avoided = f"\nNegative prompt: {request.negative_prompt}" if request.negative_prompt else ""
    return request.prompt + avoided
