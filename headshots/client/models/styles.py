"""Defines styles as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class StyleRecipe:
    """What a style says: outfit, backdrop, lighting and framing for the foundation's template, or a whole prompt."""

    outfit: str = ""
    backdrop: str = ""
    lighting: str = ""
    framing: str = ""
    expression: str = ""
    """May stay empty."""
    prompt: str = ""
    """A whole prompt with `{subject}` once, in place of all words above."""
    negative_prompt: str = ""
    guidance_scale: float | None = None
    """None takes the foundation's; so does 0 of the fields below."""
    steps: int = 0
    width_px: int = 0
    height_px: int = 0
    guidance_interval: tuple[float, float] | None = None
    """From where to where of the noise schedule there is guidance, 0 to 1 (1 is noise alone); None takes the
    foundation's."""


@dataclass(frozen=True)
class Style:
    """A versioned prompt recipe, built in or the tenant's own."""

    name: str
    display_name: str
    description: str
    version: int
    recipe: StyleRecipe
    built_in: bool
    archived: bool
    create_time: datetime | None
    """When this version was made; None where it is built in."""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


@dataclass(frozen=True)
class StylePreview:
    """The prompt that a style becomes, and what the foundation reads of it."""

    prompt: str
    negative_prompt: str
    width_px: int
    height_px: int
    steps: int
    guidance_scale: float
    tokens: int
    """Of the longer of both prompts; with more than `window_tokens` galleries refuse the style."""
    window_tokens: int
    lost: str
    """What the foundation would not read of the prompt."""
    negative_lost: str
    unknown_words: tuple[str, ...]
    """Words that the foundation was not taught; with any galleries refuse the style."""
    guidance_interval: tuple[float, float] | None = None
    """Where in the noise schedule there is guidance; None: the generator does not tell."""
