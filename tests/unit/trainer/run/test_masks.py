"""What the loss counts of a photo: its face and its hair, each by its own weight."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from headshots.faces import FaceAnalyzer
from headshots.faces.base import Parts
from services.trainer.lora.recipe import Recipe
from services.trainer.run.masks import loss_masks


def test_face_and_hair_have_their_own_weights() -> None:
    """The face in the left half, hair in the quarter beside it."""
    face_HW, hair_HW = np.zeros((64, 64), np.float32), np.zeros((64, 64), np.float32)
    face_HW[:, :32], hair_HW[:, 32:48] = 1, 1
    told: Any = SimpleNamespace(name="told", parts=lambda crop: Parts(face_HW, hair_HW))
    photo = np.zeros((64, 64, 3), np.uint8)
    recipe = Recipe(face_weight=1.0, hair_weight=0.5)
    weight_HW = loss_masks(cast(FaceAnalyzer, told), [photo], 8, 8, recipe).weight_BHW[0].numpy()
    face, hair, rest = (float(weight_HW[:, column].mean()) for column in (1, 5, 7))
    assert (face / rest, hair / rest) == (pytest.approx(2, abs=0.1), pytest.approx(1.5, abs=0.1))
