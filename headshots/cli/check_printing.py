"""Prints what a check of a foundation has found."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.diffusion.checking.check import Report

_NAMES = {"bare": "no adapter", "adapter": "random adapter"}


def print_report(report: Report, *, as_json: bool) -> None:
    """PSNR, seconds, memory, what ran; and which stage differs, where one does."""
    from headshots.console.output import note_lines, print_fields, print_json, print_table

    if as_json:
        print_json(_plain(report))
        return
    print_table(
        ("IMAGE", "PSNR", "DIFFERS", "STOCK", "ENGINE"),
        [
            (
                _NAMES[image.adapter],
                _db(image.psnr_db),
                image.differing(report.least_db) or "nothing",
                f"{image.stock_seconds:.1f} s",
                f"{image.engine_seconds:.1f} s",
            )
            for image in report.images
        ],
    )
    stages = report.images[0].stages_db
    print_fields({stage: ", ".join(_db(image.stages_db[stage]) for image in report.images) for stage in stages})
    engine, stock = report.engine, report.stock
    on_gpu = f", {_mb(stock.device_bytes)} on the GPU" if stock.device_bytes else ""
    nodes = ", ".join(f"{count} nodes by {name}" for name, count in sorted(engine.nodes.items()))
    print_fields(
        {
            "engine": f"{engine.name}; {_mb(engine.peak_bytes)} at most, {_mb(engine.device_bytes)} weights and bank",
            "UNet": nodes,
            "stock": f"{stock.name}; {_mb(stock.peak_bytes)} at most{on_gpu}",
        }
    )
    if report.adapter_shows_db >= report.least_db:
        note_lines("the random adapter changes nothing that shows: its image proves no more than the other")
    verdict = "every stage reaches" if report.passed else "not every stage reaches"
    note_lines(f"{verdict} {report.least_db:g} dB")


def _db(value: float) -> str:
    return "equal" if value == math.inf else f"{value:.1f} dB"


def _mb(count: int) -> str:
    return f"{count / 2**20:.0f} MB"


def _plain(report: Report) -> dict[str, object]:
    """As JSON, which knows no infinity: equal is null."""
    images = [
        {
            "adapter": image.adapter,
            "psnr_db": _finite(image.psnr_db),
            "stages_db": {name: _finite(value) for name, value in image.stages_db.items()},
            "differs": image.differing(report.least_db),
            "stock_seconds": image.stock_seconds,
            "engine_seconds": image.engine_seconds,
        }
        for image in report.images
    ]
    return {
        "passed": report.passed,
        "least_db": report.least_db,
        "adapter_shows_db": _finite(report.adapter_shows_db),
        "images": images,
        "engine": asdict(report.engine),
        "stock": asdict(report.stock),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
