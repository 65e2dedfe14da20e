"""Defines the preview of a shot, which watchers receive and no table keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShotPreview:
    """A shot after a denoising step; `content` is a small JPEG."""

    shot: int
    step: int
    total_steps: int
    content: bytes
