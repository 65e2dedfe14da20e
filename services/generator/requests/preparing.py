"""Brings into memory what a request needs before it can start: contexts, its adapter's row, its source's latents."""

from __future__ import annotations

import asyncio

import numpy as np
import numpy.typing as npt

from headshots.diffusion.backends.base import Backend, FloatArray
from headshots.diffusion.package import EnginePackage
from headshots.errors import FieldViolation, InvalidArgumentError
from services.generator.adapters.tiers import AdapterCache
from services.generator.metrics import Metrics
from services.generator.requests.mixing import cut
from services.generator.requests.plan import Plan
from services.generator.requests.prepared import DenoisingInputs, Prepared, SourceLatents
from services.generator.requests.request import Source
from services.generator.requests.source_images import MASK_FIELD, SourcePixels, SourceReader


class Preparer:
    """Prepares requests while they wait. Used from one event loop; the networks run in threads."""

    def __init__(
        self,
        package: EnginePackage,
        backend: Backend,
        adapters: AdapterCache,
        sources: SourceReader,
        metrics: Metrics,
    ) -> None:
        self._package = package
        self._backend = backend
        self._adapters = adapters
        self._sources = sources
        self._metrics = metrics
        # One source at a time: the encoder's memory grows with the images that it encodes at once.
        self._encoding = asyncio.Lock()

    async def prepare(self, plan: Plan) -> Prepared:
        """Everything that ``plan`` needs.

        Raises:
            InvalidAdapterError: ADAPTER_*.
            InvalidArgumentError, FailedPreconditionError: see :meth:`SourceReader.read`; MASK_EMPTY.
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        pixels = source = row = None
        if plan.request.source is not None:
            with self._metrics.stage("source"):
                pixels = await self._sources.read(plan.request.source, plan.width_px, plan.height_px)
                source = await self._encode_source(plan, plan.request.source, pixels)
        inputs = await asyncio.to_thread(self._inputs, plan, source)
        if plan.request.adapter is not None:
            with self._metrics.stage("adapter"):
                row = await self._adapters.row(plan.request.adapter)
        return Prepared(inputs, row, pixels)

    async def _encode_source(self, plan: Plan, source: Source, pixels: SourcePixels) -> SourceLatents:
        mask_HW = (
            None if pixels.mask is None else mask_cells(pixels.mask, self._package.vae_scale_factor, soft=source.soft)
        )
        async with self._encoding:
            latents_BCHW = await asyncio.to_thread(self._backend.encode, pixels.pixels[None])
        return SourceLatents(latents_BCHW[0], mask_HW, plan.starts_from_noise)

    def _inputs(self, plan: Plan, source: SourceLatents | None) -> DenoisingInputs:
        request = plan.request
        with self._metrics.stage("text"):
            positive = self._backend.encode_text(request.prompt)
            negative = self._backend.encode_text(request.negative_prompt) if plan.rows == 2 else None
        size = (float(plan.height_px), float(plan.width_px))
        # SDXL is told the original size, the crop and the target size.
        time_ids = (*size, 0.0, 0.0, *size) if self._package.family == "sdxl" else None
        return DenoisingInputs(
            schedule=plan.schedule,
            guided=plan.guided,
            guidance=plan.guidance,
            positive=positive,
            negative=negative,
            strength=plan.strength,
            negative_strength=plan.negative_strength,
            time_ids=time_ids,
            source=source,
        )


def mask_cells(mask: npt.NDArray[np.uint8], factor: int, *, soft: bool) -> FloatArray:
    """The mask of latent cells: 1 where they are repainted, else 0.

    Each goes by its first pixel, as stock inpainting pipelines scale it; under a ``soft`` mask by its lightest, so that
    no pixel which takes most of what is painted lies in a cell that is not.

    Raises:
        InvalidArgumentError: MASK_EMPTY.
    """
    told = cut(mask)
    height, width = told.shape[0] // factor, told.shape[1] // factor
    cells = told.reshape(height, factor, width, factor).max(axis=(1, 3)) if soft else told[::factor, ::factor]
    mask_HW = (cells > 0).astype(np.float32)
    if not mask_HW.any():
        rule = f"light over whole cells of {factor} x {factor} pixels where to repaint"
        raise InvalidArgumentError(
            "MASK_EMPTY",
            f"the mask keeps the whole picture: nothing is left to paint; send it {rule}",
            violations=[FieldViolation(MASK_FIELD, rule)],
        )
    return mask_HW
