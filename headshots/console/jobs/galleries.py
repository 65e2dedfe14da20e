"""Shows galleries: those that there are, and one that was ordered and is not waited for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from headshots.console.output import note, print_json, print_table

if TYPE_CHECKING:
    from headshots.client import Gallery


def print_galleries(galleries: Sequence[Gallery]) -> None:
    """A row a gallery, with its styles and how many of its images are accepted."""
    rows = [
        (
            each.name,
            each.state,
            f"{each.completed_shots}/{each.total_shots}",
            each.accepted_shots,
            ", ".join(style.removeprefix("styles/") for style in each.styles),
            each.create_time,
        )
        for each in galleries
    ]
    print_table(("GALLERY", "STATE", "SHOTS", "ACCEPTED", "STYLES", "CREATED"), rows)


def print_ordered(gallery: Gallery, out: Path, *, as_json: bool) -> None:
    """The name of a gallery that nobody waits for, and the command that fetches its images into `out`."""
    if as_json:
        print_json(gallery)
        return
    typer.echo(gallery.name)
    note(f"next: `headshots galleries fetch {gallery.name} --out {out}` waits for its images and writes them")
