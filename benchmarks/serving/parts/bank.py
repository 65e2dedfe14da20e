"""Measures what the bank costs: a UNet call with it against the same export without it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from benchmarks.report import Measured
from benchmarks.serving.bench import Bench
from benchmarks.serving.sides.calls import Arrays, random_call
from benchmarks.serving.sides.plain import export_plain, export_plain_step
from benchmarks.serving.timing import Ratio, ratio, timed
from benchmarks.serving.world import World
from headshots.diffusion.backends import OnnxRuntimeOptions
from headshots.diffusion.backends.cores import Cores, Graph
from headshots.diffusion.backends.providers import session_options_for
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.package_files import CONTEXT, NATIVE_STEP


async def bank(bench: Bench) -> Measured:
    """The worst ratio of medians over the numbers of rows."""
    world, scale = bench.world, bench.scale
    cores = Cores(0)
    # What a package runs at its native size.
    file, export = (
        (NATIVE_STEP, export_plain_step) if world.package.native_graphs else (world.package.unet, export_plain)
    )
    with_bank = _open(cores, world.package.folder / file)
    without = _open(cores, export(world.foundation, world.package, world.plain_folder))
    filled = {"bank": ort.OrtValue.ortvalue_from_numpy(_bank(world))}
    rows, spread = {}, Ratio(0.0, 0.0, 0.0)
    for count in (count for count in scale.bank_rows if count <= world.package.max_rows):
        plain, banked = _inputs(world.package, count, filled)
        taken: dict[str, list[float]] = {"banked_ms": [], "without_bank_ms": []}
        sides = (partial(with_bank.run, banked, filled), partial(without.run, plain))
        for turn in range(scale.bank_calls + 1):
            for name, call in zip(taken, sides, strict=True):
                seconds = timed(call)
                if turn:  # the first call of each also plans its memory
                    taken[name].append(seconds * 1000)
        found = ratio(taken["banked_ms"], taken["without_bank_ms"])
        rows[str(count)] = {name: statistics.median(each) for name, each in taken.items()} | {"ratio": found.middle}
        spread = max(spread, found, key=lambda each: each.middle)
    return Measured({"bank_cost": spread.middle}, {"bank": rows, "spread": {"bank_cost": spread.spread}})


def _inputs(package: EnginePackage, rows: int, bank: Mapping[str, ort.OrtValue]) -> tuple[Arrays, Arrays]:
    """Of a call without the bank, and with it."""
    plain = random_call(package, rows)
    adapters: Arrays = {"slot": np.arange(rows, dtype=np.int64) % package.slots, "strength": np.ones(rows, np.float32)}
    if package.native_graphs:
        session = ort.InferenceSession(
            str(package.folder / CONTEXT), session_options_for(OnnxRuntimeOptions(threads=1))
        )
        projected = Graph(session).run({"context": plain.pop("context"), **adapters}, bank)
        plain |= {f"projected_{number}": array for number, array in enumerate(projected)}
    return plain, {**plain, **adapters}


def _bank(world: World) -> np.ndarray[Any, Any]:
    """A bank with an adapter in every slot but the first."""
    package = world.package
    filled = np.zeros((package.slots, package.layout.row_size), np.float32)
    rows = [load_row(subject.data, package.layout, package.foundation_digest) for subject in world.subjects]
    for slot in range(1, package.slots):
        filled[slot] = rows[slot % len(rows)]
    return filled


def _open(cores: Cores, path: Path) -> Graph:
    """As the backend opens it: rows spread over the cores, a single one shared by all."""

    def opened(options: OnnxRuntimeOptions) -> ort.InferenceSession:
        return ort.InferenceSession(str(path), session_options_for(options))

    return cores.open(opened, OnnxRuntimeOptions(), least_rows=1)
