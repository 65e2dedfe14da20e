"""Pixels in, pixels out: photos of strangers decoded safely. Imports no torch."""

from headshots.imaging.decode import NormalisedPhoto, PhotoLimits, decode_photo

__all__ = ["NormalisedPhoto", "PhotoLimits", "decode_photo"]
