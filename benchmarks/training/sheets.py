"""Shows people of a run as pictures: true photos above, portraits below, for whoever reads the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.training import people
from benchmarks.training.people import Pixels
from benchmarks.training.pictures import kept
from benchmarks.training.plan import Plan

WORST = 3


def write_sheets(plan: Plan, worst_first: list[int]) -> list[Path]:
    """PNG files of the worst three people, the median and the best, in the run's folder; older ones are removed."""
    for old in plan.folder.glob("sheet-*.png"):
        old.unlink()
    named = {f"worst-{place}": person for place, person in enumerate(worst_first[:WORST], 1)}
    if worst_first:
        named |= {"median": worst_first[len(worst_first) // 2], "best": worst_first[-1]}
    paths = []
    for name, person in named.items():
        paths.append(plan.folder / f"sheet-{name}-person-{person:02d}.png")
        photos, portraits = plan.cast.true_photos(person), people.resized(list(kept(plan, "ours", person)))
        Image.fromarray(_page(photos, portraits, columns=len(photos))).save(paths[-1])
    return paths


def _page(photos: Pixels, portraits: Pixels, columns: int) -> Pixels:
    """Photos in a row, a white line, portraits in rows of as many; the last row is filled up with white."""
    missing = -len(portraits) % columns
    filled = np.concatenate([portraits, np.full((missing, *portraits.shape[1:]), 255, np.uint8)])
    rows = [np.concatenate(list(filled[start : start + columns]), axis=1) for start in range(0, len(filled), columns)]
    line = np.full((4, rows[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([np.concatenate(list(photos), axis=1), line, *rows])
