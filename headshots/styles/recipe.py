"""Defines a style, a prompt recipe of words for a foundation's template or of a whole prompt, and checks its fields."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headshots.errors import FieldViolation

NAME = re.compile(r"[a-z0-9-]{1,64}")
MAX_CHARACTERS = 256
"""Of a display name, a description, and each kind of words."""
MAX_PROMPT_CHARACTERS = 1000
"""Of a whole prompt and of a negative prompt."""
SUBJECT = "{subject}"
"""Where a whole prompt names the person."""
WORDS = ("outfit", "backdrop", "lighting", "framing")
"""What a style without a whole prompt must say."""
_LONG = ("prompt", "negative_prompt")
_MAX_STEPS, _MAX_GUIDANCE, _MAX_SIDE_PX, _SIDE_MULTIPLE_PX = 150, 30.0, 4096, 8


@dataclass(frozen=True)
class Style:
    """A versioned prompt recipe. `outfit` to `expression` are words that go into the prompt as they are."""

    name: str
    """1 to 64 characters of a-z, 0-9 and -; of a built-in style its file's name without the suffix."""
    version: int
    """From 1; grows by one whenever the recipe changes."""
    display_name: str
    description: str
    outfit: str = ""
    backdrop: str = ""
    lighting: str = ""
    framing: str = ""
    expression: str = ""
    """May stay empty."""
    prompt: str = ""
    """A whole prompt with `{subject}` once, in place of all words above and of the foundation's template."""
    negative_prompt: str = ""
    """What the image is led away from."""
    guidance_scale: float | None = None
    """0 to 30; None takes the foundation's."""
    guidance_interval: tuple[float, float] | None = None
    """From where to where of the noise schedule there is guidance, 0 to 1, the lower first (1 is noise alone); None
    takes the foundation's."""
    steps: int = 0
    """Denoising steps, 1 to 150; 0 takes the foundation's."""
    width_px: int = 0
    """A multiple of 8 up to 4096; 0 takes the foundation's native width."""
    height_px: int = 0
    """As `width_px`."""

    def __post_init__(self) -> None:
        # JSON columns and YAML files have lists.
        if self.guidance_interval is not None:
            object.__setattr__(self, "guidance_interval", tuple(self.guidance_interval))

    def to_json(self) -> dict[str, Any]:
        """For a JSON column or a file; what has its default is left out."""
        fields = dataclasses.fields(self)
        return {each.name: value for each in fields if (value := getattr(self, each.name)) != each.default}


def find_faults(style: Style) -> Iterator[FieldViolation]:
    """What is wrong with a style, each with its field."""
    texts = {each.name: getattr(style, each.name) for each in dataclasses.fields(style) if each.type == "str"}
    for field, text in texts.items():
        limit = MAX_PROMPT_CHARACTERS if field in _LONG else MAX_CHARACTERS
        if len(text) > limit or "\x00" in text:
            yield FieldViolation(field, f"must be at most {limit} characters of text without NUL")
    if not NAME.fullmatch(style.name):
        yield FieldViolation("name", f"must be 1 to 64 characters of a-z, 0-9 and -; found {style.name!r}")
    yield from _faults_of_prompt(style) if style.prompt else _faults_of_words(style)
    yield from _faults_of_numbers(style)


def _faults_of_words(style: Style) -> Iterator[FieldViolation]:
    for field in WORDS:
        if not getattr(style, field).strip():
            found = getattr(style, field)
            yield FieldViolation(field, f"must be 1 to {MAX_CHARACTERS} characters of text; found {found!r}")


def _faults_of_prompt(style: Style) -> Iterator[FieldViolation]:
    rest = style.prompt.replace(SUBJECT, "", 1)
    if len(rest) == len(style.prompt) or "{" in rest or "}" in rest:
        yield FieldViolation("prompt", f"must have {SUBJECT} once, and no other braces")
    for field in (*WORDS, "expression"):
        if getattr(style, field):
            yield FieldViolation(field, "must be empty beside a whole prompt, which says it all")


def _faults_of_numbers(style: Style) -> Iterator[FieldViolation]:
    if style.version < 1:
        yield FieldViolation("version", f"must be a whole number from 1; found {style.version}")
    if not 0 <= style.steps <= _MAX_STEPS:
        yield FieldViolation("steps", f"must be 0 to {_MAX_STEPS}; found {style.steps}")
    if style.guidance_scale is not None and not 0 <= style.guidance_scale <= _MAX_GUIDANCE:
        yield FieldViolation("guidance_scale", f"must be 0 to {_MAX_GUIDANCE:g}; found {style.guidance_scale}")
    if style.guidance_interval is not None and not _is_interval(style.guidance_interval):
        found = list(style.guidance_interval)
        yield FieldViolation("guidance_interval", f"must be two numbers from 0 to 1, the lower first; found {found}")
    for field in ("width_px", "height_px"):
        side = getattr(style, field)
        if side % _SIDE_MULTIPLE_PX or not 0 <= side <= _MAX_SIDE_PX:
            rule = f"must be a multiple of {_SIDE_MULTIPLE_PX} up to {_MAX_SIDE_PX}, or 0"
            yield FieldViolation(field, f"{rule}; found {side}")


def _is_interval(ends: tuple[Any, ...]) -> bool:
    are_numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    return are_numbers and len(ends) == 2 and 0 <= ends[0] < ends[1] <= 1
