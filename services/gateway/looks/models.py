"""Defines looks as callers see them, and their changes, as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headshots.looks.look import Look
from services.gateway.api.labels import Labelling


@dataclass(frozen=True)
class AskedFrame:
    """A frame as a caller asks for it."""

    width_px: int
    height_px: int
    eye_line: float | None = None
    """None: as fits the default foundation."""
    head_height: float | None = None
    """None: the same."""


@dataclass(frozen=True)
class ListedLook:
    """A version of a look."""

    look: Look
    archived: bool = False
    created_at: float | None = None
    """When this version was made; None where it is not."""
    labelling: Labelling = field(default_factory=Labelling)
    """Of all versions."""


@dataclass(frozen=True)
class LookChange:
    """What a caller changes."""

    fields: Mapping[str, Any]
    """By their names in `Look`; those that are left out stay as they are."""

    def applied_to(self, look: Look) -> Look:
        """The next version, or `look` itself where nothing differs."""
        changed = dataclasses.replace(look, **self.fields)
        return look if changed == look else dataclasses.replace(changed, version=look.version + 1)
