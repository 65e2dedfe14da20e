"""Puts accepted portraits in order: the first ones are good, and differ from each other.

Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998): the next one is that whose relevance is high and whose
similarity to those before it is low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headshots.acceptance.view import View, differences
from headshots.imaging.quality import Floats

# Weight of relevance against variety: a portrait of a style that is there already goes before one of a new style only
# if some two thirds of all candidates lie between them.
_RELEVANCE = 0.5
# Parts of relevance, each as the share of candidates that are not better.
_LIKENESS, _QUALITY = 0.7, 0.3
# Parts of similarity: one style, and one look.
_STYLE, _LOOK = 0.65, 0.35


@dataclass(frozen=True, slots=True)
class Candidate:
    """An accepted portrait."""

    likeness: float
    """Cosine to the mean of the person's photos, -1 to 1."""
    quality: float
    """Of `Judged`, 0 to 1."""
    style: str
    view: View


def ranked(candidates: Sequence[Candidate]) -> list[int]:
    """Indices of the candidates, best first. Equals stay in their order."""
    if not candidates:
        return []
    relevance = _LIKENESS * _standing([each.likeness for each in candidates]) + _QUALITY * _standing(
        [each.quality for each in candidates]
    )
    similarity_NN = _similarities(candidates)
    # Nothing is similar to nothing.
    nearest = np.zeros(len(candidates), np.float32)
    left, order = list(range(len(candidates))), []
    while left:
        value = _RELEVANCE * relevance - (1 - _RELEVANCE) * nearest
        best = max(left, key=lambda index: value[index])
        left.remove(best)
        order.append(best)
        nearest = np.maximum(nearest, similarity_NN[best])
    return order


def _similarities(candidates: Sequence[Candidate]) -> Floats:
    styles = np.asarray([each.style for each in candidates])
    look_NN = 1 - differences([each.view for each in candidates])
    same_NN = styles[:, None] == styles[None]
    return np.asarray(_STYLE * same_NN + _LOOK * look_NN, np.float32)


def _standing(values: Sequence[float]) -> Floats:
    """The share of the others that each is better than, 0 to 1; equals share theirs."""
    array = np.asarray(values, np.float64)
    below = (array[:, None] > array[None]).sum(axis=1) + ((array[:, None] == array[None]).sum(axis=1) - 1) / 2
    return np.asarray(below / max(len(array) - 1, 1), np.float32)
