"""Asks of everybody's portraits how natural their faces are, by nets that other people's pictures taught.

A net of each fold of people learns from true renders, from such that were broken on purpose, and from what was painted
of the other folds' people, of other scenes and seeds and under other guidance, by their adapters and by the bare
foundation. It is asked about its own fold's people: their portraits, true renders of them in the same poses, and the
same through the foundation's autoencoder, which tells how much of what it sees is not the UNet's doing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.faces.folds import asked_in, teachers_of
from benchmarks.faces.naturalness import Crops, Floats, Lessons, NaturalnessNet, looked_at, teach
from benchmarks.faces.precision import knn_precision
from benchmarks.training import painting, reference
from benchmarks.training.people import resized
from benchmarks.training.pictures import kept
from benchmarks.training.plan import Plan
from foundry.faces.hard_pairs import roc_area
from foundry.judges import Judges
from foundry.train_judges import load_judges


def measured(plan: Plan, fold: int) -> dict[str, Any]:
    """By person of the fold, as text: precision in the net's features, true renders' own, and the net's ROC area."""
    torch.set_num_threads(1)
    everybody = range(plan.people)
    asked = asked_in(fold, everybody)
    if not asked:
        return {"people": {}, "taught": {}, "bare": None}
    judges, drawn = load_judges(), reference.reference(plan)
    nouns = sorted({plan.cast.class_noun(person) for person in everybody})
    painted = [_crops(plan, judges, "bare-teaching", noun) for noun in nouns]
    painted += [_crops(plan, judges, "teaching", person) for person in teachers_of(fold, everybody)]
    lessons = Lessons(drawn.teaching, drawn.broken, drawn.ways, np.concatenate(painted))
    net = teach(lessons, plan.teaching_steps, seed=fold)
    compared, _ = looked_at(net, drawn.compared)
    results = {str(person): _asked(plan, judges, net, compared, person) for person in asked}
    asked_nouns = sorted({plan.cast.class_noun(person) for person in asked})
    bare = np.concatenate([_crops(plan, judges, "bare", noun) for noun in asked_nouns])
    return {
        "people": results,
        "taught": {"drawn": len(drawn.teaching), "broken": len(drawn.broken), "painted": len(lessons.painted)},
        "bare": knn_precision(compared, looked_at(net, bare)[0]),
    }


def _asked(plan: Plan, judges: Judges, net: NaturalnessNet, compared_RD: Floats, person: int) -> dict[str, float]:
    features_ND, scores_N = looked_at(net, _crops(plan, judges, "ours", person))
    true_ND, true_scores_N = looked_at(net, _crops(plan, judges, "true", person))
    decoded = painting.through_autoencoder(plan, kept(plan, "true", person))
    decoded_ND, decoded_scores_N = looked_at(net, reference.looked_at(judges, decoded)[0])
    return {
        "precision": knn_precision(compared_RD, features_ND),
        "precision_true": knn_precision(compared_RD, true_ND),
        "precision_decoded": knn_precision(compared_RD, decoded_ND),
        "auc": roc_area(true_scores_N, scores_N),
        "auc_decoded": roc_area(true_scores_N, decoded_scores_N),
    }


def _crops(plan: Plan, judges: Judges, kind: str, of: int | str) -> Crops:
    crops, _ = reference.looked_at(judges, resized(list(kept(plan, kind, of))))
    return crops
