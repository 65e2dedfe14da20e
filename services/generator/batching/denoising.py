"""Runs one denoising step for many images at once, in one UNet call.

The images of a call may differ in everything but their size: subject, prompt, step, sampler, guidance, adapter
strength, and whether there is a source image.

Shapes: B rows of a UNet call, N images, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headshots.diffusion.backends.base import Backend, FloatArray, UNetBatch
from headshots.diffusion.sampling.schedule import step_noise
from headshots.diffusion.sampling.tables import rows_at_once
from services.generator.requests.prepared import DenoisingInputs, SourceLatents


class ImageState:
    """One image between two steps; ``step`` of ``inputs.schedule.steps`` are done."""

    def __init__(self, inputs: DenoisingInputs, slot: int, noise_CHW: FloatArray, seed: int) -> None:
        """``noise_CHW``: what it starts from; ``seed``: of what it draws at its steps."""
        self.inputs = inputs
        self._seed = seed
        self.slot = slot
        self.step = 0
        self._noise_CHW = noise_CHW
        source = inputs.source
        if source is None or source.starts_from_noise:
            self.latents_CHW = noise_CHW * np.float32(inputs.schedule.initial_scale)
        else:
            self.latents_CHW = self._noised(source)
        # The clean latent as predicted at the last step; DPM-Solver++ builds on it, previews show it.
        self.clean_CHW = np.zeros_like(noise_CHW)

    @property
    def rows(self) -> int:
        """Rows of a UNet call that it takes, at most, at the steps that are left."""
        return 2 if any(self.inputs.guided[self.step :]) else 1

    @property
    def row_steps(self) -> int:
        """Rows that it takes over the steps that are left."""
        return self.inputs.schedule.steps - self.step + sum(self.inputs.guided[self.step :])

    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return self.step == self.inputs.schedule.steps

    def move(self, latents_CHW: FloatArray, clean_CHW: FloatArray) -> None:
        """Take a step's result; where the mask keeps the source, take that, as noisy as the next step expects it."""
        self.step += 1
        self.clean_CHW = clean_CHW
        source = self.inputs.source
        if source is not None and source.mask_HW is not None:
            kept_CHW = source.latents_CHW if self.done else self._noised(source)
            latents_CHW = (1 - source.mask_HW) * kept_CHW + source.mask_HW * latents_CHW
        self.latents_CHW = latents_CHW

    def drawn(self) -> FloatArray:
        """Fresh noise for the step that comes: its own, whoever else is in the batch; zeros where it takes none."""
        if not self.inputs.schedule.fresh[self.step]:
            return np.zeros_like(self.latents_CHW)
        return step_noise(self._seed, self.step, self.latents_CHW.shape)

    def _noised(self, source: SourceLatents) -> FloatArray:
        """The source's latents under the image's own noise, as noisy as the next step expects them."""
        schedule = self.inputs.schedule
        noised_CHW: FloatArray = (
            schedule.signal[self.step] * source.latents_CHW + schedule.noise[self.step] * self._noise_CHW
        )
        return noised_CHW


def advance(backend: Backend, images: Sequence[ImageState]) -> int:
    """Run one step for every image, in one UNet call; returns the call's rows."""
    batch = _batch(images)
    prediction_BCHW = backend.unet(batch)
    guided_NCHW = _guide(images, prediction_BCHW)
    schedules, steps = [image.inputs.schedule for image in images], [image.step for image in images]
    next_NCHW, clean_NCHW = rows_at_once(schedules, steps).step(
        np.stack([image.latents_CHW for image in images]),
        guided_NCHW,
        np.stack([image.clean_CHW for image in images]),
        np.stack([image.drawn() for image in images]),
    )
    for n, image in enumerate(images):
        image.move(next_NCHW[n], clean_NCHW[n])
    return len(batch.slot_B)


def _batch(images: Sequence[ImageState]) -> UNetBatch:
    """Rows of all images, an image's rows side by side."""
    rows = [(image, *row) for image in images for row in image.inputs.rows(image.step)]
    if len(rows) == 1:
        # Matrix products of a single row take another path on the CPU and round otherwise; a doubled row keeps an
        # image's bytes the same whether or not other images share the call.
        rows *= 2
    scaled = {image: image.latents_CHW * image.inputs.schedule.input_scale[image.step] for image in images}
    pooled = [context.pooled_E for _, context, _ in rows if context.pooled_E is not None]
    time_ids = [image.inputs.time_ids for image, _, _ in rows if image.inputs.time_ids is not None]
    return UNetBatch(
        sample_BCHW=np.stack([scaled[image] for image, _, _ in rows]),
        timestep_B=np.asarray([image.inputs.schedule.timestep[image.step] for image, _, _ in rows], np.float32),
        context_BTD=np.stack([context.context_TD for _, context, _ in rows]),
        slot_B=np.asarray([image.slot for image, _, _ in rows], np.int64),
        strength_B=np.asarray([strength for _, _, strength in rows], np.float32),
        pooled_BE=np.stack(pooled) if pooled else None,
        time_ids_B6=np.asarray(time_ids, np.float32) if time_ids else None,
    )


def _guide(images: Sequence[ImageState], prediction_BCHW: FloatArray) -> FloatArray:
    """Classifier-free guidance (arXiv 2207.12598), each image at its own scale; [N, C, H, W]."""
    guided, row = [], 0
    for image in images:
        if image.inputs.guided[image.step]:
            negative, positive = prediction_BCHW[row], prediction_BCHW[row + 1]
            guided.append(negative + np.float32(image.inputs.guidance) * (positive - negative))
            row += 2
        else:
            guided.append(prediction_BCHW[row])
            row += 1
    return np.stack(guided)
