"""Builds engines in a process of its own, which may take gigabytes: jobs as JSON on its input, a line a job out.

``python -m headshots.diffusion.tensorrt.rtx``; :mod:`headshots.diffusion.tensorrt.rtx.building` starts it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from headshots.diffusion.child_errors import error_line
from headshots.diffusion.tensorrt.profiles import Shapes
from headshots.diffusion.tensorrt.rtx.builder import Job, build
from headshots.diffusion.tensorrt.rtx.building import peak_bytes
from headshots.errors import HeadshotsError


def main() -> int:
    """Entry of the child process: ``built<TAB>{file, layers, seconds, peak_bytes}``, or the error, and the next job."""
    try:
        for value in json.load(sys.stdin):
            begin = time.perf_counter()
            layers = build(_job(value))
            told = {
                "file": Path(value["engine"]).name,
                "layers": layers,
                "seconds": time.perf_counter() - begin,
                # Not `ru_maxrss`, which begins with the peak of whoever started this process.
                "peak_bytes": peak_bytes(os.getpid()),
            }
            print(f"built\t{json.dumps(told)}", flush=True)
    except HeadshotsError as error:
        print(error_line(error), flush=True)
        return 1
    return 0


def _job(value: dict[str, Any]) -> Job:
    shapes = {
        name: Shapes(*(tuple(each[which]) for which in ("low", "usual", "high")))
        for name, each in value["shapes"].items()
    }
    return Job(Path(value["graph"]), Path(value["engine"]), tuple(value["targets"]), shapes)


if __name__ == "__main__":
    sys.exit(main())
