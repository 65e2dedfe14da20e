"""Decodes what YuNet answers: faces with a box and five landmarks. Imports numpy and Pillow only.

As OpenCV's FaceDetectorYN does (modules/objdetect/src/face_detect.cpp), for pictures of any size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from headshots.faces.base import LANDMARKS, Pixels
from headshots.faces.detection import Detection, overlap
from headshots.faces.geometry import Floats

LONGEST_SIDE = 640
"""Larger pictures are shrunk: YuNet finds faces of 10 to 300 pixels."""
SURE_FROM = 0.8
_OVERLAP = 0.3
_STRIDES, _UNIT = (8, 16, 32), 32


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture as the net takes it: shrunk by `scale`, blue first, black up to the next multiple of 32 pixels."""

    planes_1CHW: Floats
    scale: float


def make_canvas(pixels_HWC: Pixels) -> Canvas:
    """Any upright sRGB picture, as the net takes it."""
    height, width = pixels_HWC.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    # Of photos from four times the size on some rows are read, two and more for each that is left: to copy all of them
    # takes longer than the nets do.
    step = max(int(1 / (2 * scale)), 1)
    seen = Image.fromarray(pixels_HWC[step // 2 :: step])
    small = seen.resize(size, Image.Resampling.BOX, reducing_gap=2.0) if scale < 1 else seen
    wide, high = (-(-side // _UNIT) * _UNIT for side in size)
    canvas = np.zeros((high, wide, 3), np.float32)
    canvas[: size[1], : size[0]] = np.asarray(small)[..., ::-1]
    return Canvas(np.ascontiguousarray(canvas.transpose(2, 0, 1)[None]), scale)


def decode(maps: Mapping[str, Floats], canvas: Canvas) -> list[Detection]:
    """Faces in the pixels of the picture that `canvas` is of, surest first, each once.

    Args:
        maps: what the net answers, by the names of its outputs: for each stride a row a cell.
        canvas: what it was asked about.
    """
    found = []
    for stride in _STRIDES:
        columns = canvas.planes_1CHW.shape[3] // stride
        score_N = np.sqrt(maps[f"cls_{stride}"][0, :, 0].clip(0, 1) * maps[f"obj_{stride}"][0, :, 0].clip(0, 1))
        for cell in np.nonzero(score_N >= SURE_FROM)[0].tolist():
            corner = np.array((cell % columns, cell // columns), np.float32)
            box, points = maps[f"bbox_{stride}"][0, cell], maps[f"kps_{stride}"][0, cell]
            centre, half = corner + box[:2], np.exp(box[2:]) / 2
            to_picture = np.float32(stride / canvas.scale)
            corners_22 = np.stack([centre - half, centre + half]) * to_picture
            landmarks_52 = (corner + points.reshape(len(LANDMARKS), 2)) * to_picture
            found.append(Detection(float(score_N[cell]), corners_22, landmarks_52))
    kept: list[Detection] = []
    for face in sorted(found, key=lambda face: -face.score):
        if all(overlap(face.corners_22, other.corners_22) < _OVERLAP for other in kept):
            kept.append(face)
    return kept
