"""Images in the making, and one denoising step for many of them at once.

A lane is one image of one request. Lanes of one call may differ in everything but their size: subject, prompt, step,
sampler, guidance, adapter strength, and whether a picture is painted over.

Shapes: B rows of a UNet call, N lanes, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headshots.diffusion.backends.base import Backend, UNetBatch
from headshots.diffusion.sampling.schedule import Schedule
from headshots.diffusion.text import Context

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LaneSource:
    """The latents that are painted over.

    ``mask_HW``: 1 where they are repainted, 0 where they are kept; None: everywhere. ``covered``: the lane starts from
    noise alone, as inpainting pipelines do when every step is taken.
    """

    latents_CHW: FloatArray
    mask_HW: FloatArray | None
    covered: bool


@dataclass(frozen=True)
class LaneInputs:
    """What does not change while a lane is painted. ``negative`` is None without guidance.

    ``strengths``: the adapter's, one a row.
    """

    schedule: Schedule
    guidance: float
    strengths: tuple[float, ...]
    positive: Context
    negative: Context | None
    time_ids: tuple[float, ...] | None = None
    source: LaneSource | None = None

    @property
    def contexts(self) -> list[Context]:
        """One a row: the empty prompt's first, as in diffusers."""
        return [self.positive] if self.negative is None else [self.negative, self.positive]


class Lane:
    """One image in the making; ``step`` of ``inputs.schedule.steps`` are done."""

    def __init__(self, inputs: LaneInputs, slot: int, noise_CHW: FloatArray) -> None:
        self.inputs = inputs
        self.slot = slot
        self.step = 0
        self._noise_CHW = noise_CHW
        source = inputs.source
        if source is None or source.covered:
            self.latents_CHW = noise_CHW * np.float32(inputs.schedule.initial_scale)
        else:
            self.latents_CHW = self._noised(source)
        # The clean latent as predicted at the last step; DPM-Solver++ builds on it, previews show it.
        self.clean_CHW = np.zeros_like(noise_CHW)

    @property
    def rows(self) -> int:
        """Rows of a UNet call it takes."""
        return len(self.inputs.contexts)

    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return self.step == self.inputs.schedule.steps

    def move(self, latents_CHW: FloatArray, clean_CHW: FloatArray) -> None:
        """One step is done: what it led to, but in a kept region the source, as noisy as the next step wants it."""
        self.step += 1
        self.clean_CHW = clean_CHW
        source = self.inputs.source
        if source is not None and source.mask_HW is not None:
            kept_CHW = source.latents_CHW if self.done else self._noised(source)
            latents_CHW = (1 - source.mask_HW) * kept_CHW + source.mask_HW * latents_CHW
        self.latents_CHW = latents_CHW

    def _noised(self, source: LaneSource) -> FloatArray:
        """The source's latents under the lane's own noise, as they enter the step that comes next."""
        schedule = self.inputs.schedule
        noised_CHW: FloatArray = (
            schedule.signal[self.step] * source.latents_CHW + schedule.noise[self.step] * self._noise_CHW
        )
        return noised_CHW


def advance(backend: Backend, lanes: Sequence[Lane]) -> int:
    """One step for every lane, in one UNet call; returns the call's rows."""
    batch = _batch(lanes)
    prediction_BCHW = backend.unet(batch)
    guided_NCHW = _guide(lanes, prediction_BCHW)
    now = [lane.step for lane in lanes]
    p, q, a, b, c = (
        np.asarray([getattr(lane.inputs.schedule, name)[i] for lane, i in zip(lanes, now, strict=True)], np.float32)[
            :, None, None, None
        ]
        for name in ("p", "q", "a", "b", "c")
    )
    x_NCHW = np.stack([lane.latents_CHW for lane in lanes])
    previous_NCHW = np.stack([lane.clean_CHW for lane in lanes])
    clean_NCHW = p * x_NCHW + q * guided_NCHW
    next_NCHW = a * x_NCHW + b * clean_NCHW + c * previous_NCHW
    for n, lane in enumerate(lanes):
        lane.move(next_NCHW[n], clean_NCHW[n])
    return len(batch.slot_B)


def _batch(lanes: Sequence[Lane]) -> UNetBatch:
    """Rows of all lanes, a lane's rows side by side."""
    rows = [
        (lane, context, strength)
        for lane in lanes
        for context, strength in zip(lane.inputs.contexts, lane.inputs.strengths, strict=True)
    ]
    if len(rows) == 1:
        # Matrix products of a single row take another path on the CPU and round otherwise; a doubled row keeps an
        # image's bytes the same whether or not it had company.
        rows *= 2
    scaled = {lane: lane.latents_CHW * lane.inputs.schedule.input_scale[lane.step] for lane in lanes}
    pooled = [context.pooled_E for _, context, _ in rows if context.pooled_E is not None]
    time_ids = [lane.inputs.time_ids for lane, _, _ in rows if lane.inputs.time_ids is not None]
    return UNetBatch(
        sample_BCHW=np.stack([scaled[lane] for lane, _, _ in rows]),
        timestep_B=np.asarray([lane.inputs.schedule.timestep[lane.step] for lane, _, _ in rows], np.float32),
        context_BTD=np.stack([context.context_TD for _, context, _ in rows]),
        slot_B=np.asarray([lane.slot for lane, _, _ in rows], np.int64),
        strength_B=np.asarray([strength for _, _, strength in rows], np.float32),
        pooled_BE=np.stack(pooled) if pooled else None,
        time_ids_B6=np.asarray(time_ids, np.float32) if time_ids else None,
    )


def _guide(lanes: Sequence[Lane], prediction_BCHW: FloatArray) -> FloatArray:
    """Classifier-free guidance (arXiv 2207.12598), a lane at its own scale; [N, C, H, W]."""
    guided, row = [], 0
    for lane in lanes:
        if lane.inputs.negative is None:
            guided.append(prediction_BCHW[row])
        else:
            negative, positive = prediction_BCHW[row], prediction_BCHW[row + 1]
            guided.append(negative + np.float32(lane.inputs.guidance) * (positive - negative))
        row += lane.rows
    return np.stack(guided)
