"""Holds what benchmarks say of a run: figures against their targets, the machine, versions, the revision."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Target:
    """What a figure must reach: at least ``bound``, or at most where ``at_most``; None: nothing, it is told.

    ``most``: of a figure that must be at least ``bound``, what it may be at most.
    """

    bound: float | None
    at_most: bool
    means: str
    most: float | None = None

    def met(self, found: float) -> bool | None:
        """Whether ``found`` does; None where nothing is asked."""
        if self.bound is None:
            return None
        if self.at_most:
            return found <= self.bound
        return found >= self.bound and (self.most is None or found <= self.most)

    def __str__(self) -> str:
        if self.bound is None:
            return ""
        if self.most is not None:
            return f"{self.bound:g} to {self.most:g}"
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


@dataclass(frozen=True)
class Measured:
    """What a part found: figures by their keys in the targets, and what else is worth keeping, as JSON."""

    figures: dict[str, float]
    details: dict[str, Any]


def machine() -> dict[str, Any]:
    """The hardware, as far as the operating system tells."""
    return {"cpu": _cpu_model(), "cpus": len(os.sched_getaffinity(0)), "system": platform.platform()}


def versions(libraries: Sequence[str]) -> dict[str, str]:
    """Of Python and the libraries that decide the figures; some are not for every system."""
    return {"python": platform.python_version(), **{name: _version(name) for name in libraries}}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def revision() -> str | None:
    """The commit that is checked out, with ``-dirty`` where files differ from it; None outside of a git checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    folder = Path(__file__).resolve().parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def report(
    targets: Mapping[str, Target], figures: Mapping[str, float], libraries: Sequence[str], details: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that goes into the file; a figure that was not measured is null there."""
    assert set(figures) <= set(targets)
    found = {key: figures.get(key) for key in targets}
    return {
        "figures": found,
        "targets": {key: str(target) for key, target in targets.items()},
        "met": {key: None if value is None else targets[key].met(value) for key, value in found.items()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "machine": machine(),
        "versions": versions(libraries),
        **details,
    }


def write(result: Mapping[str, Any], path: Path) -> None:
    """As JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")


def show(title: str, targets: Mapping[str, Target], result: Mapping[str, Any]) -> None:
    """The table."""
    table = Table(title=title)
    for column in ("figure", "found", "asked", "", "what"):
        justify: Literal["left", "right"] = "right" if column in ("found", "asked") else "left"
        table.add_column(column, justify=justify, no_wrap=column == "figure")
    for key, target in targets.items():
        value, met = result["figures"][key], result["met"][key]
        said = "not measured" if value is None else (f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}")
        table.add_row(key, said, str(target), {None: "", True: "met", False: "missed"}[met], target.means)
    Console(width=None if Console().is_terminal else 150).print(table)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()
