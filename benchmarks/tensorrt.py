"""Builds engines of TensorRT for RTX without a GPU: ``python -m benchmarks.tensorrt`` (``make bench-tensorrt``).

Every graph of the tiny SD 1.5 and SDXL packages, in both precisions, and of the bundled one, for each of two targets
alone, each in a process of its own; then the bundled package for both at once, as an export does it, with its time and
its peak of memory. ``--sd15`` adds a UNet of Stable Diffusion 1.5's size in half precision: its export alone takes
minutes and 8 GB. Prints a table and writes ``out/bench/tensorrt.json``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu_shapes import SHAPES, prepare
from benchmarks.report import Target, report, show, write
from headshots.diffusion.export.ensure import ExportOptions, ensure_package_in_child
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.rtx.building import Built, build_engines
from headshots.diffusion.tensorrt.rtx.targets import parse_targets
from headshots.errors import HeadshotsError
from headshots.settings import default_foundation
from tests.support.foundations.tiny import make_tiny_foundation, make_tiny_sdxl

OUT = Path("out/bench")
LIBRARIES = ("tensorrt-rtx-cu12-bindings", "tensorrt-rtx-cu12-libs", "onnx", "torch")
GB = 10**9
MEMORY_BYTES = 16 * GB
TARGETS = {
    "graphs_built": Target(1.0, False, "of all graphs × 2 targets"),
    "layers_fallen_back": Target(0, True, "packages refused for a node that is split off or changes its precision"),
    "bundled_build_seconds": Target(60, True, "bundled package, both targets"),
    "bundled_build_peak_gb": Target(2, True, "of the building process"),
    "sd15_build_seconds": Target(300, True, "SD 1.5-sized fp16 UNet, both targets (--sd15)"),
    "sd15_build_peak_gb": Target(12, True, "of the building process (--sd15)"),
}
_FALLEN_BACK = ("ENGINE_NODE_UNSUPPORTED", "ENGINE_PRECISION")


@dataclass
class Tally:
    """What was built and what was not."""

    graphs: int = 0
    built: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def add(self, label: str, package: EnginePackage, targets: tuple[str, ...]) -> list[Built]:
        """Build a package, of a copy of its files."""
        told: list[Built] = []
        self.graphs += len(package.graphs)
        with tempfile.TemporaryDirectory(prefix="headshots-engines-", dir=package.folder.parent) as folder:
            for name in package.files:
                os.symlink(package.folder / name, Path(folder) / name)
            try:
                build_engines(replace(package, folder=Path(folder)), targets, MEMORY_BYTES, told.append)
            except HeadshotsError as error:
                self.failed.append({"package": label, "reason": error.reason, "message": error.message})
        for built in told:
            print(f"{label} for {', '.join(targets)}: {built.file}: {built.layers} layers, {built.seconds:.1f} s",
                  flush=True)  # fmt: skip
        self.built += [{"package": label, "targets": targets, **asdict(built)} for built in told]
        return told

    def figures(self) -> dict[str, float]:
        """The share that was built, and how many packages a node stopped that would have fallen back.

        A build ends at the first graph with such nodes, and its message names them: above 0 this is the least number.
        """
        fallen = sum(each["reason"] in _FALLEN_BACK for each in self.failed)
        return {"graphs_built": len(self.built) / self.graphs, "layers_fallen_back": float(fallen)}


def packages(work: Path, *, quick: bool) -> Iterator[tuple[str, EnginePackage]]:
    """The five packages, exported first; of a quick pass the first."""
    tiny = ExportOptions(max_rank=8, slots=4, max_rows=8)
    families = {"tiny": make_tiny_foundation(work / "tiny"), "tiny-sdxl": make_tiny_sdxl(work / "tiny-sdxl")}
    for name, foundation in families.items():
        for precision in ("fp32", "fp16"):
            options = replace(tiny, precision=precision)
            folder = ensure_package_in_child(foundation, work / "engines", options)
            yield f"{name} {precision}", EnginePackage.read(folder)
            if quick:
                return
    yield "bundled fp32", EnginePackage.read(ensure_package_in_child(default_foundation(), work / "engines"))


def timed(tally: Tally, label: str, package: EnginePackage, targets: tuple[str, ...]) -> tuple[float, float] | None:
    """Seconds and peak in GB of a package's builds, the process's start included; None where one failed."""
    begin = time.perf_counter()
    told = tally.add(label, package, targets)
    seconds = time.perf_counter() - begin
    return (seconds, max(built.peak_bytes for built in told) / GB) if len(told) == len(package.graphs) else None


def sd15(work: Path) -> EnginePackage:
    """The UNet of Stable Diffusion 1.5's size as a package of its own, with random weights."""
    options = ExportOptions(max_rank=16, slots=9, max_rows=16, precision="fp16")
    _, package = prepare(SHAPES["sd15-512"], work, options)
    return replace(package, graphs={package.unet: package.graphs[package.unet]})


def measure(
    work: Path, targets: tuple[str, ...], *, large: bool, quick: bool = False
) -> tuple[dict[str, float], Tally]:
    """All figures; of a quick pass none of the timed ones."""
    tally, figures = Tally(), {}
    made = dict(packages(work, quick=quick))
    for label, package in made.items():
        for target in targets:
            tally.add(label, package, (target,))
    figures |= tally.figures()
    if quick:
        return figures, tally
    timings = {"bundled": made["bundled fp32"]} | ({"sd15": sd15(work)} if large else {})
    for name, package in timings.items():
        found = timed(tally, name, package, targets)
        if found is not None:
            figures |= {f"{name}_build_seconds": found[0], f"{name}_build_peak_gb": found[1]}
    return figures | {"layers_fallen_back": tally.figures()["layers_fallen_back"]}, tally


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sd15", action="store_true", help="also a UNet of SD 1.5's size: some 10 minutes, 8 GB")
    parser.add_argument("--quick", action="store_true", help="one tiny package and no timing, to go through the code")
    parser.add_argument("--targets", default="sm89,sm120")
    parser.add_argument("--work", type=Path, help="where packages are kept; default: a temporary folder")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="headshots-bench-tensorrt-"))
    load = os.getloadavg()
    try:
        figures, tally = measure(work, parse_targets(given.targets), large=given.sd15, quick=given.quick)
    finally:
        if given.work is None:
            shutil.rmtree(work, ignore_errors=True)
    details = {"quick": given.quick, "load_average": {"before": load, "after": os.getloadavg()}, **asdict(tally)}
    result = report(TARGETS, figures, LIBRARIES, details)
    write(result, given.out / "tensorrt.json")
    show("engines of TensorRT for RTX, built without a GPU", TARGETS, result)
    return int(not given.quick and False in result["met"].values())


if __name__ == "__main__":
    sys.exit(main())
