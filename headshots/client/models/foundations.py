"""Defines foundations as the SDK hands them out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Foundation:
    """A frozen text-to-image model, and what it can paint. Sizes are in pixels."""

    name: str
    display_name: str
    native_width_px: int
    native_height_px: int
    min_width_px: int
    max_width_px: int
    min_height_px: int
    max_height_px: int
    size_multiple_px: int
    steps: int
    guidance_scale: float
    prompt_template: str
    class_nouns: tuple[str, ...]
    vocabulary: tuple[str, ...]
    """The only words that it was taught; empty where its vocabulary is open."""
    window_tokens: int
    """Tokens of a prompt that its text encoders read."""
    max_rank: int
    negative_prompt: str
    """What images are led away from where their style names nothing; empty: nothing."""
