"""Holds the figures and what they must reach, and writes them down."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_LIBRARIES = ("torch", "diffusers", "peft", "transformers", "onnxruntime", "numpy", "grpcio")


@dataclass(frozen=True)
class Target:
    """What a figure must reach: at least ``bound``, or at most where ``at_most``."""

    bound: float
    at_most: bool
    means: str

    def met(self, found: float) -> bool:
        """Whether ``found`` does."""
        return found <= self.bound if self.at_most else found >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


TARGETS: Mapping[str, Target] = {
    "throughput_vs_preloaded": Target(3.0, False, "images/s, all at once, against set_adapters a request"),
    "throughput_vs_reload": Target(6.0, False, "the same against load_lora_weights a request"),
    "throughput_vs_grouped": Target(2.0, False, "the same against grouped by subject and batched"),
    "latency_alone_vs_preloaded": Target(0.5, True, "mean latency of one request alone, against set_adapters"),
    "p95_poisson_vs_preloaded": Target(0.3, True, "p95 latency under Poisson arrivals, against set_adapters"),
    "hotload_vs_load_lora": Target(0.01, True, "host row to slot, against load_lora_weights"),
    "bank_cost": Target(1.1, True, "a UNet call with the bank against without, worst number of rows"),
    "memory_growth_2000_swaps": Target(1.02, True, "resident memory after all swaps over that after the first tenth"),
    "grpc_vs_engine": Target(0.95, False, "images/s through the service against the engine in-process"),
}


def machine() -> dict[str, Any]:
    """The hardware, as far as the operating system tells."""
    return {"cpu": _cpu_model(), "cpus": len(os.sched_getaffinity(0)), "system": platform.platform()}


def versions() -> dict[str, str]:
    """Of Python and the libraries that decide the times."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def report(figures: Mapping[str, float], details: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that goes into the file; a figure that was not measured is null there."""
    assert set(figures) <= set(TARGETS)
    found = {key: figures.get(key) for key in TARGETS}
    return {
        "figures": found,
        "targets": {key: str(target) for key, target in TARGETS.items()},
        "met": {key: None if value is None else TARGETS[key].met(value) for key, value in found.items()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        **details,
    }


def write(result: Mapping[str, Any], path: Path) -> None:
    """As JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")


def show(result: Mapping[str, Any]) -> None:
    """The table."""
    table = Table(title=f"serving {result['foundation']['name']}: ours against stock diffusers and PEFT")
    for column in ("figure", "found", "asked", "", "what"):
        table.add_column(column, justify="right" if column in ("found", "asked") else "left")
    for key, target in TARGETS.items():
        value, met = result["figures"][key], result["met"][key]
        said = "not measured" if value is None else f"{value:.4g}"
        table.add_row(key, said, str(target), {None: "", True: "met", False: "missed"}[met], target.means)
    Console(width=None if Console().is_terminal else 150).print(table)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()
