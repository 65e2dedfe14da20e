"""The denoising objective: noisy latents, their targets, and the weights of noise levels, rows and cells.

Shapes: B rows, C channels, H × W cells, T noise levels of the foundation's training schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

# Centre and spread of the face in a selfie, as shares of width and height.
_FACE_CENTRE, _FACE_SPREAD = (0.5, 0.45), (0.18, 0.22)

Mask = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Draw:
    """The random values of one step."""

    # Index of each row's latent, its noise level, and its noise.
    index_B: Tensor
    timestep_B: Tensor
    noise_BCHW: Tensor
    # True where the row has the empty caption.
    dropped_B: Tensor
    # The scene that the caption names; -1: none.
    scene_B: Tensor

    def to(self, device: torch.device) -> Draw:
        """The same on another device."""
        return Draw(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def part(self, number: int, of: int) -> Draw:
        """The rows of part ``number``, from 0, of ``of`` nearly equal ones; the first may have a row more."""
        return Draw(*(torch.tensor_split(getattr(self, name), of)[number] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Head:
    """Where a photo shows its person's head.

    ``share_HW``: the share of each latent cell that is head, 0 to 1. ``weight_HW``: 1 + the weight of face or hair in
    cells that show only that, 0 in cells without either.
    """

    share_HW: Tensor
    weight_HW: Tensor

    @classmethod
    def of_parts(
        cls, face_HW: Mask, hair_HW: Mask, height: int, width: int, *, face_weight: float, hair_weight: float
    ) -> Head:
        """``face_HW``, ``hair_HW``: shares of pixels, 0 to 1; ``height``, ``width``: in cells."""
        face, hair = (_cells(mask_HW, height, width) for mask_HW in (face_HW, hair_HW))
        return cls(face + hair, (1 + face_weight) * face + (1 + hair_weight) * hair)

    @property
    def cell_weights(self) -> Tensor:
        """Weights [H, W] of mean 1, where cells outside the head have the weight 1 before they are scaled."""
        weights_HW = self.weight_HW + 1 - self.share_HW
        return weights_HW / weights_HW.mean()


@dataclass(frozen=True)
class LossMasks:
    """What the loss counts of each latent: [B, H, W] cells.

    ``weight_BHW``: weight of each cell, of mean 1. ``photo_share_BHW``: the share, 0 to 1, in which the photo is the
    target; the bare foundation's prediction is the target of the rest. ``has_head_B``: whether a head was found.
    ``edge_weight_BHW``: what is added to the weight at low noise.
    """

    weight_BHW: Tensor
    photo_share_BHW: Tensor
    has_head_B: Tensor
    edge_weight_BHW: Tensor

    @classmethod
    def of_photos(cls, weights: Sequence[Tensor]) -> LossMasks:
        """The photo is the target everywhere; ``weights``: [H, W] each."""
        weight_BHW = torch.stack(list(weights))
        no_head_B = torch.zeros(len(weight_BHW), dtype=torch.bool)
        return cls(weight_BHW, torch.ones_like(weight_BHW), no_head_B, torch.zeros_like(weight_BHW))

    @classmethod
    def of_heads(cls, heads: Sequence[Head], *, surround_weight: float, margin: float) -> LossMasks:
        """The photo is the target within the head. Cells far from the head have the weight ``surround_weight``.

        Within ``margin`` (a share of the image's width) around the head cells have no weight at high noise: there the
        bare foundation may predict another person's hair, and the photo shows its own background. At low noise the
        outlines are visible, and the photo is the target there too. A photo without a head is learned as a whole.
        """
        share_BHW = torch.stack([head.share_HW for head in heads])
        reach = round(margin * share_BHW.shape[-1])
        near_BHW = torch.nn.functional.max_pool2d(share_BHW[:, None], 2 * reach + 1, 1, reach)[:, 0]
        has_head_B = share_BHW.amax(dim=(1, 2)) > 0
        photo_share_BHW = torch.where(has_head_B.view(-1, 1, 1), near_BHW, 1.0)
        weight_BHW = torch.stack([head.weight_HW for head in heads]) + surround_weight * (1 - near_BHW)
        mean_B11 = weight_BHW.mean(dim=(1, 2), keepdim=True)
        edge_weight_BHW = surround_weight * (near_BHW - share_BHW)
        return cls(weight_BHW / mean_B11, photo_share_BHW, has_head_B, edge_weight_BHW / mean_B11)

    def to(self, device: torch.device) -> LossMasks:
        """The same on another device."""
        return LossMasks(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Objective:
    """Noise levels and target of a foundation."""

    alphas_cumprod_T: Tensor
    v_prediction: bool
    # Min-SNR's gamma; 0: all levels have the same weight.
    snr_gamma: float

    def noisy(self, latents_BCHW: Tensor, draw: Draw) -> Tensor:
        """x_t = sqrt(ā) x_0 + sqrt(1 - ā) ε."""
        signal, noise = self._signal_and_noise(draw.timestep_B)
        return signal * latents_BCHW + noise * draw.noise_BCHW

    def target(self, latents_BCHW: Tensor, draw: Draw) -> Tensor:
        """ε, or v = sqrt(ā) ε - sqrt(1 - ā) x_0 (arXiv 2202.00512)."""
        if not self.v_prediction:
            return draw.noise_BCHW
        signal, noise = self._signal_and_noise(draw.timestep_B)
        return signal * draw.noise_BCHW - noise * latents_BCHW

    def weights(self, timestep_B: Tensor) -> Tensor:
        """Min-SNR weights [B]: min(snr, γ) / snr for ε, min(snr, γ) / (snr + 1) for v (arXiv 2303.09556)."""
        if self.snr_gamma <= 0:
            return torch.ones_like(timestep_B, dtype=torch.float32)
        level = self.alphas_cumprod_T[timestep_B]
        # At zero terminal SNR the ratio is 0; the ε weight's limit there is 1.
        snr = (level / (1 - level)).clamp_min(1e-8)
        clipped = snr.clamp_max(self.snr_gamma)
        return clipped / (snr + 1) if self.v_prediction else clipped / snr

    def loss(self, prediction_BCHW: Tensor, target_BCHW: Tensor, weight_B: Tensor, cell_weight_BHW: Tensor) -> Tensor:
        """Mean squared error of each row, with weighted cells (of mean 1), summed with the rows' weights; in fp32."""
        error_BHW = (prediction_BCHW.float() - target_BCHW.float()).square().mean(dim=1)
        error_B = (error_BHW * cell_weight_BHW).mean(dim=(1, 2))
        return (error_B * weight_B).sum()

    def _signal_and_noise(self, timestep_B: Tensor) -> tuple[Tensor, Tensor]:
        level = self.alphas_cumprod_T[timestep_B].view(-1, 1, 1, 1)
        return level.sqrt(), (1 - level).sqrt()


def centre_weights(height: int, width: int, face_weight: float) -> Tensor:
    """Weights [H, W] of mean 1: a Gaussian over the middle of the image, ``1 + face_weight`` against 1 at the edge.

    The surroundings of a face in a selfie are not the subject. The less weight they have, the less the adapter learns
    them, and the better it follows prompts for other clothes and places.
    """
    y_H1 = (torch.arange(height).view(-1, 1) + 0.5) / height - _FACE_CENTRE[1]
    x_1W = (torch.arange(width).view(1, -1) + 0.5) / width - _FACE_CENTRE[0]
    gaussian_HW = torch.exp(-0.5 * ((x_1W / _FACE_SPREAD[0]).square() + (y_H1 / _FACE_SPREAD[1]).square()))
    weights_HW = 1 + face_weight * gaussian_HW
    return weights_HW / weights_HW.mean()


def _cells(mask_HW: Mask, height: int, width: int) -> Tensor:
    """The share of each latent cell, [height, width], that a mask of pixels covers."""
    share = Image.fromarray(np.asarray(mask_HW, np.float32)).resize((width, height), Image.Resampling.BOX)
    return torch.from_numpy(np.array(share)).clamp(0, 1)


def draw_step(
    seed: int,
    step: int,
    *,
    stream: int,
    latents: int,
    rows: int,
    levels: int,
    dropout: float,
    shape: tuple[int, ...],
    scenes: int = 0,
    scene_share: float = 0.0,
) -> Draw:
    """Everything random of optimizer step ``step``, a pure function of the arguments.

    The random state of a run is therefore (seed, step): a resumed run draws what the uninterrupted one would have.
    Rows follow shuffled epochs; noise levels are stratified over the batch, which lowers the gradient's variance.
    """
    generator = torch.Generator().manual_seed(_mix(seed, stream, step))
    strata = (torch.arange(rows) + torch.rand(rows, generator=generator)) / rows
    return Draw(
        index_B=torch.tensor([_epoch_item(seed, stream, latents, (step - 1) * rows + row) for row in range(rows)]),
        timestep_B=(strata * levels).long().clamp_max(levels - 1),
        noise_BCHW=torch.randn((rows, *shape), generator=generator),
        dropped_B=torch.rand(rows, generator=generator) < dropout,
        scene_B=_scenes(rows, scenes, scene_share, generator),
    )


def _scenes(rows: int, scenes: int, share: float, generator: torch.Generator) -> Tensor:
    """A scene for each row, or -1."""
    if not scenes:
        return torch.full((rows,), -1)
    named_B = torch.rand(rows, generator=generator) < share
    return torch.where(named_B, torch.randint(scenes, (rows,), generator=generator), -1)


def _epoch_item(seed: int, stream: int, count: int, cursor: int) -> int:
    """Item number ``cursor`` of an endless walk through shuffled epochs of ``count`` items."""
    epoch, position = divmod(cursor, count)
    generator = torch.Generator().manual_seed(_mix(seed, stream + 1, epoch))
    return int(torch.randperm(count, generator=generator)[position])


def _mix(seed: int, stream: int, number: int) -> int:
    """A seed of its own for each (seed, stream, number): splitmix64's finaliser, kept to 63 bits."""
    value = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + number * 0x8CB92BA72F3D8DD7) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return (value ^ (value >> 31)) >> 1
