"""Pixels in, pixels out: photos of strangers decoded safely, and judged before a training. Imports no torch."""

from headshots.imaging.decode import NormalisedPhoto, PhotoLimits, decode_photo, open_photo

__all__ = ["NormalisedPhoto", "PhotoLimits", "decode_photo", "open_photo"]
