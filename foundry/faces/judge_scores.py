"""Measures the judges on people whom they never saw, framed as the drawn world is and closer.

Shapes: B pictures, P points, A attributes, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from foundry.dataset import PICTURES_A_PERSON, example
from foundry.faces import hard_pairs
from foundry.faces.framings import closer, unchanged
from foundry.faces.hard_pairs import Framing
from foundry.faces.landmarker import SIDE, Landmarker
from foundry.judges import ATTRIBUTES, Embedder, Judges, Probe, labels
from foundry.latents import to_tensor
from foundry.portraits import face_points, render

FALSE_MATCH_RATE = 1e-4
HELD_OUT_PICTURES = 1200
# By the names that judges.json has; "close" is a little nearer than the framing of that name in foundry.portraits.
VIEWS: dict[str, Framing] = {"own": unchanged, "close": closer}
_BATCH = 100


def true_labels(count: int, held_out: bool = False) -> Tensor:
    """int64 [N, attributes] of pictures 0 .. count-1."""
    return torch.tensor([labels(*example(index, held_out)) for index in range(count)])


@torch.no_grad()
def embed_all(embedder: Embedder, pixels_BCHW: Tensor) -> Tensor:
    """Embeddings [B, D] in batches."""
    return torch.cat([embedder(part) for part in torch.split(pixels_BCHW, _BATCH)])


@torch.no_grad()
def probe_accuracy(probe: Probe, pixels_BCHW: Tensor, truth_BA: Tensor) -> dict[str, float]:
    """The share of right answers for each attribute."""
    parts = [torch.stack([logits.argmax(1) for logits in probe(part)], 1) for part in torch.split(pixels_BCHW, _BATCH)]
    right = (torch.cat(parts) == truth_BA).float().mean(0)
    return {name: round(float(value), 4) for name, value in zip(ATTRIBUTES, right, strict=True)}


def verification(vectors_BD: Tensor) -> dict[str, float]:
    """How well pairs of one person (rows 2k, 2k+1) stand apart from strangers: see `told_apart_from`."""
    similarity = vectors_BD @ vectors_BD.T
    person = torch.arange(len(vectors_BD)) // PICTURES_A_PERSON
    same = (person[:, None] == person[None, :]).triu(1)
    strangers = (person[:, None] != person[None, :]).triu(1)
    return told_apart_from(similarity[strangers], similarity[same])


def told_apart_from(strangers_N: Tensor, same_N: Tensor, published: float | None = None) -> dict[str, float]:
    """The similarity that FALSE_MATCH_RATE of these strangers' pairs reach, but one pair at the least; the share of one
    person's pairs that reach it; the ROC area; and the share of strangers that reach the `published` threshold.
    """
    rank = max(int(len(strangers_N) * FALSE_MATCH_RATE), 1)
    threshold = float(strangers_N.topk(rank).values[-1])
    area = torch.searchsorted(strangers_N.sort().values, same_N).double().mean() / len(strangers_N)
    found = {
        "threshold": threshold,
        "true_match_rate": float((same_N >= threshold).float().mean()),
        "false_match_rate": FALSE_MATCH_RATE,
        "roc_area": float(area),
        "pairs_of_strangers": len(strangers_N),
    }
    if published is not None:
        found["reach_same_person_from"] = float((strangers_N >= published).float().mean())
    return found


def hard_vectors(embedder: Embedder, people: int, framing: Framing, first_person: int) -> hard_pairs.Vectors:
    """Embeddings of people and their look-alikes."""

    def embed(pictures: Sequence[hard_pairs.Pixels]) -> hard_pairs.Floats:
        return embed_all(embedder, to_tensor(np.stack(pictures))).numpy()

    return hard_pairs.embed_families(embed, people, first_person, framing)


@torch.no_grad()
def landmark_errors_px(landmarker: Landmarker, pixels_BCHW: Tensor, truth_BP2: Tensor) -> Tensor:
    """[B, P]: distances from the true points; both in pixels of a side of 128."""
    found = torch.cat([landmarker(part) for part in torch.split(pixels_BCHW, _BATCH)])
    errors: Tensor = torch.linalg.vector_norm(found * SIDE - truth_BP2, dim=2)
    return errors


def scores(judges: Judges, framing: Framing, people: int = hard_pairs.GALLERY, after: int = 0) -> dict[str, object]:
    """All figures of pictures framed by `framing`.

    Args:
        people: with look-alikes; for the other figures three times as many, with two pictures each.
        after: so many people further on than those of the published figures. Whoever chooses a recipe uses some.
    """
    first, count = after * PICTURES_A_PERSON, people * HELD_OUT_PICTURES // hard_pairs.GALLERY
    shown = [(one, framing(scene)) for one, scene in (example(first + index, True) for index in range(count))]
    pixels = to_tensor(np.stack([render(*each) for each in shown]))
    truth_BP2 = torch.from_numpy(np.stack([face_points(*each, size=SIDE) for each in shown]))
    errors = landmark_errors_px(judges.landmarker, pixels, truth_BP2)
    hard = hard_vectors(judges.embedder, people, framing, hard_pairs.FIRST_PERSON + after)
    same, doubles = torch.from_numpy(hard.same()), torch.from_numpy(hard.to_doubles())
    return {
        "probe_accuracy": probe_accuracy(judges.probe, pixels, torch.tensor([labels(*each) for each in shown])),
        "verification": verification(embed_all(judges.embedder, pixels)),
        "verification_of_doubles": told_apart_from(doubles, same, judges.same_person_from),
        "verification_of_siblings": told_apart_from(
            torch.from_numpy(hard.to_siblings()), same, judges.same_person_from
        ),
        "hard_pairs": hard_pairs.rounded(hard_pairs.scores(hard)),
        "landmark_error_px": {
            "median": round(float(errors.median()), 3),
            "percentile_95": round(float(errors.flatten().quantile(0.95)), 3),
        },
    }
