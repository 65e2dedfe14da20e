"""Measures serving: ``python -m benchmarks.serving`` (``make bench-serving``).

Prints a table, writes ``out/bench/serving.json``.

Everything in one run, with the same weights, adapters, steps, guidance, noise and image files out; the images of all
sides are compared before anything is timed. Every side runs in processes of its own, in the number and with the
threads that suit it best. Run it on a machine that does nothing else, with 16 GB of memory and 12 GB of disk: half
an hour on two cores. Finished parts are kept in ``out/bench/serving-journal.jsonl``: a run that was cut short goes on
when started again from the same revision; ``--anew`` measures all again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diffusers.utils import logging

from benchmarks.report import Measured, revision
from benchmarks.running import Run, parser
from benchmarks.serving.bench import Bench
from benchmarks.serving.content import ContentError
from benchmarks.serving.journal import Journal, joined
from benchmarks.serving.parts import bank, cold, large, latency, service, throughput
from benchmarks.serving.report import LIBRARIES, TARGETS
from benchmarks.serving.scale import FULL, QUICK
from benchmarks.serving.world import make_world
from headshots.diffusion.export.ensure import ensure_package_in_child
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.package import EnginePackage
from headshots.settings import default_foundation

Part = Callable[[Bench], Coroutine[Any, Any, Measured]]
PARTS: Mapping[str, Part] = {
    "preloaded": throughput.preloaded,
    "reload": throughput.reload,
    "grouped": throughput.grouped,
    "mixed": throughput.mixed,
    "merged": throughput.merged,
    "merged_grouped": throughput.merged_grouped,
    "alone": latency.alone,
    "load": latency.at_own_load,
    "cold": cold.cold,
    "resident": cold.resident,
    "bank": bank.bank,
    "grpc": service.grpc,
    "swaps": service.swaps,
    "sd15": large.sd15,
}


def main() -> int:
    """Measures, writes, shows; 1 when a side paints something else or, in a full run, a figure misses its target."""
    given = _arguments()
    # diffusers warns at every load that an adapter of the UNet alone has nothing for the text encoder.
    logging.set_verbosity_error()
    foundation, scale = Foundation.read(given.foundation), QUICK if given.quick else FULL
    package = EnginePackage.read(ensure_package_in_child(given.foundation, given.out / "engines"))
    journal = Journal(given.out / "serving-journal.jsonl", revision=revision(), scale=asdict(scale), key=package.key)
    with tempfile.TemporaryDirectory(prefix="headshots-bench-") as folder:
        bench = Bench(make_world(foundation, package, Path(folder), scale), scale, Path(folder))
        steps, guidance = bench.world.steps, bench.world.guidance
        run = Run(
            foundation={
                "name": foundation.name,
                "digest": package.foundation_digest,
                "max_rank": package.layout.max_rank,
            },
            settings={**asdict(scale), "steps": steps, "guidance_scale": guidance, "max_rows": package.max_rows},
            quick=given.quick,
        )
        try:
            asyncio.run(_measure([part for part in PARTS if part in (given.only or PARTS)], bench, run, journal, given))
        except ContentError as error:
            print(f"nothing is timed: {error}", file=sys.stderr)
            return 1
    title = f"serving {foundation.name}: ours against stock diffusers with PEFT, and against ONNX Runtime"
    return run.end(title, TARGETS, LIBRARIES, given.out / "serving.json")


async def _measure(parts: list[str], bench: Bench, run: Run, journal: Journal, given: argparse.Namespace) -> None:
    # What is not committed has no revision of its own.
    kept = not given.anew and not (revision() or "-dirty").endswith("-dirty")
    for name in parts:
        with run.part(name) as add:
            measured = journal.get(name) if kept else None
            print(f"{name}: {'found before' if measured else 'begins'}, load {os.getloadavg()[0]:.1f}", flush=True)
            if measured is None:
                measured = await PARTS[name](bench)
                journal.add(name, measured)
            known = {key: run.details[key] for key in measured.details if key in run.details}
            add(Measured(measured.figures, joined(known, measured.details)))


def _arguments() -> argparse.Namespace:
    made = parser("serving", __doc__, PARTS)
    made.add_argument("--foundation", type=Path, default=default_foundation())
    made.add_argument("--anew", action="store_true", help="measure again what an earlier run of this revision found")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
