"""Decodes photos of strangers safely, and judges photos and portraits. Imports no torch."""

from headshots.imaging.decode import NormalisedPhoto, PhotoLimits, decode_photo, open_photo

__all__ = ["NormalisedPhoto", "PhotoLimits", "decode_photo", "open_photo"]
