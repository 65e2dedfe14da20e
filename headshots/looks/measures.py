"""Measures of a finished portrait what a team's portraits are held together by.

Shapes: H, W pixels; N pixels of the backdrop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.faces.geometry import Floats
from headshots.imaging import quality
from headshots.looks.colours import Lab, to_lab
from headshots.looks.placing import Placement, place

# The head without hair is so wide, in heights of the head, where an analyzer cannot tell hair.
_HEAD_HALF_WIDTH = 0.42
# Below the chin are shoulders: the backdrop is looked for down to there, in heights of the head from the eye line.
_ABOVE_SHOULDERS = 0.35
# The backdrop is looked at in a picture of at most this height; there so many pixels around face and hair are left out,
# which are of both; and the least share of a picture that tells.
_HEIGHT_PX, _EDGE_PX, _LEAST_BACKDROP = 128, 4, 0.005
# Half the width and half the height of a cheek, in distances of the eyes.
_CHEEK = 0.17


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of one portrait."""

    eye_line: float
    """As `Placement`'s."""
    head_height: float
    """The same."""
    light: float
    """Brightness of the left cheek less that of the right one, over their mean, -2 to 2: above 0 light comes from the
    picture's left. Cheeks are a few pixels in small pictures: OFIQ's intersection of their histograms would tell noise,
    and not from which side the light comes."""
    backdrop: Lab | None
    """Median colour of what is behind the head, CIELAB; None: too little of it is seen."""

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Measures | None:
        """From a JSON column; None stays None."""
        if document is None:
            return None
        backdrop = document["backdrop"]
        return cls(**{**document, "backdrop": None if backdrop is None else tuple(backdrop)})


def measure(analyzer: FaceAnalyzer, picture_HWC: Pixels) -> Measures | None:
    """Looks at the portrait itself, whatever it was cut by; None where there is no face."""
    placement, faces = place(analyzer, picture_HWC), analyzer.faces(picture_HWC)
    if placement is None or not faces:
        return None
    return Measures(
        eye_line=placement.eye_line,
        head_height=placement.head_height,
        light=_light(picture_HWC, faces[0].landmarks),
        backdrop=_backdrop(analyzer, picture_HWC, faces[0], placement),
    )


def _light(picture_HWC: Pixels, landmarks_52: Floats) -> float:
    luma_HW, half = quality.luma(picture_HWC), _CHEEK * float(np.hypot(*(landmarks_52[1] - landmarks_52[0])))
    cheeks = (landmarks_52[:2] + landmarks_52[3:]) / 2
    left, right = (
        float(np.median(quality.cut(luma_HW, (x - half, y - half, x + half, y + half)))) for x, y in cheeks.tolist()
    )
    return (left - right) / max((left + right) / 2, 1.0)


def _backdrop(analyzer: FaceAnalyzer, picture_HWC: Pixels, face: Face, placement: Placement) -> Lab | None:
    height, width = picture_HWC.shape[:2]
    scale = min(_HEIGHT_PX / height, 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    parts = analyzer.parts(picture_HWC, face)
    head = None if parts is None else Image.fromarray(((parts.head_HW > 0.05) * 255).astype(np.uint8)).resize(size)
    behind_HW = _behind(head, size, placement)
    seen_N3 = np.asarray(Image.fromarray(picture_HWC).resize(size, Image.Resampling.BOX))[behind_HW]
    if len(seen_N3) < _LEAST_BACKDROP * behind_HW.size:
        return None
    lightness, a, b = np.median(to_lab(seen_N3), axis=0).tolist()
    return lightness, a, b


def _behind(head: Image.Image | None, size: tuple[int, int], placement: Placement) -> npt.NDArray[np.bool_]:
    """Which pixels of a picture of this size show the backdrop, [H, W]: above the shoulders, beside face and hair.

    `head`: light where these are; None: the analyzer cannot tell.
    """
    width, height = size
    rows_H = (np.arange(height) + 0.5) / height < placement.eye_line + _ABOVE_SHOULDERS * placement.head_height
    if head is None:
        half = _HEAD_HALF_WIDTH * placement.head_height * height / width
        columns_W = np.abs((np.arange(width) + 0.5) / width - placement.centre) > half
        return np.asarray(rows_H[:, None] & columns_W[None, :])
    around_HW = np.asarray(head.filter(ImageFilter.MaxFilter(2 * _EDGE_PX + 1))) > 0
    return np.asarray(rows_H[:, None] & ~around_HW)
