"""Scores of a set of portraits: who they show, whether they repeat a photo, what they still take from the prompt.

No torch here. Shapes: H, W pixels; D width of the analyzer's embeddings; P prompts, S seeds.

Prompt following is judged without a net that knows outfits and places, as no foundation but the bundled one has such
a net. The bare foundation is the yardstick: for every prompt and seed it has painted what the words mean to it. An
adapter that has swallowed its selfies' rooms and clothes paints the same surroundings whatever is asked; so each
portrait's surroundings (backdrop and clothes, without face and hair) are compared with the bare foundation's for every
prompt at the same seed, and its own prompt has to be the nearest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.faces import Face, FaceAnalyzer, Part, Pixels
from services.trainer.selection.scores import CheckpointScores

# Surroundings are compared at this many cells a side: colours and where they are, not textures.
_CELLS = 16
# A face's box, so many times larger, takes the hair in: where an analyzer tells no parts.
_HEAD_SHARE = 1.5
# Of a cell, so much must be surroundings to count.
_LEAST_COVER = 0.5

Grid = Sequence[Sequence[Pixels]]  # [P][S] pictures
FloatArray = npt.NDArray[np.float32]


class Judge:
    """Judges portraits of one person against photos of theirs and against what the bare foundation paints."""

    def __init__(
        self, analyzer: FaceAnalyzer, held_out: Sequence[Face], trained_on: Sequence[Face], bare: Grid
    ) -> None:
        """``held_out``, ``trained_on``: a face of each photo; ``bare``: [P][S] pictures without the adapter."""
        assert held_out
        assert trained_on
        self._analyzer = analyzer
        self._held_out_ND = np.stack([face.embedding for face in held_out])
        self._trained_ND = np.stack([face.embedding for face in trained_on])
        self._bare = bare
        self._bare_views = [[_Surroundings(analyzer, picture) for picture in row] for row in bare]
        self._bare_difference = _seed_difference(bare)

    def scores(self, step: int, portraits: Grid) -> CheckpointScores:
        """``portraits``: [P][S], of the prompts and seeds of ``bare``."""
        found = [self._analyzer.faces(picture) for row in portraits for picture in row]
        vectors = [faces[0].embedding for faces in found if faces]
        to_held_out = [self._held_out_ND @ vector for vector in vectors]
        copying = [
            float((self._trained_ND @ vector).max() - cosines.max())
            for vector, cosines in zip(vectors, to_held_out, strict=True)
        ]
        return CheckpointScores(
            step=step,
            likeness=float(sum(cosines.mean() for cosines in to_held_out)) / len(found),
            copying=float(np.mean(copying)) if copying else 0.0,
            diversity=_seed_difference(portraits) / max(self._bare_difference, 1e-6),
            prompt_kept=self._prompt_kept(portraits),
            faces=sum(len(faces) == 1 for faces in found) / len(found),
        )

    def _prompt_kept(self, portraits: Grid) -> float:
        kept = []
        for prompt, row in enumerate(portraits):
            for seed, picture in enumerate(row):
                view = _Surroundings(self._analyzer, picture)
                distances = [view.distance(others[seed]) for others in self._bare_views]
                kept.append(distances[prompt] <= min(distances))
        return float(np.mean(kept))


class _Surroundings:
    """Backdrop and clothes of a picture, small: mean colours of cells, and which cells are surroundings."""

    def __init__(self, analyzer: FaceAnalyzer, picture: Pixels) -> None:
        cover = Image.fromarray(surroundings(analyzer, picture).astype(np.uint8) * 255)
        self._inside = np.asarray(cover.resize((_CELLS, _CELLS), Image.Resampling.BOX)) >= 255 * _LEAST_COVER
        small = Image.fromarray(picture).resize((_CELLS, _CELLS), Image.Resampling.BOX)
        self._colours = np.asarray(small, np.float32)

    def distance(self, other: _Surroundings) -> float:
        """Mean difference of colours where both are surroundings, 0 to 255."""
        both = self._inside & other._inside
        if not both.any():
            return 255.0
        return float(np.abs(self._colours - other._colours)[both].mean())


def surroundings(analyzer: FaceAnalyzer, picture: Pixels) -> npt.NDArray[np.bool_]:
    """[H, W]: backdrop and clothes; where the analyzer tells no parts, all but the faces' enlarged boxes."""
    parts = analyzer.parts(picture)
    if parts is not None:
        around: npt.NDArray[np.bool_] = (parts == Part.BACKDROP) | (parts == Part.CLOTHES)
        return around
    height, width = picture.shape[:2]
    outside = np.ones((height, width), bool)
    for face in analyzer.faces(picture):
        left, top, right, bottom = face.box
        grow_x, grow_y = ((right - left) * (_HEAD_SHARE - 1) / 2, (bottom - top) * (_HEAD_SHARE - 1) / 2)
        rows = slice(max(int(top - grow_y), 0), max(int(bottom + grow_y), 0))
        outside[rows, max(int(left - grow_x), 0) : max(int(right + grow_x), 0)] = False
    return outside


def _seed_difference(pictures: Grid) -> float:
    """Mean absolute difference of pixels between seeds of one prompt, 0 to 255; 0 for a single seed."""
    differences = [
        np.abs(one.astype(np.int16) - other.astype(np.int16)).mean()
        for row in pictures
        for number, one in enumerate(row)
        for other in row[number + 1 :]
    ]
    return float(np.mean(differences)) if differences else 0.0


def hold_out(faces: Sequence[Sequence[Face]], digests: Sequence[str], most: int) -> list[int]:
    """Which photos to keep from training, by their place: at most ``most``, at most one in five, four stay at least.

    Only photos with exactly one face can judge. Of those the choice is by digest, so that it depends neither on the
    order of the photos nor on their names.
    """
    count = min(most, max(len(digests) // 5, 1), len(digests) - 4)
    able = sorted((digests[place], place) for place, found in enumerate(faces) if len(found) == 1)
    # Somebody has to be left that copying can be measured against.
    if count < 1 or len(able) <= count:
        return []
    return sorted(place for _, place in able[:count])
