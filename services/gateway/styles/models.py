"""Defines styles as callers see them, as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from headshots.styles.recipe import Style
from services.gateway.api.labels import Labelling


@dataclass(frozen=True)
class ListedStyle:
    """A version of a style, built in or a tenant's own."""

    style: Style
    built_in: bool
    archived: bool = False
    created_at: float | None = None
    """When this version was made; None where it is built in."""
    labelling: Labelling = field(default_factory=Labelling)
    """Of all versions."""


@dataclass(frozen=True)
class StyleChange:
    """What a caller changes; None stays as it is."""

    display_name: str | None = None
    description: str | None = None
    recipe: dict[str, Any] | None = None
    """All fields of the recipe, by their names in `Style`."""

    def applied_to(self, style: Style) -> Style:
        """The next version, or `style` itself where nothing differs."""
        texts = {"display_name": self.display_name, "description": self.description}
        told: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
        changed = dataclasses.replace(style, **told, **(self.recipe or {}))
        return style if changed == style else dataclasses.replace(changed, version=style.version + 1)
