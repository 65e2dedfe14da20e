"""Holds the figures and what they must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Target

LIBRARIES = ("onnxruntime", "numpy", "pillow")

TARGETS: Mapping[str, Target] = {
    "install_seconds": Target(None, True, "to bring, convert and check the nets; the network's share is in it"),
    "install_mb": Target(40, True, "what stays on the disk, millions of bytes"),
    "detected": Target(1, False, "share of good pictures in which a face is found"),
    "separation": Target(0, False, "least likeness of one person's pictures less the largest of two people's"),
    "verdicts_right": Target(1, False, "share of good and spoilt pictures of which the inspection says what is so"),
    "traits_right": Target(0.97, False, "share of answers on glasses and beards that are right, of `people`"),
    "analyze_ms": Target(80, True, "CPU time of one core for the faces of 12 megapixels"),
}


@dataclass(frozen=True)
class Order:
    """What is measured."""

    analyzer: Path
    """Its folder; it is installed there unless it is there."""
    folder: Path | None
    """More photos: FOLDER/PERSON/PHOTO."""
    calls: int
    """That are timed."""
