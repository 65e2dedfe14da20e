"""Looks again, at enlarged parts, at a picture in which no face was found.

An analyzer that sees the whole picture small misses a face far away. Whether there is none or a small one decides what
a person is told to do. Imports numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.faces.detection import OVERLAP, overlap

# Of the picture's longer side. A larger face was in plain sight at the first look, so it is none.
_LARGEST_SHARE = 1 / 6


def far_faces(analyzer: FaceAnalyzer, pixels_HWC: Pixels) -> list[Face]:
    """Small faces that ``analyzer.faces`` of the whole picture misses, each once, largest first.

    Nine looks at halves of either side, a quarter apart, so that some look has each face of that size whole.
    """
    largest_px = _LARGEST_SHARE * max(pixels_HWC.shape[:2])
    found = [
        face
        for tile in _tiles(*pixels_HWC.shape[:2])
        for face in _look(analyzer, pixels_HWC, tile)
        if face.box[3] - face.box[1] <= largest_px
    ]
    kept: list[Face] = []
    for face in sorted(found, key=lambda face: -face.score):
        if all(overlap(_corners(face), _corners(other)) < OVERLAP for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: face.box[1] - face.box[3])


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of each."""
    tile_height, tile_width = -(-height // 2), -(-width // 2)
    for top in (0, height // 4, height - tile_height):
        for left in (0, width // 4, width - tile_width):
            yield left, top, left + tile_width, top + tile_height


def _look(analyzer: FaceAnalyzer, pixels_HWC: Pixels, tile: tuple[int, int, int, int]) -> Iterator[Face]:
    """The faces of one tile, in the whole picture's pixels; not those that its edges cut, which another has whole."""
    height, width = pixels_HWC.shape[:2]
    left, top, right, bottom = tile
    for face in analyzer.faces(np.ascontiguousarray(pixels_HWC[top:bottom, left:right])):
        x0, y0, x1, y1 = (edge + shift for edge, shift in zip(face.box, (left, top, left, top), strict=True))
        cut_across = (left > 0 and x0 < left) or (right < width and x1 > right)
        cut_along = (top > 0 and y0 < top) or (bottom < height and y1 > bottom)
        if not cut_across and not cut_along:
            yield replace(face, box=(x0, y0, x1, y1), landmarks=face.landmarks + np.array([left, top], np.float32))


def _corners(face: Face) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(face.box, np.float32).reshape(2, 2)
