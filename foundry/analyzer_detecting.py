"""Trains the detector: a heat map of faces (CenterNet, Zhou et al., arXiv 1904.07850), their geometry, and the parts.

Shapes: R canvases of one step, C x C cells, G geometry values, P parts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from foundry.analyzer import GEOMETRY, Detector
from foundry.analyzer_scenes import SEEN_FROM, UNSEEN_BELOW, CanvasTruth, Floats, compose, prepare_scenes
from foundry.camera import as_camera_sees
from headshots.faces.base import Part
from headshots.faces.detection import CELLS, SIDE, SIZE_UNIT, STRIDE
from headshots.faces.geometry import to_planes

ROWS = 32
GEOMETRY_WEIGHT = 2.0
PARTS_WEIGHT = 1.0
_REACH = 1  # cells around a face's middle that must know its geometry


class DetectorStage:
    """See the module's docstring."""

    name = "detector"
    learning_rate = 3e-3

    def __init__(self, work: Path, scenes: int, seed: int, device: torch.device, rows: int = ROWS) -> None:
        torch.manual_seed(seed + 1)
        self.seed, self.device, self.rows = seed, device, rows
        self.scenes = prepare_scenes(work, scenes)
        self.detector = Detector().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.models: dict[str, nn.Module] = {"detector": self.detector}

    def loss(self, step: int) -> Tensor:
        """Heat, geometry and parts on the canvases of one step."""
        rng = np.random.default_rng([self.seed, step, 0xDE7EC7])
        canvases = [compose(self.scenes, rng) for _ in range(self.rows)]
        maps = [target_maps(canvas) for canvas in canvases]
        heat, heat_counts, geometry, known = (
            torch.from_numpy(np.stack(column)).to(self.device) for column in zip(*maps, strict=True)
        )
        parts = torch.from_numpy(np.stack([canvas.parts for canvas in canvases])).to(self.device)
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        pixels = torch.from_numpy(to_planes(np.stack([canvas.pixels for canvas in canvases]))).to(self.device)
        pixels = as_camera_sees(pixels, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            heat_logits, found_geometry, part_logits = self.detector(pixels)
        return (
            heat_loss(heat_logits.float(), heat, heat_counts)
            + GEOMETRY_WEIGHT * geometry_loss(found_geometry.float(), geometry, known)
            + PARTS_WEIGHT * nn.functional.cross_entropy(part_logits.float(), half_size_shares(parts))
        )


def target_maps(canvas: CanvasTruth) -> tuple[Floats, Floats, Floats, Floats]:
    """Heat [C, C] and where it counts, geometry [G, C, C] and where it is known."""
    heat, counts = np.zeros((CELLS, CELLS), np.float32), np.ones((CELLS, CELLS), np.float32)
    geometry, known = np.zeros((GEOMETRY, CELLS, CELLS), np.float32), np.zeros((CELLS, CELLS), np.float32)
    cells = np.arange(CELLS, dtype=np.float32)
    for place, shown in zip(canvas.places, canvas.shown, strict=True):
        if shown < UNSEEN_BELOW:
            continue
        size = place[1] - place[0]
        middle = place[:2].mean(0) / STRIDE - 0.5
        column, row = (int(value) for value in np.clip(np.rint(middle), 0, CELLS - 1))
        sigma = max(0.7, 0.07 * float(size.mean()) / STRIDE)
        peak = np.exp(-((cells[:, None] - row) ** 2 + (cells[None, :] - column) ** 2) / (2 * sigma**2))
        if shown < SEEN_FROM:
            counts[peak > 0.05] = 0
            continue
        heat = np.maximum(heat, peak).astype(np.float32)
        for y in range(max(row - _REACH, 0), min(row + _REACH + 1, CELLS)):
            for x in range(max(column - _REACH, 0), min(column + _REACH + 1, CELLS)):
                geometry[:, y, x] = face_geometry(place, x, y)
                known[y, x] = 1
    counts[heat == 1] = 1
    return heat, counts, geometry, known


def face_geometry(place_72: Floats, x: int, y: int) -> Floats:
    """What cell (x, y) should say of a face: the inverse of `headshots.faces.detection`."""
    size = place_72[1] - place_72[0]
    centre = place_72[:2].mean(0)
    offset = centre / STRIDE - np.array([x + 0.5, y + 0.5], np.float32)
    landmarks = (place_72[2:] - centre) / size
    return np.concatenate([offset, np.log(size / SIZE_UNIT), landmarks.ravel()]).astype(np.float32)


def heat_loss(logits_RCC: Tensor, heat_RCC: Tensor, counts_RCC: Tensor) -> Tensor:
    """CenterNet's focal loss over the number of faces."""
    sure = torch.sigmoid(logits_RCC)
    positive = (heat_RCC == 1).float()
    hits = positive * (1 - sure) ** 2 * nn.functional.logsigmoid(logits_RCC)
    misses = (1 - positive) * (1 - heat_RCC) ** 4 * sure**2 * nn.functional.logsigmoid(-logits_RCC)
    return -((hits + misses) * counts_RCC).sum() / positive.sum().clamp(min=1)


def geometry_loss(found_RGCC: Tensor, geometry_RGCC: Tensor, known_RCC: Tensor) -> Tensor:
    """Mean distance where the geometry is known; landmarks and sizes weigh more than the coarse offset."""
    weights = torch.tensor([0.5] * 2 + [2.0] * 2 + [4.0] * (GEOMETRY - 4), device=found_RGCC.device)
    distance = nn.functional.smooth_l1_loss(found_RGCC, geometry_RGCC, reduction="none", beta=0.02)
    weighted = (distance * weights[:, None, None]).mean(1) * known_RCC
    return weighted.sum() / known_RCC.sum().clamp(min=1)


def half_size_shares(parts_RHW: Tensor) -> Tensor:
    """Each part's share of every 2 x 2 pixels, [R, P, SIDE / 2, SIDE / 2]."""
    assert parts_RHW.shape[-1] == SIDE
    one_hot = nn.functional.one_hot(parts_RHW.long(), len(Part)).permute(0, 3, 1, 2).float()
    return nn.functional.avg_pool2d(one_hot, 2)
