"""Draws the picture of the README from a run of the demo: the selfies, and the best ten as its page shows them.

`python -m headshots.demo.results.best_ten out/demo docs/gallery.jpg`
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from headshots.demo.results.contact_sheet import BACKGROUND, BEST, BEST_COLUMNS, BEST_PX, GAP_PX, MARGIN_PX, paste
from headshots.demo.results.page import PORTRAITS, SELFIES
from headshots.errors import NotFoundError


def best_ten(results: Path) -> Image.Image:
    """Draw it from the folder that a run left.

    Raises:
        NotFoundError: PORTRAITS_MISSING: there is no accepted portrait, or no selfie.
    """
    best = sorted((results / PORTRAITS).glob("[0-9][0-9]-*"))[:BEST]
    selfies = sorted((results / PORTRAITS / SELFIES).glob("*.jpg"))
    if not best or not selfies:
        raise NotFoundError("PORTRAITS_MISSING", f"{results} has no portraits of a demo; `make demo` makes them")
    width = BEST_COLUMNS * (BEST_PX + GAP_PX) - GAP_PX
    selfie_px = (width + GAP_PX) // max(len(selfies), BEST_COLUMNS) - GAP_PX
    rows = -(-len(best) // BEST_COLUMNS)
    height = selfie_px + rows * (BEST_PX + GAP_PX)
    picture = Image.new("RGB", (width + 2 * MARGIN_PX, height + 2 * MARGIN_PX), BACKGROUND)
    for column, file in enumerate(selfies):
        paste(picture, (MARGIN_PX + column * (selfie_px + GAP_PX), MARGIN_PX), selfie_px, file.read_bytes())
    for number, file in enumerate(best):
        row, column = divmod(number, BEST_COLUMNS)
        top = MARGIN_PX + selfie_px + GAP_PX + row * (BEST_PX + GAP_PX)
        paste(picture, (MARGIN_PX + column * (BEST_PX + GAP_PX), top), BEST_PX, file.read_bytes())
    return picture


def main(words: Sequence[str]) -> None:
    """Write the picture: the folder of the results, and the file."""
    results, file = words
    best_ten(Path(results)).save(file, quality=90)


if __name__ == "__main__":
    main(sys.argv[1:])
