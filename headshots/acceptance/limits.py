"""The limits of an acceptance profile: what a portrait must reach, a number a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class AcceptanceLimits:
    """One limit for each check, all set; ranges are those that the contract holds a tenant's own profile to.

    "Over that of the person's photos" compares with the median of the photos, both faces brought to one size first.
    """

    max_likeness_spreads: float
    """NOT_ALIKE: distance (1 - cosine) to the mean of the person's photos, over the mean distance of each photo to the
    mean of the others; 1 to 10. Whatever it says, the analyzer has to count both faces as one person."""
    min_face_share: float
    """FACE_TOO_SMALL: height of the face over the picture's shorter side, 0.05 to 0.8."""
    max_face_outside: float
    """FACE_CUT_OFF: share of the face's box beyond the picture's edges, 0 to 0.2."""
    max_face_offset: float
    """FACE_OFF_CENTRE: distance of the face's centre from the vertical middle line over the picture's width, 0.05 to
    0.5."""
    min_eye_contrast: float
    """EYES_CLOSED: contrast of the eye that shows less of it, over that of the person's photos, 0 to 1."""
    max_light_imbalance: float
    """LIGHT_UNEVEN: difference of the cheeks in brightness over their mean, beyond that of the person's photos, 0 to
    2."""
    max_colour_distance: float
    """COLOUR_UNNATURAL: how much redness the skin lacks against the nearest of the person's photos, and a third of what
    else differs in its colour, in units of CIELAB's a and b and on the cheek where it is less, 1 to 100."""
    min_sharpness: float
    """BLURRY: sharpness of the face over that of the person's photos, 0 to 1."""
    min_skin_texture: float
    """SKIN_UNNATURAL: fine texture of the skin over that of the person's photos, 0 to 1."""
    min_difference: float
    """NEAR_DUPLICATE: share of the bits of two pictures' perceptual hashes that differ, 0 to 0.5."""

    def to_json(self) -> dict[str, float]:
        """For rows."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AcceptanceLimits:
        """Inverse of `to_json`; every limit has to be there."""
        return cls(**{field.name: float(value[field.name]) for field in fields(cls)})
