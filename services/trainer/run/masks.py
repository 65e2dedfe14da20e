"""Finds out what the loss counts of each photo: where an analyzer sees its person's head."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from headshots.faces import FaceAnalyzer, Part, Pixels
from services.trainer.lora.objective import Head, LossMasks, centre_weights
from services.trainer.lora.recipe import Recipe

log = logging.getLogger(__name__)


def loss_masks(
    analyzer: FaceAnalyzer | None, crops: Sequence[Pixels], height: int, width: int, recipe: Recipe
) -> LossMasks:
    """What is learned of each crop, in latent cells: its head if the analyzer can tell heads, otherwise its middle."""
    wanted = analyzer if recipe.face_weight > 0 or recipe.hair_weight > 0 or recipe.scene_share > 0 else None
    parts = [wanted.parts(crop) if wanted else None for crop in crops]
    heads = [
        Head.of_parts(
            found == Part.FACE,
            found == Part.HAIR,
            height,
            width,
            face_weight=recipe.face_weight,
            hair_weight=recipe.hair_weight,
        )
        for found in parts
        if found is not None
    ]
    if len(heads) < len(crops):
        if recipe.scene_share > 0:
            log.warning("no analyzer tells heads from the rest: whole photos are learned, and scenes are left out")
        return LossMasks.of_photos([centre_weights(height, width, recipe.face_weight)] * len(crops))
    if recipe.scene_share > 0:
        return LossMasks.of_heads(heads, surround_weight=recipe.surround_weight, margin=recipe.head_margin)
    return LossMasks.of_photos([head.cell_weights for head in heads])
