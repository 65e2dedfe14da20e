"""Holds the figures, what they must reach, and how much is done for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Target

LIBRARIES = ("numpy", "pillow", "c2pa-python", "cryptography", "sqlalchemy", "obstore")

TARGETS: Mapping[str, Target] = {
    "erasure_residue_bytes": Target(
        0, True, "of photos, adapters, checkpoints and images, in all files after erasures"
    ),
    "erasures_interrupted_and_completed": Target(50, False, "erasures with a service killed in the middle, completed"),
    "expired_subjects_usable": Target(0, True, "calls that reach a subject past its time, before any sweep"),
    "list_and_sweep": Target(1.5, True, "sweep of 100 due ones and a page of 100,000 subjects, over the same of 1,000"),
    "marking_ms_per_image": Target(60, True, "CPU time of all three layers at 1024², over encoding alone"),
    "watermark_psnr_db": Target(42, False, "at 512², the worst image"),
    "watermark_found": Target(0.99, False, "at 512², share read with its id after the worst damage"),
    "watermark_false_positive": Target(0, True, "marks read in images without one"),
    "c2pa_one_byte_flips_detected": Target(1.0, False, "share of files with one changed byte that are not trusted"),
}


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    images: int
    """Marked, damaged and read, of each size."""
    unmarked: int
    flips: int
    repeats: int
    """Of a timed image."""
    erasures: int
    expired: int
    """Subjects past their time, on each of which every call is tried."""
    subjects: int
    """Of the larger crowd that is swept; the smaller has a thousand."""
    due: int
    """Of each crowd."""
    sweeps: int


FULL = Scale(
    images=200, unmarked=10_000, flips=1_000, repeats=9, erasures=50, expired=20, subjects=100_000, due=100, sweeps=7
)
QUICK = Scale(images=4, unmarked=20, flips=30, repeats=2, erasures=4, expired=1, subjects=2_000, due=5, sweeps=2)


@dataclass(frozen=True)
class Order:
    """What a part is asked: how much, from which seed, with which public-domain photo (None: renders alone)."""

    scale: Scale
    seed: int
    photo: Path | None
    work: Path
    """An empty folder."""
