"""Measures whether a face's parts stand where they do in 99 of 100 true renders, from its landmarks alone.

Landmarks are brought onto their mean shape by shift, turn and size (Procrustes), so that only their arrangement counts.
How far it lies from that of true renders is the Mahalanobis distance; one uneven eye breaks a correlation that holds
for everybody, and counts far more than a wide face does.

Shapes: N faces, P landmarks in the picture's units, x and y.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

PASSING = 0.99
# What landmarks are known to, in face sizes (the root of their mean square distance from the middle): a third of a
# pixel of a 128-pixel portrait, whose faces are about 20. No direction counts as steadier than that.
_NOISE = 0.015
_ROUNDS = 5

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
_Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Regularity:
    """What true renders have taught. F = 2 P coordinates on the mean shape."""

    template_P: _Complex
    mean_F: Floats
    whitener_FF: Floats
    limit: float
    """The distance that PASSING of true renders, of other people than those learned from, do not exceed."""

    def distances(self, points_NP2: Points) -> Floats:
        """Mahalanobis distances [N] from the mean arrangement."""
        offsets_NF = _coordinates(_onto(self.template_P, points_NP2)) - self.mean_F
        return np.asarray(np.linalg.norm(offsets_NF @ self.whitener_FF, axis=1))

    def regular(self, points_NP2: Points) -> Flags:
        """Which faces keep the limit, [N]."""
        return np.asarray(self.distances(points_NP2) <= self.limit)

    def save(self, path: Path) -> None:
        """A file of NumPy's; `load` reads it."""
        np.savez(path, template=self.template_P, mean=self.mean_F, whitener=self.whitener_FF, limit=self.limit)

    @classmethod
    def load(cls, path: Path) -> Regularity:
        """What `save` wrote.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no such file.
            KeyError: something is missing.
        """
        with np.load(path, allow_pickle=False) as file:
            return cls(file["template"], file["mean"], file["whitener"], float(file["limit"]))


def learn_regularity(points_NP2: Points, others_MP2: Points) -> Regularity:
    """The arrangement from some true renders, its limit from those of other people.

    Raises:
        ValueError: so few renders that no quantile of theirs can be told.
    """
    if min(len(points_NP2), len(others_MP2)) < 2:
        raise ValueError("learn from two true renders at least, and set the limit by two others; hundreds are wanted")
    template_P = _centred(points_NP2)[0]
    for _ in range(_ROUNDS):
        shapes_NP = _onto(template_P, points_NP2)
        template_P = shapes_NP.mean(axis=0)
        template_P = template_P / np.sqrt(np.mean(np.abs(template_P) ** 2))
    coordinates_NF = _coordinates(_onto(template_P, points_NP2))
    mean_F = coordinates_NF.mean(axis=0)
    values_F, directions_FF = np.linalg.eigh(np.cov(coordinates_NF.T))
    whitener_FF = directions_FF / np.sqrt(np.maximum(values_F, 0) + _NOISE**2)
    unbounded = Regularity(template_P, mean_F, whitener_FF, np.inf)
    limit = float(np.quantile(unbounded.distances(others_MP2), PASSING))
    return Regularity(template_P, mean_F, whitener_FF, limit)


def _centred(points_NP2: Points) -> _Complex:
    """Shapes of unit size around 0."""
    shapes_NP = points_NP2[..., 0].astype(np.float64) + 1j * points_NP2[..., 1]
    shapes_NP = shapes_NP - shapes_NP.mean(axis=1, keepdims=True)
    sizes_N1 = np.sqrt(np.mean(np.abs(shapes_NP) ** 2, axis=1, keepdims=True))
    return np.asarray(shapes_NP / np.maximum(sizes_N1, 1e-9))


def _onto(template_P: _Complex, points_NP2: Points) -> _Complex:
    """Shapes turned and scaled to lie on the template as well as they can."""
    shapes_NP = _centred(points_NP2)
    turns_N = (shapes_NP.conj() @ template_P) / np.sum(np.abs(shapes_NP) ** 2, axis=1)
    return np.asarray(shapes_NP * turns_N[:, None])


def _coordinates(shapes_NP: _Complex) -> Floats:
    return np.concatenate([shapes_NP.real, shapes_NP.imag], axis=1)
