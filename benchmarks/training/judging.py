"""Judges images with nets of the foundry that no trainer uses, so that the judge is never the optimizer.

Checkpoints are selected by the analyzer of ``headshots.faces`` (a crop of 80 pixels by five landmarks, its own
architecture and training); the embedder and the probe here are ``foundry.judges`` (a crop of 96 pixels by 24 points of
a landmarker of its own, other layers, another loss, other people to learn from).

Shapes: N pictures, G people of the gallery, D width of an embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.training.people import Cast, Pixels, Scene, resized
from foundry.judges import Judges
from foundry.latents import to_tensor
from foundry.train_judges import digest, load_judges
from headshots.acceptance import PROFILE_WORTHY, Acceptance, Gate, measure_reference
from headshots.faces import FaceAnalyzer

FloatArray = npt.NDArray[np.float32]


class Jury:
    """Names people and reads prompts off portraits. ``gallery_GND``: embeddings of every person's true photos."""

    def __init__(self, gallery_GND: FloatArray) -> None:
        self._judges: Judges = load_judges()
        self._true_GND = gallery_GND
        means_GD = gallery_GND.mean(axis=1)
        self._means_GD = means_GD / np.linalg.norm(means_GD, axis=1, keepdims=True)

    def own_likeness(self, person: int) -> float:
        """Mean cosine between two true photos of a person: what a perfect portrait would reach."""
        vectors_ND = self._true_GND[person]
        cosines_NN = vectors_ND @ vectors_ND.T
        return float(cosines_NN[~np.eye(len(vectors_ND), dtype=bool)].mean())

    def likeness(self, person: int, pictures: Sequence[Pixels]) -> dict[str, Any]:
        """Rank 1 among the gallery, and likeness to the true photos, of portraits that should show ``person``."""
        vectors_ND = embeddings(self._judges, resized(pictures))
        nearest_N = (vectors_ND @ self._means_GD.T).argmax(axis=1)
        return {
            "rank1": float((nearest_N == person).mean()),
            "likeness": float((vectors_ND @ self._true_GND[person].T).mean()),
            "own_likeness": self.own_likeness(person),
        }

    def following(self, scenes: Sequence[Scene], pictures: Sequence[Pixels]) -> dict[str, float]:
        """Share of pictures that show what their prompt names; ``scenes``: one a picture."""
        answers = self._judges.probe.answers(to_tensor(resized(pictures)))
        names = {"outfit": "outfit", "backdrop": "backdrop", "light": "lighting"}
        return {
            attribute: float(
                np.mean([answer == getattr(scene, field) for answer, scene in zip(found, scenes, strict=True)])
            )
            for attribute, field in names.items()
            if (found := answers[attribute])
        }


def embeddings(judges: Judges, pictures_NHWC: Pixels) -> FloatArray:
    """[N, D]"""
    with torch.no_grad():
        parts = [judges.embedder(part) for part in torch.split(to_tensor(pictures_NHWC), 64)]
    vectors: FloatArray = torch.cat(parts).numpy()
    return vectors


def gallery(cast: Cast, people: int, kept: Path) -> FloatArray:
    """Embeddings [G, N, D] of the first people's true photos, drawn once and kept under the judge's digest."""
    kept = kept.with_stem(f"{kept.stem}-{digest()}")
    if kept.exists():
        known: FloatArray = np.load(kept)
        if len(known) >= people:
            return known[:people]
    judges = load_judges()
    drawn = np.stack([embeddings(judges, cast.true_photos(person)) for person in range(people)])
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, drawn)
    return drawn


def through_the_gate(
    analyzer: FaceAnalyzer | None, photos: Sequence[Pixels], pictures: Sequence[Pixels]
) -> dict[str, Any]:
    """Share of portraits that pass at first try, and what the others lack; unknown without an analyzer."""
    if analyzer is None:
        return {"accepted_share": None, "refused_for": {}}
    reference = measure_reference(analyzer, photos)
    if reference is None:
        return {"accepted_share": 0.0, "refused_for": {"NO_FACE_IN_PHOTOS": len(pictures)}}
    gate = Gate(analyzer, reference, PROFILE_WORTHY)
    judged = [gate.judge(picture) for picture in pictures]
    reasons = Counter(check.reason for each in judged for check in each.verdict.checks if not check.passed)
    likeness = [each.likeness for each in judged if each.likeness is not None]
    return {
        "accepted_share": float(np.mean([each.verdict.acceptance is Acceptance.ACCEPTED for each in judged])),
        "gate_likeness": float(np.mean(likeness)) if likeness else None,
        "refused_for": dict(reasons),
    }
