"""Finds the latent cells of a face's features, and the channels of the latent code that tell eyes.

Shapes: B portraits, C channels, H x W cells.
"""

from __future__ import annotations

import torch
from torch import Tensor

from foundry.latents import PatchCode, to_tensor
from foundry.unet.drawing import CELLS, Order, draw

# Half width and half height of the box around an eye, and what the mouth's box has beyond its corners and above and
# below their line, in distances between the eyes.
_EYE = (0.38, 0.28)
_MOUTH = (0.1, 0.24)
VARIANCE_OF = 96


def eye_cells(landmarks_B52: Tensor) -> Tensor:
    """[B, 16, 16]: the share of each cell within the boxes around both eyes. Landmarks as `Drawn` has them."""
    apart = _apart(landmarks_B52)
    half = apart * torch.tensor(_EYE)
    boxes = [_covered(landmarks_B52[:, eye] - half, landmarks_B52[:, eye] + half) for eye in (0, 1)]
    return torch.maximum(boxes[0], boxes[1])


def mouth_cells(landmarks_B52: Tensor) -> Tensor:
    """[B, 16, 16]: the share of each cell within the box around the mouth."""
    beyond = _apart(landmarks_B52) * torch.tensor(_MOUTH)
    corners = landmarks_B52[:, 3:5]
    return _covered(corners.amin(1) - beyond, corners.amax(1) + beyond)


def eye_variance(code: PatchCode, framing: str) -> Tensor:
    """[C]: each channel's variance within eyes over that within whole pictures, in drawn training portraits."""
    drawn = draw(Order(seed=0, first=0, count=VARIANCE_OF, framing=framing))
    latents = code.encode(to_tensor(drawn.pixels))
    inside = eye_cells(torch.from_numpy(drawn.landmarks))[:, None]
    mean = (latents * inside).sum((0, 2, 3)) / inside.sum()
    spread = ((latents - mean[:, None, None]).square() * inside).sum((0, 2, 3)) / inside.sum()
    variance: Tensor = spread / latents.var((0, 2, 3))
    return variance


def channel_weights(code: PatchCode, framing: str, power: float) -> Tensor:
    """[C], of mean 1: how much each channel counts, by its `eye_variance` to a power; 0: all the same."""
    weights = eye_variance(code, framing) ** power if power else torch.ones_like(code.scale_C)
    return weights / weights.mean()


def _apart(landmarks_B52: Tensor) -> Tensor:
    """[B, 1]: the distance between the eyes."""
    apart: Tensor = torch.linalg.vector_norm(landmarks_B52[:, 1] - landmarks_B52[:, 0], dim=1, keepdim=True)
    return apart


def _covered(low_B2: Tensor, high_B2: Tensor) -> Tensor:
    """[B, 16, 16]: the share of each cell within boxes of these corners, x and y in shares of the picture's side."""
    edges = torch.arange(CELLS)
    within_B2K = torch.minimum(high_B2[..., None] * CELLS, edges + 1) - torch.maximum(low_B2[..., None] * CELLS, edges)
    within_B2K = within_B2K.clamp(0, 1)
    return within_B2K[:, 1, :, None] * within_B2K[:, 0, None, :]
