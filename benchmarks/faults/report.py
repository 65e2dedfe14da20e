"""Holds the figures, what they must reach, and how much is done for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.report import Target

LIBRARIES = ("grpcio", "protobuf", "pillow", "pillow-heif", "obstore", "sqlalchemy", "onnxruntime", "torch")

TARGETS: Mapping[str, Target] = {
    "gateway_peak_mb": Target(1024, True, "the gateway and its decoders, heaviest photos by all streams at once"),
    "slowest_photo_seconds": Target(5, True, "from the first byte to the answer, all decoders busy"),
    "corpus_files": Target(200, False, "files sent, of all kinds"),
    "corpus_unexpected": Target(0, True, "files with another answer than foreseen"),
    "faults": Target(100, False, "kills, freezes, full disks and locked databases under work"),
    "faults_lost_shots": Target(0, True, "shots of their galleries that did not end with their image"),
    "faults_doubled_images": Target(0, True, "images that a shot has beside its one"),
    "faults_lost_trainings": Target(0, True, "trainings that did not succeed"),
    "fuzzed_calls": Target(10_000, False, "calls with seeded nonsense, every call of the public API"),
    "fuzz_unexplained": Target(0, True, "of these, UNKNOWN, INTERNAL, or without any answer"),
    "residue_after_killed_uploads_bytes": Target(0, True, "of photos, after kills in mid upload and erasure"),
    "other_tenant_ms_with_1000_watchers": Target(3, True, "GetTenant's median, over the same without watchers"),
    "other_tenant_wait_behind_1600_high_shots": Target(5, True, "wait for a gallery of two, over the same alone"),
}


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    corpus: int
    """Files; all, or so many drawn from them."""
    rounds: int
    """Of ten faults each."""
    calls: int
    kills: int
    """Of a gateway in mid upload."""
    watchers: int
    samples: int
    """Of a latency, each time it is measured."""
    high_shots: int
    repeats: int
    """Of a gallery of two shots, alone and behind the others."""


FULL = Scale(corpus=200, rounds=10, calls=10_000, kills=20, watchers=1000, samples=400, high_shots=1600, repeats=5)
QUICK = Scale(corpus=24, rounds=1, calls=500, kills=2, watchers=50, samples=30, high_shots=64, repeats=2)


Say = Callable[[str], None]
"""Tells how it goes, a line at a time."""
