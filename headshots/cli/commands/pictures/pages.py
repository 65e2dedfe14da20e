"""Writes the page beside images that a command saves, where `--html` asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headshots.cli import shoot_options

if TYPE_CHECKING:
    from headshots.client import Gallery, Headshots, Image, Shoot


def check_gallery_page(out: Path, html: bool) -> None:
    """Tell of a file that the page would replace before anything is painted.

    Raises:
        AlreadyExistsError: PAGE_IN_THE_WAY.
    """
    from headshots.pages.fetching import GALLERY_PAGE
    from headshots.pages.writing import check_replaceable

    if html:
        check_replaceable(out / GALLERY_PAGE)


def gallery_page(client: Headshots, gallery: Gallery, files: Sequence[Path], out: Path) -> Path:
    """Write the page of a gallery that has ended, whose images have these files. Raises as `check_gallery_page`."""
    from headshots.pages.fetching import write_gallery_page

    by_name = {image.name: file for image, file in zip(gallery.images, files, strict=True)}
    return write_gallery_page(client, gallery, by_name, out)


@dataclass(frozen=True)
class Saved:
    """Where a shoot's images go, how many of the best of them (0: all), and whether a page is written beside them."""

    out: Path
    best: int
    html: bool

    @property
    def options(self) -> str:
        """What to add to a command that goes on."""
        out = "" if self.out == shoot_options.OUT else f"--out {self.out}"
        return " ".join(filter(None, (out, f"--best {self.best}" if self.best else "", "--html" if self.html else "")))

    def checked(self) -> Saved:
        """The same, once it is known that the page would replace no file of somebody else's.

        Raises:
            AlreadyExistsError: PAGE_IN_THE_WAY.
        """
        from headshots.pages.fetching import SHOOT_PAGE
        from headshots.pages.writing import check_replaceable

        if self.html:
            check_replaceable(self.out / SHOOT_PAGE)
        return self

    def page(
        self, client: Headshots, shoot: Shoot, images: Sequence[Image], files: Mapping[str, Path]
    ) -> dict[str, str]:
        """The page as `page`, written where one is asked for; `files` by the images' names. Raises as `checked`."""
        from headshots.pages.fetching import write_shoot_page

        return {"page": str(write_shoot_page(client, shoot, images, files, self.out))} if self.html else {}
