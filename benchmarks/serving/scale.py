"""Sets how much is measured: the whole benchmark, or a quick pass that shows that it works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of the benchmark.

    Attributes:
        subjects: people with an adapter each.
        burst: people, and images of them that are asked for together.
        one_each: the same where everybody wants one image.
        grouped: the same where few people want many.
        steps: denoising steps; 0 takes the foundation's.
        tries: times that each shape of a side serves a burst before the fastest is taken.
        rounds: times that each side serves a burst, in turns.
        alone: requests for the latency of one alone, each side in turns.
        arrivals: requests of a Poisson process, and ``arrival_rounds`` of them, with other arrivals each.
        load: its rate as a share of each side's own capacity.
        cold: loads timed, each side in turns.
        resident: subjects that memory is measured with: our side's, the peer's sessions.
        bank_rows: rows of the UNet calls that the bank's cost is measured on.
        bank_calls: calls timed of each.
        large_rows: rows of the large UNet's calls; ``large_calls`` of each in a process, ``large_blocks`` of which each
            side has, in turns.
        large: name of its shape (benchmarks.gpu_shapes).
        swaps: adapters brought into slots for the memory figure; ``swaps_before`` of them before the first look.
        swapped_adapters: over how many adapters, in turn.
        swap_width: requests in flight while swapping.
    """

    subjects: int = 16
    burst: tuple[int, int] = (8, 16)
    one_each: tuple[int, int] = (16, 16)
    grouped: tuple[int, int] = (2, 16)
    steps: int = 0
    tries: int = 2
    rounds: int = 5
    alone: int = 8
    arrivals: int = 60
    arrival_rounds: int = 3
    load: float = 0.7
    cold: int = 10
    resident: tuple[int, int] = (256, 8)
    bank_rows: tuple[int, ...] = (1, 2, 4, 8, 16)
    bank_calls: int = 40
    large: str = "sd15-512"
    large_rows: tuple[int, ...] = (2, 4)
    large_calls: int = 2
    large_blocks: int = 2
    swaps: int = 2000
    swaps_before: int = 500
    swapped_adapters: int = 100
    swap_width: int = 8


FULL = Scale()
QUICK = Scale(
    subjects=3,
    burst=(2, 4),
    one_each=(3, 3),
    grouped=(2, 4),
    steps=2,
    tries=1,
    rounds=1,
    alone=1,
    arrivals=3,
    arrival_rounds=1,
    cold=1,
    resident=(8, 1),
    bank_rows=(1, 2),
    bank_calls=2,
    large="tiny-64",
    large_rows=(2,),
    large_calls=1,
    large_blocks=1,
    swaps=12,
    swaps_before=6,
    swapped_adapters=6,
    swap_width=2,
)
