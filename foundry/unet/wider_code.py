"""Widens a published pipeline's latents by channels, so that its weights can be gone on with as they are.

Sixteen channels of an 8 x 8 patch leave an eye 27 of 255 grey levels wrong, thirty-two 18 (docs/experiments.md); a UNet
pays 1 % for them. The new channels are the principal components of what the published ones leave over. What the
published nets computed does not read them at first, so it is what it was.

Shapes: C channels before, E channels added, D = 192 pixel values of one patch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from foundry.latents import PatchCode, patches_of, principal_components, to_tensor
from foundry.unet.drawing import Order, draw

FITTED_TO = 600


def widened_code(code: PatchCode, channels: int, framing: str) -> PatchCode:
    """The code with more channels, in all ``channels``; fitted to drawn training portraits of one framing.

    Raises:
        ValueError: fewer channels than the code has.
    """
    extra = channels - code.channels
    if extra < 0:
        raise ValueError(f"the code has {code.channels} channels; --channels is that or more, not {channels}")
    if extra == 0:
        return code
    patches_ND = patches_of(to_tensor(draw(Order(seed=0, first=0, count=FITTED_TO, framing=framing)).pixels)).double()
    centred_ND, basis_DC = patches_ND - code.mean_D, code.basis_DC.double()
    left_ND = centred_ND - centred_ND @ basis_DC @ basis_DC.T
    added_DE, deviation_E = principal_components(left_ND.T @ left_ND / len(left_ND), extra)
    # The published channels' scale is a constant times their deviation to the power -0.5; the new ones' the same one.
    deviation_C = (centred_ND @ basis_DC).square().mean(0).sqrt()
    constant = (code.scale_C * deviation_C.sqrt()).mean()
    scale = torch.cat([code.scale_C, (constant * deviation_E**-0.5).float()])
    return PatchCode(code.mean_D, torch.cat([code.basis_DC, added_DE.float()], 1).contiguous(), scale)


def widened(weights: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """``weights`` in the shapes of ``wanted``, a freshly made net's: new inputs are zero, new outputs are its own."""
    return {name: _grown(value, wanted[name]) for name, value in weights.items()}


def _grown(value: Tensor, wanted: Tensor) -> Tensor:
    if value.shape == wanted.shape:
        return value
    grown = wanted.clone()
    if value.ndim > 1:
        grown[: len(value), value.shape[1] :] = 0
    grown[tuple(slice(0, side) for side in value.shape)] = value
    return grown
