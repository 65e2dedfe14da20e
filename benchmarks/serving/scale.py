"""Sets how much is measured: the whole benchmark, or a quick pass that shows that it works."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("throughput", "latency", "poisson", "hotload", "bank", "grpc", "swaps")
"""What can be measured on its own, in the order in which it is."""


@dataclass(frozen=True)
class Scale:
    """Sizes of the benchmark.

    Attributes:
        subjects: people with an adapter each.
        requests: images asked for together, over the subjects in turn.
        steps: denoising steps; 0 takes the foundation's.
        thread_tries: times that each number of threads is timed before the fastest is taken.
        rounds: times that each side serves the whole burst, in turns.
        alone: requests for the latency of one alone, each side in turns.
        arrivals: requests of the Poisson process.
        load: its rate as a share of our own capacity.
        hotloads: adapter loads timed.
        bank_rows: rows of the UNet calls that the bank's cost is measured on.
        bank_calls: calls timed of each.
        swaps: adapters brought into slots for the memory figure; ``swaps_before`` of them before the first look.
        swapped_adapters: over how many adapters, in turn.
        swap_width: requests in flight while swapping.
    """

    subjects: int = 8
    requests: int = 16
    steps: int = 0
    thread_tries: int = 3
    rounds: int = 3
    alone: int = 8
    arrivals: int = 40
    load: float = 0.7
    hotloads: int = 10
    bank_rows: tuple[int, ...] = (2, 4, 8, 16)
    bank_calls: int = 30
    swaps: int = 2000
    swaps_before: int = 200
    swapped_adapters: int = 100
    swap_width: int = 8


FULL = Scale()
QUICK = Scale(
    subjects=2,
    requests=4,
    steps=2,
    thread_tries=1,
    rounds=1,
    alone=1,
    arrivals=3,
    hotloads=1,
    bank_rows=(2, 3),
    bank_calls=2,
    swaps=12,
    swaps_before=6,
    swapped_adapters=6,
    swap_width=2,
)
