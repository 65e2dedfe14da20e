"""Tells whether a face looks at the camera with open view of its eyes. Imports numpy only."""

from __future__ import annotations

import numpy as np

from headshots.faces.base import Face
from headshots.imaging import quality
from headshots.imaging.findings import Finding
from headshots.imaging.quality import Floats, QualityLimits

# Around an eye, and around the middle between it and the corner of the mouth: half the width and half the height, in
# distances of the eyes from the mouth, which a turn to the side leaves alone.
_EYE, _CHEEK = (0.3, 0.2), (0.17, 0.17)


def face_width(landmarks_52: Floats) -> float:
    """How wide eyes and mouth are apart over how far they are from each other: about 1 from the front.

    Falls with the cosine of the turn to the side. Nodding changes it less, since noses and chins are left out.
    """
    eyes, mouth = landmarks_52[:2], landmarks_52[3:]
    down = mouth.mean(axis=0) - eyes.mean(axis=0)
    length = max(float(np.linalg.norm(down)), 1.0)
    across = np.array((down[1], -down[0])) / length
    return float(abs((eyes[1] - eyes[0]) @ across) + abs((mouth[1] - mouth[0]) @ across)) / (2 * length)


def eye_brightness(luma_HW: Floats, face: Face) -> float:
    """Luma that the brightest quarter around the brighter eye exceeds, over the brighter cheek's: about 1.

    Whites of the eyes and lids are as bright as cheeks in any skin. Dark glasses are not.
    """
    points = face.landmarks
    reach = float(np.linalg.norm(points[3:].mean(axis=0) - points[:2].mean(axis=0)))

    def around(point: Floats, half: tuple[float, float]) -> Floats:
        (x, y), (wide, high) = point.tolist(), (half[0] * reach, half[1] * reach)
        return quality.cut(luma_HW, (x - wide, y - high, x + wide, y + high))

    cheek = max(float(np.median(around((points[side] + points[side + 3]) / 2, _CHEEK))) for side in (0, 1))
    eye = max(float(np.percentile(around(points[side], _EYE), 75)) for side in (0, 1))
    return eye / max(cheek, 1.0)


def find_hidden(width: float, brightness: float, limits: QualityLimits) -> list[Finding]:
    """What hides a face: that it is turned away, or what is before the eyes.

    Args:
        width: `face_width`.
        brightness: `eye_brightness`.
        limits: below which both count.
    """
    found = []
    if width < limits.min_face_width:
        message = "the face is turned so far that one side is hidden; send one that looks at the camera, or half aside"
        found.append(Finding("FACE_TURNED", message, width, limits.min_face_width))
    if brightness < limits.min_eye_brightness:
        message = "the eyes are hidden, as by sunglasses or a deep shadow; send one that shows them"
        found.append(Finding("EYES_HIDDEN", message, brightness, limits.min_eye_brightness))
    return found
