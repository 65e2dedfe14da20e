"""What a person's own photos look like: the reference that portraits are compared with. Numbers only, no pictures.

Kept in memory and never stored: a mean embedding is biometric.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from headshots.acceptance.close_up import SPANS, CloseUp, close_up, span_px
from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.imaging.inspection import mean_likeness
from headshots.imaging.quality import Floats

# Photos of one moment, and to the bundled analyzer all of one drawn person, are so alike that no portrait would be
# within their spread: it counts as at least this share of the distance from which the analyzer sees two people.
_MIN_SPREAD = 1 / 3


@dataclass(frozen=True, slots=True)
class Reference:
    """The largest face of each photo, together."""

    embeddings: tuple[Floats, ...]
    """Of each photo with a face, [D] each; at least one."""
    spread: float
    """Mean distance (1 - cosine) of each photo to the mean of the others. Of one photo, the distance from which the
    analyzer sees two people."""
    close_ups: Mapping[int, Sequence[CloseUp]]
    """Of the photos that are large enough for it, by span; no span that most photos are too small for, so it may be
    empty."""
    irregularity: float | None = None
    """The photos' median `FaceAnalyzer.irregularity`; None where the analyzer cannot tell it."""

    def likeness(self, embedding: Floats) -> float:
        """Cosine to the mean of the photos, -1 to 1."""
        return mean_likeness(embedding, self.embeddings)

    def common_span(self, face: Face) -> int | None:
        """The largest span at which the face and the photos can be compared; None: one of them is too small."""
        return max((span for span in self.close_ups if span <= span_px(face)), default=None)

    def typical(self, span: int) -> CloseUp:
        """The median of each measure over the photos: one odd photo does not change what is asked."""
        return CloseUp(*np.median([astuple(each) for each in self.close_ups[span]], axis=0).tolist())

    def colour_distance(self, found: CloseUp, span: int) -> float:
        """Of a portrait's skin to that of the nearest photo, `CloseUp.colour_distance`.

        The photos show the skin in several lights, and evening sun is no fault: their median would be too far from it.
        """
        return min(found.colour_distance(photo) for photo in self.close_ups[span])


def measure_reference(analyzer: FaceAnalyzer, photos: Iterable[Pixels]) -> Reference | None:
    """Measures a person's photos, one at a time; None where no photo shows a face.

    Args:
        analyzer: has to be the one that portraits are judged with.
        photos: uint8 [H, W, 3] each, upright sRGB.
    """
    embeddings: list[Floats] = []
    irregularities: list[float] = []
    measured: dict[int, list[CloseUp]] = {span: [] for span in SPANS}
    for photo_HWC in photos:
        faces = analyzer.faces(photo_HWC)
        if not faces:
            continue
        embeddings.append(faces[0].embedding)
        if (irregularity := analyzer.irregularity(photo_HWC, faces[0])) is not None:
            irregularities.append(irregularity)
        for span in SPANS:
            if span <= span_px(faces[0]):
                measured[span].append(close_up(photo_HWC, faces[0], span))
    if not embeddings:
        return None
    # A span that only few of the photos reach would compare with those few.
    common = {span: tuple(found) for span, found in measured.items() if 2 * len(found) >= len(embeddings)}
    return Reference(
        tuple(embeddings),
        _spread(embeddings, 1 - analyzer.same_person_from),
        common,
        float(np.median(irregularities)) if irregularities else None,
    )


def _spread(embeddings: Sequence[Floats], limit: float) -> float:
    if len(embeddings) == 1:
        return limit
    distances = [
        1 - mean_likeness(embedding, [*embeddings[:number], *embeddings[number + 1 :]])
        for number, embedding in enumerate(embeddings)
    ]
    return max(float(np.mean(distances)), _MIN_SPREAD * limit)
