"""Shows the verdicts of images as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headshots.console.output import print_table

if TYPE_CHECKING:
    from headshots.client import Check, Image

COLUMNS = ("STYLE", "VERDICT", "TRIES", "LIKENESS", "WHY NOT")


def print_verdicts(images: Sequence[Image], *, names: bool = False) -> None:
    """A row an image in the order given, its rank first; or its whole name, for other commands to take."""
    if names:
        print_table(("IMAGE", "RANK", *COLUMNS), [(each.name, each.rank or "-", *_cells(each)) for each in images])
    else:
        print_table(("RANK", *COLUMNS), [(each.rank or "-", *_cells(each)) for each in images])


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
