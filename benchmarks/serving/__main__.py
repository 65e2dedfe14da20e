"""Measures serving: ``python -m benchmarks.serving`` (``make bench-serving``).

Prints a table, writes ``out/bench/serving.json``.

Everything in one run, with the same weights, adapters, steps, guidance, noise and image files out; the images of all
sides are compared before anything is timed. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from diffusers.utils import logging

from benchmarks.report import write
from benchmarks.serving.content import ContentError
from benchmarks.serving.report import report, show
from benchmarks.serving.run import Bench
from benchmarks.serving.scale import FULL, PARTS, QUICK
from benchmarks.serving.world import make_world
from headshots.diffusion.export.ensure import ensure_package_in_child
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.package import EnginePackage
from headshots.settings import default_foundation

OUT = Path("out/bench")


def main() -> int:
    """Measure, write, show; 1 when the sides do not paint the same."""
    given = _arguments()
    # diffusers warns at every load that an adapter of the UNet alone has nothing for the text encoder.
    logging.set_verbosity_error()
    foundation, scale = Foundation.read(given.foundation), QUICK if given.quick else FULL
    package = EnginePackage.read(ensure_package_in_child(given.foundation, given.out / "engines"))
    load_before = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="headshots-bench-") as folder:
        world = make_world(foundation, package, Path(folder) / "adapters", scale)
        bench = Bench(world, scale, Path(folder))
        try:
            asyncio.run(bench.run(given.only or PARTS))
        except ContentError as error:
            print(f"nothing is timed: {error}", file=sys.stderr)
            return 1
    served = {"name": foundation.name, "digest": package.foundation_digest, "max_rank": package.layout.max_rank}
    settings = {**asdict(scale), "steps": world.steps, "guidance_scale": world.guidance, "max_rows": package.max_rows}
    # What else ran can be told from the load before: figures of a busy machine are not ours alone.
    load = {"before": load_before, "after": os.getloadavg()}
    details = {"foundation": served, "settings": settings, "quick": given.quick, "load_average": load, **bench.details}
    result = report(bench.figures, details)
    write(result, given.out / "serving.json")
    show(result)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--foundation", type=Path, default=default_foundation())
    parser.add_argument("--out", type=Path, default=OUT, help="folder of serving.json and of the engine package")
    parser.add_argument("--quick", action="store_true", help="a pass that shows that it works; its figures mean little")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
