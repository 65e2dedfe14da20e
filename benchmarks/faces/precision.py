"""Measures how much of what is painted lies where true renders do, in the features of a net.

Shapes: R true renders as the reference, Q pictures asked about, D features.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NEIGHBOURS = 3
# The share of references that reach least far. Others are outliers, as true renders that a net takes for broken ones:
# far from their kind, one of them covers all broken faces. The paper's realism score leaves out half for that reason.
KEPT = 0.95

Floats = npt.NDArray[np.float32]


def knn_precision(reference_RD: Floats, asked_QD: Floats, neighbours: int = NEIGHBOURS, kept: float = KEPT) -> float:
    """k-NN precision (arXiv 1904.06991): the share of asked pictures that lie within reach of a reference.

    Each reference reaches as far as its `neighbours`-th nearest other reference; the `kept` share that reaches least
    far counts, unlike in the paper, which keeps all.

    Raises:
        ValueError: fewer references than `neighbours` + 1.
    """
    if len(reference_RD) <= neighbours:
        raise ValueError(f"{len(reference_RD)} references have no {neighbours} neighbours each; give more")
    among_RR = _distances(reference_RD, reference_RD)
    # The nearest of all is the reference itself.
    reach_R = np.partition(among_RR, neighbours, axis=1)[:, neighbours]
    counts_R = reach_R <= np.quantile(reach_R, kept)
    within_QR = _distances(asked_QD, reference_RD[counts_R]) <= reach_R[counts_R]
    return float(within_QR.any(axis=1).mean())


def _distances(first_AD: Floats, second_BD: Floats) -> npt.NDArray[np.float64]:
    """Euclidean, [A, B]."""
    first, second = first_AD.astype(np.float64), second_BD.astype(np.float64)
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))
