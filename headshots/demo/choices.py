"""Chooses the styles that the demo paints, and warns of photos and words that the foundation may not know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headshots.client import Style
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import NotFoundError
from headshots.settings import default_foundation

# Chosen to differ in outfit, backdrop and light; the bundled foundation's. A library without them serves its first six.
STYLES = (
    "studio-navy-suit",
    "founder-black-turtleneck",
    "park-denim-jacket",
    "stage-red-shirt",
    "clinic-lab-coat",
    "city-leather-jacket",
)
# The same of `styles/photographic`.
PHOTOGRAPHIC = (
    "corporate-navy-blazer-lobby",
    "creative-black-turtleneck",
    "casual-denim-jacket",
    "outdoor-golden-hour-park",
    "corporate-charcoal-suit",
    "casual-coffee-shop",
)
DRAWN_ONLY = (
    "the bundled foundation paints drawn people, and its analyzer knows no others' faces: for photos of real people "
    "name a real foundation, as in make demo PHOTOS=DIR FOUNDATION=/models/stable-diffusion-v1-5"
)


def choose_styles(library: Sequence[Style], wanted: Sequence[str]) -> list[str]:
    """Names of the styles to paint: those wanted, else the demo's own, else the library's first six.

    Raises:
        NotFoundError: STYLE_NOT_FOUND, with those that there are.
    """
    names = [style.name for style in library]
    if wanted:
        chosen = [f"styles/{_bare(style)}" for style in wanted]
        if missing := [_bare(name) for name in chosen if name not in names]:
            known = ", ".join(map(_bare, names))
            raise NotFoundError("STYLE_NOT_FOUND", f"there is no style {', '.join(missing)}; there are {known}")
        return list(dict.fromkeys(chosen))
    own = ([f"styles/{style}" for style in six if f"styles/{style}" in names] for six in (STYLES, PHOTOGRAPHIC))
    return next(filter(None, own), names[:6])


def _bare(style: str) -> str:
    return style.removeprefix("styles/")


def is_bundled(foundation: Path) -> bool:
    """Whether it is the bundled foundation, which knows drawn people only."""
    return foundation.resolve() == default_foundation().resolve()


def reservations(foundation: Path, class_noun: str) -> list[str]:
    """What to tell the owner of photos that the foundation is to learn from.

    Raises:
        InvalidArgumentError: FOUNDATION_…: the folder is not a foundation.
    """
    known = Foundation.read(foundation).class_nouns
    said = [DRAWN_ONLY] if is_bundled(foundation) else []
    if class_noun not in known:
        said.append(
            f"the foundation is said to know {', '.join(known)}: what it makes of {class_noun!r} nobody has tried "
            "(choose with --class-noun; class_nouns in its headshots.yaml lists them)"
        )
    return said
