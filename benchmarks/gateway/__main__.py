"""Measures the gateway: ``python -m benchmarks.gateway`` (``make bench-gateway``).

How it routes requests to generators, by simulation; and what load does to a gateway that runs, whose generators and
trainers answer at set times: on SQLite and on PostgreSQL, of which the worse one counts. Prints a table and writes
``out/bench/gateway.json``, in six minutes. Nothing else should run on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict

from benchmarks.gateway import cold_start, listing, rolling, routing, shots, simulated, unary, watching
from benchmarks.gateway.report import FULL, LIBRARIES, QUICK, TARGETS, Scale
from benchmarks.report import Measured
from benchmarks.running import Run, parser

PARTS: dict[str, Callable[[Scale], Measured]] = {
    "hits": routing.run_hits,
    "scale_up": routing.run_scale_up,
    "decisions": routing.run_decisions,
    "unary": unary.run_unary,
    "overhead": shots.run_overhead,
    "noisy_neighbour": shots.run_noisy_neighbour,
    "watchers": watching.run_watchers,
    "lists": listing.run_lists,
    "rolling": rolling.run_rolling,
    "cold_start": cold_start.run_cold_start,
    "simulated": simulated.run_simulated,
}


def main() -> int:
    """Measures, writes, shows; 1 when a figure misses its target in a full run."""
    given = parser("gateway", __doc__, PARTS).parse_args()
    scale = QUICK if given.quick else FULL
    run = Run(scale=asdict(scale), quick=given.quick)
    for name in given.only or PARTS:
        with run.part(name) as add:
            add(PARTS[name](scale))
    return run.end("the gateway", TARGETS, LIBRARIES, given.out / "gateway.json")


if __name__ == "__main__":
    sys.exit(main())
