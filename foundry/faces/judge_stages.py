"""Trains the judges' nets on families in all framings, spoilt as painted pictures are.

The embedder learns on crops that are upright by the true points and a landmarker's error, so that the two nets train
apart. What a step sees follows from the seed and its number alone.

Shapes: R pictures of one step, A attributes, P points, Q proportions, D embedding width.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from foundry.camera import as_camera_sees
from foundry.faces.families import MEMBERS, whose
from foundry.faces.judge_pictures import JudgePictures
from foundry.faces.landmarker import Landmarker, centres, upright
from foundry.faces.softening import as_painted, bent
from foundry.faces.telling_apart import told_from_lookalikes
from foundry.judges import EMBEDDING_WIDTH, CropEmbedder, Probe
from foundry.latents import to_tensor

ROWS = 64
FAMILIES_A_STEP = 20
MEMORY = 4096
MEMORY_FROM_STEP = 150  # before, embeddings drift too fast to be worth remembering
PROPORTIONS_WEIGHT = 1.0
BLOBS_WEIGHT = 0.2
BLOB_CELLS = 1.0  # standard deviation of the place that a map is asked for
POINT_ERROR = 1.2 / 128  # of each point by itself, as the landmarker's are, in sides of the picture
PLACE_ERROR, SIZE_ERROR, ANGLE_ERROR = 0.8 / 128, 0.02, 0.02  # of all points together; the angle in radians


def _pictures(pictures: JudgePictures, chosen_R: np.ndarray) -> Tensor:
    """Of these numbers, counted through all families: [R, 3, 128, 128] in -1..1."""
    families, members = np.divmod(chosen_R, len(MEMBERS))
    return to_tensor(pictures.pictures[families, members])


class ProbeStage:
    """The attributes' cross entropies, summed."""

    name = "probe"
    learning_rate = 2e-3

    def __init__(self, pictures: JudgePictures, seed: int, probe: Probe | None = None, rows: int = ROWS) -> None:
        torch.manual_seed(seed)
        self.seed, self.pictures = seed, pictures
        self.labels_NA = torch.from_numpy(pictures.labels).flatten(0, 1)
        self.rows = min(rows, len(self.labels_NA))
        self.probe = (probe or Probe()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.models: dict[str, nn.Module] = {"probe": self.probe}

    def loss(self, step: int) -> Tensor:
        rng = np.random.default_rng([self.seed, step, 0x9B0BE])
        chosen = np.sort(rng.choice(len(self.labels_NA), self.rows, replace=False))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        pixels = as_painted(_pictures(self.pictures, chosen), generator, share=0.25)
        pixels = shaken(pixels, rng, generator).contiguous(memory_format=torch.channels_last)
        torch.manual_seed(int(rng.integers(1 << 62)))  # for the dropout, so that a resumed run drops the same
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.probe(pixels)
        truth_RA = self.labels_NA[torch.from_numpy(chosen)]
        losses = [nn.functional.cross_entropy(each.float(), truth_RA[:, i]) for i, each in enumerate(logits)]
        return torch.stack(losses).sum()


def shaken(pixels_RCHW: Tensor, rng: np.random.Generator, generator: torch.Generator) -> Tensor:
    """Shifts of up to 3 pixels, contrast, noise and at times a blur; the colours stay, because they name the light."""
    dx, dy = (int(value) for value in rng.integers(-3, 4, 2))
    moved = torch.roll(pixels_RCHW, (dy, dx), (2, 3)) * float(rng.uniform(0.92, 1.06))
    if rng.random() < 0.5:
        moved = nn.functional.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    return moved + float(rng.uniform(0, 0.08)) * torch.randn(moved.shape, generator=generator)


class LandmarkerStage:
    """The distance of points from the true ones, in cells, and the cross entropy of maps against blobs around them."""

    name = "landmarker"
    learning_rate = 3e-3

    def __init__(
        self, pictures: JudgePictures, seed: int, landmarker: Landmarker | None = None, rows: int = ROWS
    ) -> None:
        torch.manual_seed(seed + 1)
        self.seed, self.pictures = seed, pictures
        self.points_NP2 = torch.from_numpy(pictures.points).flatten(0, 1)
        self.rows = min(rows, len(self.points_NP2))
        self.landmarker = (landmarker or Landmarker()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.models: dict[str, nn.Module] = {"landmarker": self.landmarker}

    def loss(self, step: int) -> Tensor:
        rng = np.random.default_rng([self.seed, step, 0x1A2D])
        chosen = np.sort(rng.choice(len(self.points_NP2), self.rows, replace=False))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        pixels, points = bent(_pictures(self.pictures, chosen), self.points_NP2[torch.from_numpy(chosen)], generator)
        pixels = as_camera_sees(as_painted(pixels, generator), generator)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.landmarker.logits(pixels.contiguous(memory_format=torch.channels_last))
        return landmark_loss(logits.float(), points)


def landmark_loss(logits_RPCC: Tensor, points_RP2: Tensor) -> Tensor:
    """See `LandmarkerStage`; points outside of the picture do not count."""
    cells = logits_RPCC.shape[-1]
    inside = ((points_RP2 > 0) & (points_RP2 < 1)).all(2).float()
    distance = (centres(logits_RPCC)[0] - points_RP2).abs().sum(2) * cells
    place = (torch.arange(cells) + 0.5) / cells
    away_RP2C = (points_RP2[..., None] - place) * cells / BLOB_CELLS
    across, along = torch.softmax(-(away_RP2C**2) / 2, 3).unbind(2)
    # The blob is a product, so its cross entropy is one of two sums.
    log_shares = torch.log_softmax(logits_RPCC.flatten(2), 2).view_as(logits_RPCC)
    entropy = -torch.einsum("rpyx,rpy,rpx->rp", log_shares, along, across)
    return ((distance + BLOBS_WEIGHT * entropy) * inside).sum() / inside.sum().clamp(min=1)


class EmbedderStage:
    """InfoNCE against look-alikes, the batch and a memory, and the error of proportions read from the features."""

    name = "embedder"
    learning_rate = 3e-3

    def __init__(
        self,
        pictures: JudgePictures,
        seed: int,
        crops: CropEmbedder | None = None,
        families_a_step: int = FAMILIES_A_STEP,
    ) -> None:
        torch.manual_seed(seed + 2)
        self.seed, self.pictures = seed, pictures
        self.families_a_step = min(families_a_step, len(pictures.pictures))
        self.crops = (crops or CropEmbedder()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.reader = nn.Linear(EMBEDDING_WIDTH, pictures.proportions.shape[-1])  # only training needs it
        self.models: dict[str, nn.Module] = {"embedder": self.crops, "reader": self.reader}
        self.memory = torch.zeros(0, EMBEDDING_WIDTH)
        self.remembered = torch.zeros(0, dtype=torch.int64)

    def loss(self, step: int) -> Tensor:
        rng = np.random.default_rng([self.seed, step, 0xE3BED])
        families = np.sort(rng.choice(len(self.pictures.pictures), self.families_a_step, replace=False))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        pixels = to_tensor(self.pictures.pictures[families].reshape(-1, *self.pictures.pictures.shape[2:]))
        points = mistaken(torch.from_numpy(self.pictures.points[families]).flatten(0, 1), generator)
        crops = as_camera_sees(upright(as_painted(pixels, generator), points), generator)
        torch.manual_seed(int(rng.integers(1 << 62)))  # for the dropout, so that a resumed run drops the same
        with torch.autocast("cpu", torch.bfloat16):
            features = self.crops.features(crops.contiguous(memory_format=torch.channels_last))
            told = self.reader(features)
        vectors = nn.functional.normalize(features.float(), dim=1)
        people = torch.from_numpy(whose(families))
        alike = torch.from_numpy(families).repeat_interleave(len(MEMBERS))
        identity_loss = told_from_lookalikes(vectors, people, alike, self.memory, self.remembered)
        if step >= MEMORY_FROM_STEP:
            self.memory = torch.cat([vectors.detach(), self.memory])[:MEMORY]
            self.remembered = torch.cat([people, self.remembered])[:MEMORY]
        truth = torch.from_numpy(self.pictures.proportions[families]).flatten(0, 1)
        return identity_loss + PROPORTIONS_WEIGHT * nn.functional.mse_loss(told.float(), truth)


def mistaken(points_RP2: Tensor, generator: torch.Generator) -> Tensor:
    """Points as a landmarker finds them: each a little off, and all of them together."""
    rows = len(points_RP2)

    def normal(*shape: int) -> Tensor:
        return torch.randn(rows, *shape, generator=generator)

    middle = points_RP2.mean(1, keepdim=True)
    away = torch.view_as_complex((points_RP2 - middle).contiguous())
    turned = away * torch.polar(1 + SIZE_ERROR * normal(1), ANGLE_ERROR * normal(1))
    place = middle + PLACE_ERROR * normal(1, 2)
    return torch.view_as_real(turned) + place + POINT_ERROR * normal(*points_RP2.shape[1:])
