"""Fits the fixed latent space: a partially whitened PCA of 8 x 8 patches.

A linear code that never moves lets the UNet train from the first minute; the AutoencoderKL is distilled from it
later. Component k is scaled by its standard deviation to the power -0.5: full whitening would spend the UNet's
effort on the faintest components, none would drown the eyes in the backdrop's mean colour.

Shapes: B pictures, 16 x 16 patches (H, W), C components, D = 192 pixel values of one patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from foundry.dataset import kept, rendered
from foundry.portraits import DEFAULT_FRAMING

PATCH = 8
CHANNELS = 16
_FIT_PICTURES = 3000


@dataclass(frozen=True)
class PatchCode:
    """`mean_D`, orthonormal `basis_DC` and `scale_C`: latent = ((patch - mean) @ basis) * scale."""

    mean_D: Tensor
    basis_DC: Tensor
    scale_C: Tensor

    def encode(self, pixels_BCHW: Tensor) -> Tensor:
        """Pixels in -1..1, [B, 3, 8H, 8W], to latents [B, C, H, W] of unit mean variance."""
        patches = torch.nn.functional.pixel_unshuffle(pixels_BCHW, PATCH)
        return torch.einsum("bdhw,dc->bchw", patches - self.mean_D[:, None, None], self.basis_DC * self.scale_C)

    def decode(self, latents_BCHW: Tensor) -> Tensor:
        """Latents to pixels, about -1..1: the linear inverse, blockwise."""
        patches = torch.einsum("bchw,dc->bdhw", latents_BCHW, self.basis_DC / self.scale_C)
        return torch.nn.functional.pixel_shuffle(patches + self.mean_D[:, None, None], PATCH)

    def save(self, path: Path) -> None:
        """Write as .npz."""
        np.savez(path, mean=self.mean_D.numpy(), basis=self.basis_DC.numpy(), scale=self.scale_C.numpy())

    @property
    def channels(self) -> int:
        """Of a latent."""
        return len(self.scale_C)

    @classmethod
    def load(cls, path: Path) -> PatchCode:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(*(torch.from_numpy(file[name]) for name in ("mean", "basis", "scale")))


def to_tensor(pictures: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 [B, H, W, 3] to float32 [B, 3, H, W] in -1..1."""
    return torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def fitted_to(count: int) -> list[int]:
    """Which of ``count`` pictures the code is fitted to: evenly chosen ones."""
    return list(range(0, count, max(count // _FIT_PICTURES, 1)))[:_FIT_PICTURES]


def fit_patch_code(pictures: npt.NDArray[np.uint8]) -> PatchCode:
    """PCA over the patches of evenly chosen pictures, in float64 for a stable basis."""
    chosen = np.asarray(pictures)[fitted_to(len(pictures))]
    total = torch.zeros(3 * PATCH**2, dtype=torch.float64)
    second = torch.zeros(len(total), len(total), dtype=torch.float64)
    count = 0
    for start in range(0, len(chosen), 250):
        flat = patches_of(to_tensor(chosen[start : start + 250])).double()
        total += flat.sum(0)
        second += flat.T @ flat
        count += len(flat)
    mean = total / count
    basis, deviation = principal_components(second / count - torch.outer(mean, mean), CHANNELS)
    scale = deviation**-0.5
    scale = scale / (deviation * scale).square().mean().sqrt()
    return PatchCode(mean.float(), basis.float().contiguous(), scale.float())


def patches_of(pixels_BCHW: Tensor) -> Tensor:
    """Every patch of some pictures, [N, D]."""
    return torch.nn.functional.pixel_unshuffle(pixels_BCHW, PATCH).movedim(1, -1).reshape(-1, 3 * PATCH**2)


def principal_components(covariance_DD: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The directions [D, count] of most variance, largest first, and the standard deviations [count] along them."""
    values, vectors = torch.linalg.eigh(covariance_DD)
    return vectors.flip(1)[:, :count], values.flip(0)[:count].clamp_min(1e-12).sqrt()


def prepare_code(work: Path, pictures: int) -> PatchCode:
    """The code of ``pictures`` kept pictures, of which only those that it is fitted to are drawn; kept in `work`."""
    path = work / "patch_code.npz"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        fit_patch_code(rendered(fitted_to(pictures))).save(path)
    return PatchCode.load(path)


def prepare_latents(
    work: Path, pictures: npt.NDArray[np.uint8], framing: str = DEFAULT_FRAMING
) -> tuple[PatchCode, npt.NDArray[np.float16]]:
    """The code (fitted once) and the latents of all pictures, fp16 [N, C, 16, 16], kept in `work`."""
    code_path, latents_path = work / "patch_code.npz", kept(work, "latents", framing)
    if not code_path.exists():
        fit_patch_code(pictures).save(code_path)
    code = PatchCode.load(code_path)
    if latents_path.exists():
        latents: npt.NDArray[np.float16] = np.load(latents_path)
        if len(latents) == len(pictures):
            return code, latents
    blocks = [code.encode(to_tensor(pictures[i : i + 256])).half().numpy() for i in range(0, len(pictures), 256)]
    latents = np.concatenate(blocks)
    np.save(latents_path, latents)
    return code, latents
