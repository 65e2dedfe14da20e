"""Measures whether a portrait shows the person, and not somebody with the same hair and skin.

Shapes: N portraits, K true photos of a person, G people of a gallery, D embedding width. All vectors have unit length.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


def verified(vectors_ND: Floats, photos_KD: Floats, threshold: float) -> Flags:
    """Which portraits a judge takes for the person: mean cosine to the true photos at `threshold` or above, [N].

    `threshold` is that of single pairs of pictures; `false_match_rate` measures how often strangers reach it by a mean.
    """
    return np.asarray((vectors_ND @ photos_KD.T).mean(axis=1) >= threshold)


def false_match_rate(gallery_GKD: Floats, threshold: float) -> float:
    """The share of strangers' pictures that `verified` takes for somebody: every picture against everybody else."""
    found = [
        verified(np.delete(gallery_GKD, person, 0).reshape(-1, gallery_GKD.shape[2]), own_KD, threshold).mean()
        for person, own_KD in enumerate(gallery_GKD)
    ]
    return float(np.mean(found))


def likeness(vectors_ND: Floats, photos_KD: Floats) -> float:
    """The mean cosine of portraits to the true photos, -1..1."""
    return float((vectors_ND @ photos_KD.T).mean())


def face_share(painted: float, true: float, floor: float) -> float:
    """Where likeness stands between people who share hair and skin only (0) and true renders (1).

    Args:
        painted: likeness of the portraits.
        true: likeness of true renders in the same scenes.
        floor: likeness of the person's doubles in the same scenes: their looks, a stranger's proportions.

    Raises:
        ValueError: the judge finds doubles as alike as the person, so that it sees no face.
    """
    if true <= floor:
        raise ValueError(
            f"true renders have a likeness of {true:.3f}, the person's doubles of {floor:.3f}: this judge sees no "
            "face. Retrain it with hard pairs: python -m foundry.train_judges"
        )
    return (painted - floor) / (true - floor)


def rank1_lookalikes(vectors_ND: Floats, own_KD: Floats, doubles_XKD: Floats, others_GKD: Floats, people: int) -> float:
    """The share of portraits that are nearest to their person among `people`, of whom X are the person's doubles.

    Everybody is known by the mean of their photos; of the others the first that are needed count, one at least.
    """
    others_GKD = others_GKD[: max(people - 1 - len(doubles_XKD), 1)]
    means_GD = np.concatenate([own_KD[None], doubles_XKD, others_GKD]).mean(axis=1)
    means_GD = means_GD / np.linalg.norm(means_GD, axis=1, keepdims=True)
    return float(((vectors_ND @ means_GD.T).argmax(axis=1) == 0).mean())
