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
    is_default: bool = False
    """Whether trainings and shoots that name no foundation take it."""
    ready_generators: int = 0
    """That take requests for it now; 0: its work waits until one does."""
    sampler: str = ""
    """How it is sampled by default: as ddim, euler or dpmpp_2m; empty: by a rule that the gateway does not know."""
    digest: str = ""
    """As `Adapter.foundation_digest` tells it."""
    negative_prompt: str = ""
    """What images are led away from where their style names nothing; empty: nothing."""
    guidance_interval: tuple[float, float] | None = None
    """Where in the noise schedule there is guidance by default, 0 to 1 (1 is noise alone); None: it is not told."""
    head_height: float | None = None
    """Of heads in its portraits of the native size, chin to crown, share of the height; None: it is not told."""
    eye_line: float | None = None
    """From the upper edge to the eyes there, share of the height; None: it is not told."""


FoundationRef = Foundation | str
"""Names a foundation: as it was handed out, by `foundations/{foundation}`, or by its digest."""
