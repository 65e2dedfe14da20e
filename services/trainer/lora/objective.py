"""The denoising objective: what the UNet is shown, what it should say, and how much each noise level counts.

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

# Where a selfie has its face, and how far that goes, as shares of width and height.
_FACE_CENTRE, _FACE_SPREAD = (0.5, 0.45), (0.18, 0.22)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Draw:
    """What is random in one step."""

    # Which latent, which noise level, and the noise.
    index_B: Tensor
    timestep_B: Tensor
    noise_BCHW: Tensor
    # True where the row sees the empty caption.
    dropped_B: Tensor
    # Which scene the caption names; -1: none.
    scene_B: Tensor

    def to(self, device: torch.device) -> Draw:
        """The same on another device."""
        return Draw(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def part(self, number: int, of: int) -> Draw:
        """The rows of part ``number``, from 0, of ``of`` nearly equal ones; the first may have a row more."""
        return Draw(*(torch.tensor_split(getattr(self, name), of)[number] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Head:
    """Where a photo shows its person: ``share_HW``, 0 to 1, of each latent cell; and how much that counts.

    ``weight_HW`` is 1 + the face's or the hair's weight where all of the cell is that, 0 where nothing is.
    """

    share_HW: Tensor
    weight_HW: Tensor

    @classmethod
    def of_parts(
        cls, face_HW: Mask, hair_HW: Mask, height: int, width: int, *, face_weight: float, hair_weight: float
    ) -> Head:
        """``face_HW``, ``hair_HW``: which pixels show them; ``height``, ``width``: in cells."""
        face, hair = (_cells(mask_HW, height, width) for mask_HW in (face_HW, hair_HW))
        return cls(face + hair, (1 + face_weight) * face + (1 + hair_weight) * hair)

    @property
    def place_weights(self) -> Tensor:
        """As :func:`place_weights`, of mean 1, where what is no head counts 1."""
        weights_HW = self.weight_HW + 1 - self.share_HW
        return weights_HW / weights_HW.mean()


@dataclass(frozen=True)
class Places:
    """What is learned where, of each latent: [B, H, W] cells.

    ``weight_BHW``: how much a place counts, of mean 1. ``own_BHW``: the share, 0 to 1, in which the photo is the
    target; the bare foundation is for the rest. ``headed_B``: whether it is known where the head is. ``edge_BHW``: what
    counts besides at low noise.
    """

    weight_BHW: Tensor
    own_BHW: Tensor
    headed_B: Tensor
    edge_BHW: Tensor

    @classmethod
    def of_photos(cls, weights: Sequence[Tensor]) -> Places:
        """The photo is the target everywhere; ``weights``: [H, W] each."""
        weight_BHW = torch.stack(list(weights))
        nowhere_B = torch.zeros(len(weight_BHW), dtype=torch.bool)
        return cls(weight_BHW, torch.ones_like(weight_BHW), nowhere_B, torch.zeros_like(weight_BHW))

    @classmethod
    def of_heads(cls, heads: Sequence[Head], *, surround_weight: float, margin: float) -> Places:
        """The photo is the target within the head. What is far from it counts ``surround_weight``.

        As far as ``margin`` (a share of the picture's width) around the head nothing is asked at high noise: there the
        bare foundation may want somebody else's hair, and the photo has its own wall. At low noise both are settled,
        and the photo tells where the head ends. A photo without a head counts as :meth:`of_photos` has it.
        """
        share_BHW = torch.stack([head.share_HW for head in heads])
        reach = round(margin * share_BHW.shape[-1])
        near_BHW = torch.nn.functional.max_pool2d(share_BHW[:, None], 2 * reach + 1, 1, reach)[:, 0]
        headed_B = share_BHW.amax(dim=(1, 2)) > 0
        own_BHW = torch.where(headed_B.view(-1, 1, 1), near_BHW, 1.0)
        weight_BHW = torch.stack([head.weight_HW for head in heads]) + surround_weight * (1 - near_BHW)
        mean_B11 = weight_BHW.mean(dim=(1, 2), keepdim=True)
        edge_BHW = surround_weight * (near_BHW - share_BHW)
        return cls(weight_BHW / mean_B11, own_BHW, headed_B, edge_BHW / mean_B11)

    def to(self, device: torch.device) -> Places:
        """The same on another device."""
        return Places(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Objective:
    """Noise levels and target of a foundation."""

    alphas_cumprod_T: Tensor
    v_prediction: bool
    # Min-SNR's gamma; 0 weighs all levels alike.
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

    def loss(self, prediction_BCHW: Tensor, target_BCHW: Tensor, weight_B: Tensor, place_BHW: Tensor) -> Tensor:
        """Mean squared error of each row, its places weighted (of mean 1), summed with the rows' weights; in fp32."""
        error_BHW = (prediction_BCHW.float() - target_BCHW.float()).square().mean(dim=1)
        error_B = (error_BHW * place_BHW).mean(dim=(1, 2))
        return (error_B * weight_B).sum()

    def _signal_and_noise(self, timestep_B: Tensor) -> tuple[Tensor, Tensor]:
        level = self.alphas_cumprod_T[timestep_B].view(-1, 1, 1, 1)
        return level.sqrt(), (1 - level).sqrt()


def place_weights(height: int, width: int, face_weight: float) -> Tensor:
    """Weights [H, W] of mean 1: a bell over the middle of the picture, ``1 + face_weight`` against 1 at the edge.

    What is around a face in a selfie is not the subject; the less it counts, the less the adapter learns of it, and
    the better it leaves clothes and places to the prompt.
    """
    y_H1 = (torch.arange(height).view(-1, 1) + 0.5) / height - _FACE_CENTRE[1]
    x_1W = (torch.arange(width).view(1, -1) + 0.5) / width - _FACE_CENTRE[0]
    bell_HW = torch.exp(-0.5 * ((x_1W / _FACE_SPREAD[0]).square() + (y_H1 / _FACE_SPREAD[1]).square()))
    weights_HW = 1 + face_weight * bell_HW
    return weights_HW / weights_HW.mean()


def _cells(mask_HW: Mask, height: int, width: int) -> Tensor:
    """What share of each latent cell, [height, width], a mask of pixels covers."""
    share = Image.fromarray(mask_HW.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
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
    Rows walk through shuffled epochs; noise levels are stratified over the batch, which lowers the gradient's variance.
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
    epoch, place = divmod(cursor, count)
    generator = torch.Generator().manual_seed(_mix(seed, stream + 1, epoch))
    return int(torch.randperm(count, generator=generator)[place])


def _mix(seed: int, stream: int, number: int) -> int:
    """A seed of its own for each (seed, stream, number): splitmix64's finaliser, kept to 63 bits."""
    value = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + number * 0x8CB92BA72F3D8DD7) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return (value ^ (value >> 31)) >> 1
