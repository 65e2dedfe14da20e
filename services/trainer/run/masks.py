"""Finds out what the loss counts of each photo: where an analyzer sees its person's head."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from headshots.faces import Face, FaceAnalyzer, Pixels
from services.trainer.lora.objective import Head, LossMasks, Mask, centre_weights
from services.trainer.lora.recipe import Recipe

log = logging.getLogger(__name__)


def loss_masks(
    analyzer: FaceAnalyzer | None, crops: Sequence[Pixels], height: int, width: int, recipe: Recipe
) -> LossMasks:
    """What is learned of each crop, in latent cells: its head, as far as the analyzer tells it.

    An analyzer that tells face and hair weighs these; of one that only finds faces their boxes count; without one, and
    in a crop without a face, the middle does, where a selfie has its face.
    """
    weighs = recipe.face_weight > 0 or recipe.hair_weight > 0 or recipe.scene_share > 0
    wanted = analyzer if weighs else None
    parts = [wanted.parts(crop) if wanted else None for crop in crops]
    heads = [
        _head(found.face_HW, found.hair_HW, height, width, recipe) for found in parts if found is not None
    ]  # fmt: skip
    if len(heads) < len(crops):
        if recipe.scene_share > 0:
            who = f"the analyzer {analyzer.name} tells no heads" if analyzer else "no analyzer tells heads"
            log.warning("%s from the rest: whole photos are learned, and scenes are left out", who)
        return LossMasks.of_photos([_by_box(wanted, crop, height, width, recipe) for crop in crops])
    if recipe.scene_share > 0:
        return LossMasks.of_heads(heads, surround_weight=recipe.surround_weight, margin=recipe.head_margin)
    return LossMasks.of_photos([head.cell_weights for head in heads])


def _head(face_HW: Mask, hair_HW: Mask, height: int, width: int, recipe: Recipe) -> Head:
    return Head.of_parts(
        face_HW, hair_HW, height, width, face_weight=recipe.face_weight, hair_weight=recipe.hair_weight
    )


def _by_box(analyzer: FaceAnalyzer | None, crop: Pixels, height: int, width: int, recipe: Recipe) -> Tensor:
    """Weights [height, width] of mean 1 of a crop whose parts are not known."""
    faces = analyzer.faces(crop) if analyzer else []
    if not faces:
        return centre_weights(height, width, recipe.face_weight)
    oval_HW = _oval(faces[0], crop.shape[0], crop.shape[1])
    return _head(oval_HW, np.zeros_like(oval_HW), height, width, recipe).cell_weights


def _oval(face: Face, height: int, width: int) -> Mask:
    """Which pixels lie in the ellipse that a face's box encloses: 1 there, else 0."""
    left, top, right, bottom = face.box
    y_H1, x_1W = np.ogrid[0.5:height:1.0, 0.5:width:1.0]
    across = (x_1W - (left + right) / 2) / max((right - left) / 2, 0.5)
    down = (y_H1 - (top + bottom) / 2) / max((bottom - top) / 2, 0.5)
    inside: Mask = (across**2 + down**2 <= 1).astype(np.float32)
    return inside
