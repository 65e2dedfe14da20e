"""Finds faces and tells people apart: one Protocol, and analyzers that implement it. Imports no torch."""

from headshots.faces.base import LANDMARKS, Face, FaceAnalyzer, Part, Parts, Pixels, Trait, Traits
from headshots.faces.opening import ANALYZERS, check_installed, open_analyzer

__all__ = [
    "ANALYZERS",
    "LANDMARKS",
    "Face",
    "FaceAnalyzer",
    "Part",
    "Parts",
    "Pixels",
    "Trait",
    "Traits",
    "check_installed",
    "open_analyzer",
]
