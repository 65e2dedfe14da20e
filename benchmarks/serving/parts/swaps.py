"""Measures whether a server that has swapped adapters for long has grown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.serving.scale import Scale
from benchmarks.serving.sides.ours import OurService
from benchmarks.serving.world import Wanted


async def swap(service: OurService, wanted: Sequence[Wanted], first: int, last: int, width: int) -> None:
    """Requests number ``first`` to ``last`` - 1 of an endless round over ``wanted``, ``width`` in flight.

    With more adapters than slots, least recently used goes first, and each request finds its adapter gone.
    """
    places = iter(range(first, last))

    async def worker() -> None:
        for place in places:
            await service.touch(wanted[place % len(wanted)])

    await asyncio.gather(*(worker() for _ in range(width)))


async def resident_after(service: OurService, wanted: Sequence[Wanted], scale: Scale) -> tuple[int, int]:
    """Bytes of resident memory after ``scale.swaps_before`` swaps and after ``scale.swaps``."""
    await swap(service, wanted, 0, scale.swaps_before, scale.swap_width)
    before = service.resident_bytes
    await swap(service, wanted, scale.swaps_before, scale.swaps, scale.swap_width)
    return before, service.resident_bytes
