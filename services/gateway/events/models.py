"""What watchers are shown that no table keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShotPreview:
    """A glimpse of a shot while it is painted; `content` is a small JPEG."""

    shot: int
    step: int
    total_steps: int
    content: bytes
