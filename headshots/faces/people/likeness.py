"""Turns dlib's embeddings, which are compared by Euclidean distance, into unit vectors, compared by dot product.

The dot product of two is exp(-d² / 2σ²) of their distance d, so it says what the distance says: σ is such that dlib's
own threshold, 0.6, gives 0.5. No photo of anybody had a part in it, as it would in subtracting the mean of many faces.

The vectors are random Fourier features (A. Rahimi, B. Recht: Random features for large-scale kernel machines, 2007)
with frequencies that are orthogonal in blocks, by Hadamard matrices (F. Yu et al.: Orthogonal random features, 2016).
With 4,096 numbers the dot product is off by 0.004 near the threshold (standard deviation), 0.0035 of distance. Imports
numpy only.

Shapes: E = 128 numbers of an embedding, F frequencies, D = 2 F numbers of a vector.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headshots.faces.geometry import Floats

SAME_PERSON_DISTANCE = 0.6
"""Euclidean, dlib's own: 99.38 % right on Labeled Faces in the Wild (dlib's examples/dnn_face_recognition_ex.cpp)."""
AT_THAT_DISTANCE = 0.5
"""The dot product there."""
SAME_PERSON_FROM = 0.57
"""dlib's distance again, where faces are compared with the mean of a person's photos, as all of headshots does.

A mean is shorter than its vectors: of five photos that are alike by 0.72, as photos of different years were, sqrt((1 +
4 * 0.72) / 5) = 0.88. Whoever is SAME_PERSON_DISTANCE from each of them is AT_THAT_DISTANCE / 0.88 like their mean."""
_WIDTH, _BLOCKS, _SEED = 128, 16, 0


class LikenessSpace:
    """Frequencies that are the same in every process."""

    def __init__(self) -> None:
        rng = np.random.default_rng(_SEED)
        directions = np.concatenate([_directions(rng) for _ in range(_BLOCKS)])
        sigma = SAME_PERSON_DISTANCE / np.sqrt(2 * np.log(1 / AT_THAT_DISTANCE))
        self._frequencies_FE: Floats = (directions * np.sqrt(_WIDTH) / sigma).astype(np.float32)

    def vector(self, embedding_E: Floats) -> Floats:
        """The unit vector, [D], of one embedding of dlib's."""
        # Not `@`: its product runs on BLAS threads, and several callers at once would wait for each other's.
        angles = np.einsum("fe,e->f", self._frequencies_FE, embedding_E)
        both = np.concatenate([np.cos(angles), np.sin(angles)]) / np.sqrt(len(angles))
        return np.asarray(both, np.float32)


def _directions(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Orthogonal unit vectors, [E, E]: three times random signs and a Hadamard matrix.

    A decomposition of random numbers would do as well, on BLAS threads that wait for each other on a busy machine.
    """
    turned = np.eye(_WIDTH)
    for _ in range(3):
        turned *= rng.choice((-1.0, 1.0), _WIDTH)[:, None]
        half = 1
        while half < _WIDTH:
            pairs = turned.reshape(-1, 2, half, _WIDTH)
            turned = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(_WIDTH, _WIDTH)
            half *= 2
        turned /= np.sqrt(_WIDTH)
    return turned
