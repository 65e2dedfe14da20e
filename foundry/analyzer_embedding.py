"""Trains the embedder: one person's two pictures must be near, strangers far, and the traits readable.

Pairs are told apart by InfoNCE against the batch and a memory of earlier batches (cross-batch memory, Wang et al.,
arXiv 1912.06798). With two pictures a person that alone learns slowly; the renderer knows every trait of who it drew,
so a linear reader of the features is trained beside and shows the net from the first step what people differ in.

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
from foundry.dataset import PICTURES_A_PERSON
from headshots.faces.geometry import CROP, to_planes

PAIRS = 64
MEMORY = 4096
MEMORY_FROM_STEP = 150  # before, embeddings drift too fast to be worth remembering
TEMPERATURE = 0.08
TRAIT_WEIGHT = 1.0


class EmbedderStage:
    """See the module's docstring."""

    name = "embedder"
    learning_rate = 3e-3

    def __init__(self, work: Path, pictures: int, seed: int, device: torch.device, pairs: int = PAIRS) -> None:
        torch.manual_seed(seed)
        self.seed, self.device = seed, device
        self.faces = prepare_faces(work, pictures)
        self.people = pictures // PICTURES_A_PERSON
        self.pairs = min(pairs, self.people)
        self.traits = torch.from_numpy(all_traits(self.people))
        self.embedder = FaceEmbedder().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.reader = TraitReader(self.traits.shape[1]).to(device)
        self.models: dict[str, nn.Module] = {"embedder": self.embedder, "reader": self.reader}
        self.memory = torch.zeros(0, EMBEDDING_WIDTH, device=device)
        self.remembered = torch.zeros(0, dtype=torch.int64, device=device)

    def loss(self, step: int) -> Tensor:
        """InfoNCE plus the reader's squared error on the pictures of one step."""
        rng = np.random.default_rng([self.seed, step, 0xFACE])
        chosen = rng.choice(self.people, self.pairs, replace=False).repeat(2)
        rows = chosen * PICTURES_A_PERSON + np.arange(len(chosen)) % PICTURES_A_PERSON
        crops = torch.from_numpy(to_planes(self.faces[rows])).to(self.device)
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        faces = as_camera_sees(moved(crops, generator), generator)
        people = torch.from_numpy(chosen).to(self.device)
        torch.manual_seed(int(rng.integers(1 << 62)))  # for the dropout, so that a resumed run drops the same
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.embedder.features(faces.contiguous(memory_format=torch.channels_last))
            told = self.reader(features)
        vectors = nn.functional.normalize(features.float(), dim=1)
        trait_error = nn.functional.mse_loss(told.float(), self.traits[chosen].to(self.device))
        identity_loss = self._told_apart(vectors, people)
        if step >= MEMORY_FROM_STEP:
            self.memory = torch.cat([vectors.detach(), self.memory])[:MEMORY]
            self.remembered = torch.cat([people, self.remembered])[:MEMORY]
        return identity_loss + TRAIT_WEIGHT * trait_error

    def _told_apart(self, vectors_RD: Tensor, people_R: Tensor) -> Tensor:
        """Rows 2k and 2k+1 show one person; all other rows and the memory show others or are left out."""
        among = vectors_RD @ vectors_RD.T / TEMPERATURE
        among = among.masked_fill(torch.eye(len(vectors_RD), dtype=torch.bool, device=self.device), float("-inf"))
        earlier = vectors_RD @ self.memory.T / TEMPERATURE
        earlier = earlier.masked_fill(people_R[:, None] == self.remembered[None, :], float("-inf"))
        partner = torch.arange(len(vectors_RD), device=self.device) ^ 1
        return nn.functional.cross_entropy(torch.cat([among, earlier], 1), partner)


def moved(crops_RCHW: Tensor, generator: torch.Generator) -> Tensor:
    """Aligned faces [R, 3, CROP, CROP] out of crops with a margin, off by what a detector may be off."""
    rows, side = len(crops_RCHW), CROP + 2 * MARGIN
    random = torch.rand(rows, 4, generator=generator) * 2 - 1
    angle = random[:, 0] * 0.07
    scale = CROP / side * (1 + 0.05 * random[:, 1])
    shift = random[:, 2:] * (2 * 2.2 / side)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    matrix = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    grid = nn.functional.affine_grid(matrix, [rows, 3, CROP, CROP], align_corners=False).to(crops_RCHW.device)
    return nn.functional.grid_sample(crops_RCHW, grid, padding_mode="border", align_corners=False)
