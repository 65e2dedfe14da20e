"""Shows the verdicts of images as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from headshots.console.output import note, note_lines, print_table, wrapped

if TYPE_CHECKING:
    from headshots.client import Check, Image

COLUMNS = ("STYLE", "VERDICT", "TRIES", "LIKENESS", "WHY NOT")


def print_verdicts(images: Sequence[Image], *, names: bool = False) -> None:
    """A row an image in the order given, its rank first; or its whole name, for other commands to take.

    Without names, images that were not measured for the same reason are one line below the table.
    """
    if names:
        print_table(("IMAGE", "RANK", *COLUMNS), [(each.name, each.rank or "-", *_cells(each)) for each in images])
        return
    alike = _alike(images)
    rows = [(each.rank or "-", *_cells(each)) for each in images if each.name not in _names(alike)]
    if rows:
        print_table(("RANK", *COLUMNS), rows)
    for line in _alike_lines(alike):
        typer.echo(wrapped(line))


def print_file_verdicts(images: Sequence[Image], files: Sequence[Path]) -> None:
    """On stderr, a row a file with what was measured of it; stdout has the paths alone, for other programs.

    Images that were not measured for the same reason are one line below the table.
    """
    alike = _alike(images)
    named = zip(images, files, strict=True)
    rows = [(file.name, *_cells(image)[1:]) for image, file in named if image.name not in _names(alike)]
    if rows:
        print_table(("FILE", *COLUMNS[1:]), rows, err=True)
    for line in _alike_lines(alike):
        note_lines(line)


def _alike(images: Sequence[Image]) -> dict[str, list[Image]]:
    """The images that were not measured for a reason that several share."""
    return {why: several for why, several in _not_measured(images).items() if len(several) > 1}


def _names(alike: dict[str, list[Image]]) -> set[str]:
    return {each.name for several in alike.values() for each in several}


def _alike_lines(alike: dict[str, list[Image]]) -> list[str]:
    heads = {why: f"{len(several)} images NOT_MEASURED" for why, several in alike.items()}
    return [": ".join(filter(None, (head, why))) for why, head in heads.items()]


def _not_measured(images: Sequence[Image]) -> dict[str, list[Image]]:
    """The images that were not measured, by what their checks say."""
    found: dict[str, list[Image]] = {}
    for image in images:
        if image.verdict is not None and image.verdict.acceptance == "NOT_MEASURED":
            # One cause may fail several checks.
            why = " ".join(dict.fromkeys(check.message for check in image.verdict.failed))
            found.setdefault(why, []).append(image)
    return found


def _cells(image: Image) -> tuple[object, ...]:
    verdict = image.verdict
    return (
        image.style.removeprefix("styles/"),
        verdict.acceptance.value.lower().replace("_", " ") if verdict else "not judged",
        image.tries,
        f"{image.likeness:.3f}" if image.likeness is not None else "-",
        ", ".join(map(reason, verdict.failed)) if verdict else "",
    )


def reason(check: Check) -> str:
    """`BLURRY 0.31 (limit 0.5)`; the reason alone where there was nothing to measure."""
    if check.measured is None or check.limit is None:
        return check.reason
    return f"{check.reason} {check.measured:.3g} (limit {check.limit:.3g})"


def note_renamed(files: Sequence[Path], stems: Sequence[str]) -> None:
    """Tell of the first file that has a number after the stem that it was to have; nothing where none has."""
    renamed = [file for file, stem in zip(files, stems, strict=True) if file.stem != stem]
    if renamed:
        note(f"pictures of the same names are kept: {renamed[0].name} has another number; --out takes another folder")
