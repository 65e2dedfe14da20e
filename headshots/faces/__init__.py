"""Faces in portraits: one Protocol, and analyzers that implement it. Imports no torch."""

from headshots.faces.base import LANDMARKS, Face, FaceAnalyzer, Part, Pixels

__all__ = ["LANDMARKS", "Face", "FaceAnalyzer", "Part", "Pixels"]
