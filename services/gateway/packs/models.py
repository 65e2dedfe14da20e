"""Defines packs as callers see them, as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from headshots.styles.packs import Pack
from services.gateway.api.labels import Labelling


@dataclass(frozen=True)
class ListedPack:
    """A version of a pack, built in or a tenant's own."""

    pack: Pack
    built_in: bool
    archived: bool = False
    created_at: float | None = None
    """When this version was made; None where it is built in."""
    labelling: Labelling = field(default_factory=Labelling)
    """Of all versions."""


@dataclass(frozen=True)
class PackChange:
    """What a caller changes; None stays as it is."""

    display_name: str | None = None
    description: str | None = None
    styles: tuple[tuple[str, int], ...] | None = None
    """As `Pack.styles`, not yet checked."""

    def applied_to(self, pack: Pack) -> Pack:
        """The next version, or `pack` itself where nothing differs."""
        told: dict[str, Any] = {name: value for name, value in vars(self).items() if value is not None}
        changed = dataclasses.replace(pack, **told)
        return pack if changed == pack else dataclasses.replace(changed, version=pack.version + 1)
