"""Runs a benchmark part by part: its arguments, what each part found and took, and the report of all."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Measured, Target, report, show, write

OUT = Path("out/bench")


def parser(name: str, doc: str | None, parts: Iterable[str], *, seed: str = "") -> argparse.ArgumentParser:
    """The arguments of `benchmarks.{name}`, with ``--seed`` where `seed` says of what."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=(doc or "").partition("\n")[0])
    made.add_argument("--out", type=Path, default=OUT, help=f"folder of {name}.json")
    made.add_argument("--quick", action="store_true", help="a pass that shows that it works; its figures mean little")
    made.add_argument("--only", choices=parts, action="append", help="measure this part; may be given again")
    if seed:
        made.add_argument("--seed", type=int, default=0, help=seed)
    return made


class Run:
    """One run: adds up what its parts find."""

    def __init__(self, **details: Any) -> None:
        """`details` of the run, as its scale and seed; ``quick`` among them."""
        self.figures: dict[str, float] = {}
        self.details: dict[str, Any] = {**details, "seconds": {}, "load_average": {"before": os.getloadavg()}}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[Callable[[Measured], None]]:
        """Times the block, which calls what it is given with what the part found."""
        found: list[Measured] = []
        begin = time.monotonic()
        yield found.append
        self.details["seconds"][name] = round(time.monotonic() - begin, 1)
        for each in found:
            self.figures |= each.figures
            self.details |= each.details

    def end(self, title: str, targets: Mapping[str, Target], libraries: Sequence[str], file: Path) -> int:
        """Writes and shows the report; 1 when a figure misses its target in a full run."""
        quick = self.details["quick"]
        self.details["load_average"]["after"] = os.getloadavg()
        result = report(targets, self.figures, libraries, self.details)
        write(result, file)
        show(title + (" (a quick pass)" if quick else ""), targets, result)
        return int(not quick and False in result["met"].values())
