"""Scores a checkpoint's portraits: likeness, copying, diversity, prompt following, regular and accepted faces.

No torch here. Shapes: H, W pixels; N photos; D width of the analyzer's embeddings; P prompts, S seeds.

Prompt following is judged without a network that recognises outfits and places, as only the bundled foundation has one.
The bare foundation's portraits are the reference: for every prompt and seed they show what the words mean to it. An
adapter that has overfitted to the rooms and clothes of its selfies generates the same surroundings for every prompt. So
each portrait's surroundings (backdrop and clothes, without face and hair) are compared with the bare foundation's for
every prompt at the same seed, and its own prompt has to be the nearest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.acceptance import Acceptance, Gate
from headshots.acceptance.gate import MAX_IRREGULARITY
from headshots.faces import Face, FaceAnalyzer, Pixels
from services.trainer.selection.scores import CheckpointScores

# Surroundings are compared at so many cells a side: colours and their positions, not textures.
_CELLS = 16
# Where an analyzer tells no parts, the face's box is enlarged so many times to include the hair.
_HEAD_SHARE = 1.5
# A cell counts if at least this share of it is surroundings.
_MIN_COVER = 0.5

Grid = Sequence[Sequence[Pixels]]  # [P][S] images
FloatArray = npt.NDArray[np.float32]


class Judge:
    """Judges portraits of one person by the person's photos and by the bare foundation's portraits."""

    def __init__(
        self, analyzer: FaceAnalyzer, held_out: Sequence[Face], trained_on: Sequence[Face], bare: Grid, gate: Gate
    ) -> None:
        """``held_out``, ``trained_on``: a face of each photo; ``bare``: [P][S] portraits without the adapter.

        ``gate``: the one that a gallery's images meet, by all of the photos.
        """
        assert held_out
        assert trained_on
        self._analyzer = analyzer
        self._held_out_ND = np.stack([face.embedding for face in held_out])
        self._trained_ND = np.stack([face.embedding for face in trained_on])
        self._bare = bare
        self._gate = gate
        self._bare_views = [[_Surroundings(analyzer, image) for image in row] for row in bare]
        self._bare_difference = _seed_difference(bare)
        bare_seen = [(image, analyzer.faces(image)) for row in bare for image in row]
        self._bare_regular = _regular(analyzer, bare_seen, MAX_IRREGULARITY)

    def scores(self, step: int, portraits: Grid) -> CheckpointScores:
        """Scores of ``portraits``, [P][S], with the prompts and seeds of ``bare``."""
        seen = [(image, self._analyzer.faces(image)) for row in portraits for image in row]
        found = [faces for _, faces in seen]
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
            accepted=self._accepted(portraits),
            regular=None if self._bare_regular is None else _regular(self._analyzer, seen, self._gate.max_irregularity),
            bare_regular=self._bare_regular,
        )

    def _accepted(self, portraits: Grid) -> float:
        judged = [self._gate.judge(image) for row in portraits for image in row]
        return float(np.mean([each.verdict.acceptance is Acceptance.ACCEPTED for each in judged]))

    def _prompt_kept(self, portraits: Grid) -> float:
        kept = []
        for prompt, row in enumerate(portraits):
            for seed, image in enumerate(row):
                view = _Surroundings(self._analyzer, image)
                distances = [view.distance(others[seed]) for others in self._bare_views]
                kept.append(distances[prompt] <= min(distances))
        return float(np.mean(kept))


class _Surroundings:
    """Backdrop and clothes of an image: the mean colour of each cell, and which cells are surroundings."""

    def __init__(self, analyzer: FaceAnalyzer, image: Pixels) -> None:
        cover = Image.fromarray(surroundings(analyzer, image).astype(np.uint8) * 255)
        self._inside = np.asarray(cover.resize((_CELLS, _CELLS), Image.Resampling.BOX)) >= 255 * _MIN_COVER
        small = Image.fromarray(image).resize((_CELLS, _CELLS), Image.Resampling.BOX)
        self._colours = np.asarray(small, np.float32)

    def distance(self, other: _Surroundings) -> float:
        """Mean difference of colours in the cells that are surroundings in both, 0 to 255."""
        both = self._inside & other._inside
        if not both.any():
            return 255.0
        return float(np.abs(self._colours - other._colours)[both].mean())


def surroundings(analyzer: FaceAnalyzer, image: Pixels) -> npt.NDArray[np.bool_]:
    """Mask [H, W] of backdrop and clothes; where the analyzer tells no parts, all but the faces' enlarged boxes."""
    parts = analyzer.parts(image)
    if parts is not None:
        around: npt.NDArray[np.bool_] = parts.head_HW < 0.5
        return around
    height, width = image.shape[:2]
    outside = np.ones((height, width), bool)
    for face in analyzer.faces(image):
        left, top, right, bottom = face.box
        grow_x, grow_y = ((right - left) * (_HEAD_SHARE - 1) / 2, (bottom - top) * (_HEAD_SHARE - 1) / 2)
        rows = slice(max(int(top - grow_y), 0), max(int(bottom + grow_y), 0))
        outside[rows, max(int(left - grow_x), 0) : max(int(right + grow_x), 0)] = False
    return outside


def _regular(analyzer: FaceAnalyzer, seen: Sequence[tuple[Pixels, list[Face]]], limit: float) -> float | None:
    """Share of images whose largest face is irregular by ``limit`` at most; None: the analyzer cannot tell it."""
    regular = 0
    for image, faces in seen:
        if faces:
            if (irregularity := analyzer.irregularity(image, faces[0])) is None:
                return None
            regular += irregularity <= limit
    return regular / len(seen)


def _seed_difference(images: Grid) -> float:
    """Mean absolute difference of pixels between seeds of one prompt, 0 to 255; 0 for a single seed."""
    differences = [
        np.abs(one.astype(np.int16) - other.astype(np.int16)).mean()
        for row in images
        for number, one in enumerate(row)
        for other in row[number + 1 :]
    ]
    return float(np.mean(differences)) if differences else 0.0
