"""Trains the embedder: one person's pictures must be near, all others far, and the traits readable.

A step sees whole families, so that everybody stands beside a double whom only the face tells from them. People are told
apart by supervised contrastive loss (Khosla et al., arXiv 2004.11362) against the batch and a memory of earlier batches
(cross-batch memory, Wang et al., arXiv 1912.06798). With two or three pictures a person that alone learns slowly; the
renderer knows every trait of who it drew, so a linear reader of the features is trained beside and shows the net from
the first step what people differ in.

Shapes: R rows of one step, T traits, D embedding width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from foundry.analyzer import EMBEDDING_WIDTH, FaceEmbedder, TraitReader
from foundry.analyzer_faces import MARGIN, all_traits, prepare_faces
from foundry.camera import as_camera_sees
from foundry.faces.families import whose
from foundry.faces.telling_apart import told_apart
from headshots.faces.geometry import CROP, to_planes

FAMILIES_A_STEP = 20
MEMORY = 4096
MEMORY_FROM_STEP = 150  # before, embeddings drift too fast to be worth remembering
TRAIT_WEIGHT = 1.0


class EmbedderStage:
    """See the module's docstring."""

    name = "embedder"
    learning_rate = 3e-3

    def __init__(
        self, work: Path, families: int, seed: int, device: torch.device, families_a_step: int = FAMILIES_A_STEP
    ) -> None:
        torch.manual_seed(seed)
        self.seed, self.device = seed, device
        self.faces = prepare_faces(work, families)
        self.families, self.families_a_step = families, min(families_a_step, families)
        self.traits = torch.from_numpy(all_traits(families))
        self.embedder = FaceEmbedder().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.reader = TraitReader(self.traits.shape[-1]).to(device)
        self.models: dict[str, nn.Module] = {"embedder": self.embedder, "reader": self.reader}
        self.memory = torch.zeros(0, EMBEDDING_WIDTH, device=device)
        self.remembered = torch.zeros(0, dtype=torch.int64, device=device)

    def loss(self, step: int) -> Tensor:
        """The contrastive loss plus the reader's squared error on the pictures of one step."""
        rng = np.random.default_rng([self.seed, step, 0xFACE])
        chosen = np.sort(rng.choice(self.families, self.families_a_step, replace=False))
        crops = torch.from_numpy(to_planes(self.faces[chosen].reshape(-1, *self.faces.shape[2:]))).to(self.device)
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        faces = as_camera_sees(moved(crops, generator), generator)
        people = torch.from_numpy(whose(chosen)).to(self.device)
        torch.manual_seed(int(rng.integers(1 << 62)))  # for the dropout, so that a resumed run drops the same
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.embedder.features(faces.contiguous(memory_format=torch.channels_last))
            told = self.reader(features)
        vectors = nn.functional.normalize(features.float(), dim=1)
        truth = self.traits[torch.from_numpy(chosen)].flatten(0, 1).to(self.device)
        trait_error = nn.functional.mse_loss(told.float(), truth)
        identity_loss = told_apart(vectors, people, self.memory, self.remembered)
        if step >= MEMORY_FROM_STEP:
            self.memory = torch.cat([vectors.detach(), self.memory])[:MEMORY]
            self.remembered = torch.cat([people, self.remembered])[:MEMORY]
        return identity_loss + TRAIT_WEIGHT * trait_error


def moved(crops_RCHW: Tensor, generator: torch.Generator) -> Tensor:
    """Aligned faces [R, 3, CROP, CROP] out of crops with a margin, off by what a detector may be off."""
    return moved_by(crops_RCHW, off_by(len(crops_RCHW), generator))


def off_by(rows: int, generator: torch.Generator) -> Tensor:
    """[R, 2, 3]: where in crops with a margin an aligned face lies that a detector is off by; both from -1 to 1."""
    side = CROP + 2 * MARGIN
    random = torch.rand(rows, 4, generator=generator) * 2 - 1
    angle = random[:, 0] * 0.07
    scale = CROP / side * (1 + 0.05 * random[:, 1])
    shift = random[:, 2:] * (2 * 2.2 / side)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    return torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)


def moved_by(crops_RCHW: Tensor, matrix_R23: Tensor) -> Tensor:
    """Faces [R, 3, CROP, CROP] out of crops with a margin."""
    shape = [len(crops_RCHW), 3, CROP, CROP]
    grid = nn.functional.affine_grid(matrix_R23, shape, align_corners=False).to(crops_RCHW.device)
    return nn.functional.grid_sample(crops_RCHW, grid, padding_mode="border", align_corners=False)
