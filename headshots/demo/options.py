"""Defines what a run of the demo shows, and from what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.foundations.names import hub_name
from headshots.settings import default_foundation
from headshots.styles.folders import fitting_styles


@dataclass(frozen=True)
class DemoOptions:
    """What to show."""

    out: Path
    engines: Path
    """Keeps engine packages for the next run: exporting is the longest part of a first one."""
    photos: Path | None = None
    """Folder of selfies; None draws those of `person`."""
    foundation: Path | None = None
    """None takes the bundled one."""
    foundation_name: str = ""
    """As it was typed, where that is not its folder: a file, or a hub's name."""
    person: int = 7
    faces: str | None = None
    """`people` or `none`; None takes the analyzer that fits the foundation."""
    class_noun: str = "person"
    """Of whom `photos` show."""
    styles: Sequence[str] = ()
    """Bare ids; none given: six of the library."""
    style_library: Path | None = None
    """Folder of the styles to choose from; None takes the one that fits the foundation."""
    shots_per_style: int = 4
    seed: int = 0

    @property
    def foundation_folder(self) -> Path:
        """Where the foundation is."""
        return (self.foundation or default_foundation()).absolute()

    @property
    def style_folder(self) -> Path:
        """Where the styles are.

        Raises:
            InvalidArgumentError: FOUNDATION_…: the folder is not a foundation.
        """
        if self.style_library is not None:
            return self.style_library.absolute()
        return fitting_styles(Foundation.read(self.foundation_folder).vocabulary)

    @property
    def library_shown(self) -> str:
        """What the page says of the styles."""
        if self.style_library is not None:
            return f"the styles of {self.style_library.name}"
        is_drawn = bool(Foundation.read(self.foundation_folder).vocabulary)
        return f"the built-in styles for {'drawn people' if is_drawn else 'photographs'}"

    @property
    def foundation_shown(self) -> str:
        """What the page calls it: the name of its folder or file, or a hub's name."""
        name = Path(self.foundation_name or self.foundation_folder)
        return str(name) if hub_name(name) else name.name

    @property
    def person_name(self) -> str:
        """Whom it is about."""
        return self.photos.absolute().name if self.photos else f"Person {self.person}"
