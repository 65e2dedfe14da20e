"""Measures where a face stands in a picture, as the mean of several views of it.

An analyzer's landmarks change by some percent when the picture is moved by a pixel or mirrored. The mean over windows
around the face, of several sizes and mirrored, changes by a fraction of that, so that two pictures can be held to one
percent. Shapes: H, W pixels; V views.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from headshots.faces.base import FaceAnalyzer, Pixels
from headshots.faces.geometry import TEMPLATE, Floats, similarity

HEAD_SPANS = 3.4
"""Height of a head, from the chin to the crown without hair, over the distance of its eyes as all landmarks tell it: of
drawn heads 3.2 to 3.6 in most; of a grown person 3.6 (227 mm over 63 mm)."""
# Windows around the face: their sides in distances of the eyes, where their middles are, and how many pixels they have.
_SIDES = (4.2, 4.5, 4.8, 5.1, 5.4)
_SHIFTS = ((0.0, 0.15), (0.2, -0.1), (-0.2, 0.05), (0.1, -0.2), (-0.1, 0.2))
_VIEW_PX = 192
_MIRRORED = (1, 0, 2, 4, 3)
_TEMPLATE_SPAN = float(TEMPLATE[1, 0] - TEMPLATE[0, 0])


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a face stands."""

    eye_line: float
    """From the upper edge to the middle of the eyes, share of the height."""
    centre: float
    """From the left edge to the middle of the eyes, share of the width."""
    head_height: float
    """From the chin to the crown, without hair, share of the height; see `HEAD_SPANS`."""


def place(analyzer: FaceAnalyzer, picture_HWC: Pixels) -> Placement | None:
    """Where the largest face stands; None where there is none."""
    faces = analyzer.faces(picture_HWC)
    if not faces:
        return None
    first_52 = faces[0].landmarks.astype(np.float32)
    views_V52 = np.stack([first_52, *_seen_around(analyzer, picture_HWC, first_52)])
    height, width = picture_HWC.shape[:2]
    x, y = views_V52[:, :2].mean(axis=(0, 1)).tolist()
    span = float(np.mean([_span(landmarks_52) for landmarks_52 in views_V52]))
    return Placement(y / height, x / width, HEAD_SPANS * span / height)


def head_of(landmarks_52: Floats) -> tuple[float, float, float]:
    """The middle of the eyes, x and y, and the height of the head (`HEAD_SPANS`), as one look tells them; in pixels."""
    x, y = landmarks_52[:2].astype(np.float32).mean(axis=0).tolist()
    return x, y, HEAD_SPANS * _span(landmarks_52.astype(np.float32))


def _seen_around(analyzer: FaceAnalyzer, picture_HWC: Pixels, first_52: Floats) -> list[Floats]:
    """The landmarks in windows around the face, in the picture's pixels."""
    found, span = [], _span(first_52)
    middle = first_52.mean(axis=0)
    for side, shift in zip(_SIDES, _SHIFTS, strict=True):
        corner = middle + span * (np.array(shift, np.float32) - side / 2)
        view_HWC = _window(picture_HWC, corner, side * span)
        for mirrored in (False, True):
            faces = analyzer.faces(np.ascontiguousarray(view_HWC[:, ::-1]) if mirrored else view_HWC)
            if faces:
                seen_52 = faces[0].landmarks.astype(np.float32)
                if mirrored:
                    seen_52 = np.stack([_VIEW_PX - seen_52[:, 0], seen_52[:, 1]], axis=1)[list(_MIRRORED)]
                found.append((seen_52 * (side * span / _VIEW_PX) + corner).astype(np.float32))
    return found


def _window(picture_HWC: Pixels, corner_2: Floats, side: float) -> Pixels:
    """A square of the picture; beyond its edges the edges go on."""
    height, width = picture_HWC.shape[:2]
    left, top = corner_2.tolist()
    out = int(np.ceil(max(-left, -top, left + side - width, top + side - height, 0.0)))
    padded_HWC = np.pad(picture_HWC, ((out, out), (out, out), (0, 0)), mode="edge") if out else picture_HWC
    box = (left + out, top + out, left + out + side, top + out + side)
    view = Image.fromarray(padded_HWC).resize((_VIEW_PX, _VIEW_PX), Image.Resampling.BICUBIC, box)
    return np.asarray(view)


def _span(landmarks_52: Floats) -> float:
    """The distance of the eyes in pixels, as the whole of the landmarks tells it."""
    matrix = similarity(TEMPLATE, landmarks_52)
    return _TEMPLATE_SPAN * float(np.hypot(matrix[0, 0], matrix[1, 0]))
