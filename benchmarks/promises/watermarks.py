"""Measures the watermark: how little it changes, what it outlives, and whether it is seen where it is not."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks.promises.damages import DAMAGES, Pixels
from benchmarks.promises.pictures import drawn, pictures
from benchmarks.promises.report import Order
from benchmarks.report import Measured
from headshots.marking.watermark.embedding import embed
from headshots.marking.watermark.payload import ID_BYTES
from headshots.marking.watermark.reading import read

_SIZE_PX, _SMALL_PX = 512, 128
_UNMARKED_PX = (128, 192, 256)
_TOLD_AFTER = 500
_ANOTHER_SEED = 7


def run(order: Order) -> Measured:
    """Mark, damage and read pictures of 512 px, and beside them of 128 px, which the generator leaves unmarked."""
    worst_db, found = _found(order, _SIZE_PX)
    small_db, small = _found(order, _SMALL_PX)
    details = {
        "found_at_512": found,
        "found_at_128": small,
        "psnr_db_at_128": small_db,
        "photo": order.photo is not None,
    }
    return Measured({"watermark_psnr_db": worst_db, "watermark_found": min(found.values())}, details)


def run_unmarked(order: Order) -> Measured:
    """Read pictures without a mark, whole and damaged."""
    damages, wrong = list(DAMAGES.values()), 0
    for number in range(order.scale.unmarked):
        pixels = drawn(number, order.seed + _ANOTHER_SEED, _UNMARKED_PX[number % len(_UNMARKED_PX)])
        if number % 2:
            pixels = damages[number // 2 % len(damages)](pixels)
        wrong += read(pixels) is not None
        if (number + 1) % _TOLD_AFTER == 0:
            print(f"unmarked: {number + 1} images, a mark read in {wrong}", flush=True)
    return Measured({"watermark_false_positive": wrong}, {"unmarked_images": order.scale.unmarked})


def _found(order: Order, size_px: int) -> tuple[float, dict[str, float]]:
    """The lowest peak signal-to-noise ratio, and the share of marks read with their id after each damage."""
    count, worst_db, right = order.scale.images, float("inf"), Counter[str]()
    for number, pixels in enumerate(pictures(count, order.seed, size_px, order.photo)):
        mark_id = np.random.default_rng([order.seed, number, 1]).bytes(ID_BYTES)
        marked = embed(pixels, mark_id)
        worst_db = min(worst_db, _psnr_db(pixels, marked))
        for name, damage in DAMAGES.items():
            mark = read(damage(marked))
            right[name] += mark is not None and mark.mark_id == mark_id
    return worst_db, {name: right[name] / count for name in DAMAGES}


def _psnr_db(one: Pixels, other: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))
