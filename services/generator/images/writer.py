"""Turns decoded pixels into marked image files, and stores the files where that was asked for."""

from __future__ import annotations

import asyncio
import hashlib

from headshots.artifacts import ArtifactStore
from headshots.faces import FaceAnalyzer
from headshots.looks.cropping import Cut, cut_to_frame
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

    def __init__(
        self, store: ArtifactStore, marker: Marker, metrics: Metrics, analyzer: FaceAnalyzer | None = None
    ) -> None:
        """``analyzer``: what images are cut to frames by; None: none is asked for."""
        self._analyzer = analyzer
        self._store = store
        self._marker = marker
        self._metrics = metrics

    async def write(self, plan: Plan, source: SourcePixels | None, image: Decoded) -> GeneratedImage:
        """Mark and encode an image and, where asked for, store it under the digest of its file before the signature.

        What the mask keeps of ``source`` is put back first, then it is cut to the request's frame. No two signatures
        are equal, but the same image painted twice has the same key, and what lies there first stays: it is what this
        answers then.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE, C2PA_SIGNING_FAILED.
            FailedPreconditionError: SOURCE_UNSIGNABLE.
        """
        request = plan.request
        with self._metrics.stage("encode"):
            cut = await asyncio.to_thread(self._cut, plan, source, image)
            file = await asyncio.to_thread(self._encode, plan, source, cut)
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
            width_px=cut.pixels.shape[1],
            height_px=cut.pixels.shape[0],
            seed=plan.seed(image.index),
            mark_id=file.mark_id.hex(),
            frame_missed=cut.missed.value if cut.missed is not None else "",
        )

    def _cut(self, plan: Plan, source: SourcePixels | None, image: Decoded) -> Cut:
        pixels = image.pixels if source is None else source.keep(image.pixels)
        if plan.request.frame is None:
            return Cut(pixels)
        assert self._analyzer is not None, "requests with a frame are refused without one"
        with spans.span("frame"):
            return cut_to_frame(self._analyzer, pixels, plan.request.frame)

    def _encode(self, plan: Plan, source: SourcePixels | None, cut: Cut) -> MarkedFile:
        parent = None if source is None else source.file
        request = plan.request
        prompts = _prompts(request)
        with spans.span("mark"):
            return self._marker.write(
                request.tenant, cut.pixels, request.extension, plan.quality, parent, request.rights, prompts
            )


def _prompts(request: GenerationRequest) -> str:
    avoided = f"\nNegative prompt: {request.negative_prompt}" if request.negative_prompt else ""
    return request.prompt + avoided
