"""The denoising objective: what the UNet is shown, what it should say, and how much each noise level counts.

Shapes: B rows, C channels, H × W cells, T noise levels of the foundation's training schedule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

# Where a selfie has its face, and how far that goes, as shares of width and height.
_FACE_CENTRE, _FACE_SPREAD = (0.5, 0.45), (0.18, 0.22)


@dataclass(frozen=True)
class Draw:
    """What is random in one step."""

    # Which latent, which noise level, and the noise.
    index_B: Tensor
    timestep_B: Tensor
    noise_BCHW: Tensor
    # True where the row sees the empty caption.
    dropped_B: Tensor

    def to(self, device: torch.device) -> Draw:
        """The same on another device."""
        return Draw(*(tensor.to(device) for tensor in (self.index_B, self.timestep_B, self.noise_BCHW, self.dropped_B)))


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


def head_weights(head_HW: npt.NDArray[np.bool_], height: int, width: int, face_weight: float) -> Tensor:
    """As :func:`place_weights`, [height, width] latent cells, where it is known which pixels show face and hair.

    A cell counts ``1 + face_weight`` times its share of the head. A picture without a head counts alike everywhere.
    """
    share = Image.fromarray(head_HW.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    weights_HW = 1 + face_weight * torch.from_numpy(np.array(share))
    return weights_HW / weights_HW.mean()


def draw_step(
    seed: int, step: int, *, stream: int, latents: int, rows: int, levels: int, dropout: float, shape: tuple[int, ...]
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
    )


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
