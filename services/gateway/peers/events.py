"""Defines what a generator tells while it paints an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepDone:
    """A denoising step is done; `preview` is a small JPEG or empty."""

    step: int
    total_steps: int
    preview: bytes


@dataclass(frozen=True)
class ImageDone:
    """The image is in the object store under `key`."""

    key: str
    sha256: str
    size_bytes: int
    content_type: str
    width_px: int
    height_px: int
    mark_id: str = ""
    """Of its watermark, 16 hex digits; empty: it has none."""
    frame_missed: str = ""
    """Why it was not cut to its frame, see `headshots.looks.cropping.Missed`; empty: it was, or there was none."""


@dataclass(frozen=True)
class Waiting:
    """The request waits in the generator's queue or has just started."""


GenerationEvent = Waiting | StepDone | ImageDone
