"""Judges and prints the numbers of :mod:`benchmarks.gpu`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Times = Mapping[str, float]
"""Milliseconds of a UNet call by its number of rows."""


def figures(found: Mapping[str, Any], flops: int, rate: float) -> dict[str, Any]:
    """Ratios, of what ran only.

    ``bank_cost``: eager torch with the bank over the same without. ``matmul_share``: operations a second of the UNet
    (``flops`` a row) over those of a large matrix product (``rate``). ``speed_up_over``: a peer's time over ours.
    """
    ours: dict[str, Times] = {name: entry["ms"] for name, entry in found["ours"].items()}
    bare, eager = found.get("without_bank_ms"), ours.get("torch:eager")
    return {
        "bank_cost": {rows: eager[rows] / bare[rows] for rows in bare} if bare and eager else None,
        "matmul_share": {
            name: {rows: flops * int(rows) / (ms / 1000) / rate for rows, ms in times.items()}
            for name, times in ours.items()
        },
        "speed_up_over": {
            peer: {name: {rows: theirs[rows] / ms for rows, ms in times.items()} for name, times in ours.items()}
            for peer, theirs in found["peers"].items()
        },
    }


def show(result: Mapping[str, Any]) -> None:
    """A table a shape: milliseconds by rows; and what did not run."""
    for name, found in result["shapes"].items():
        table = Table(title=f"{name} on {result['hardware']}, {result['precision']}, ms a UNet call")
        for column in ("", *(str(rows) for rows in result["rows"])):
            table.add_column(column, justify="right")
        for label, times in ({name: entry["ms"] for name, entry in found["ours"].items()} | found["peers"]).items():
            table.add_row(label, *(f"{times[str(rows)]:.1f}" for rows in result["rows"]))
        Console().print(table)
        for label, why in found["not_run"].items():
            Console().print(f"  not run: {label}: {why}")
