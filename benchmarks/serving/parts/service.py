"""Measures the service as a process of its own: what gRPC costs, and whether memory grows over many swaps."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.report import Measured
from benchmarks.serving.bench import Bench
from benchmarks.serving.parts.swaps import resident_after
from benchmarks.serving.shapes import usable
from benchmarks.serving.sides.ours import running_engine, running_service
from benchmarks.serving.sides.side import Side
from benchmarks.serving.timing import milliseconds, ratio, seconds_of
from benchmarks.serving.world import make_subjects


async def grpc(bench: Bench) -> Measured:
    """Bursts through the service against the engine in this process, in turns."""
    world, scale, figure = bench.world, bench.scale, "grpc_vs_engine"
    taken: dict[str, list[float]] = {"engine": [], "grpc": []}
    async with (
        running_engine(world, bench.folder / "engine", usable()) as engine,
        running_service(world, bench.folder / "service", usable()) as service,
    ):
        sides: tuple[Side, ...] = (engine, service)
        for turn in range(scale.rounds + 1):
            wanted = world.requests(*scale.burst, turn=400 + turn)
            for side, each in zip(taken, sides, strict=True):
                seconds = await seconds_of(each.paint(wanted))
                if turn:
                    taken[side].append(seconds)
    found = ratio(taken["engine"], taken["grpc"])
    details = {"grpc_ms": {side: milliseconds(seconds) for side, seconds in taken.items()}}
    return Measured({figure: found.middle}, {**details, "spread": {figure: found.spread}})


async def swaps(bench: Bench) -> Measured:
    """Resident memory after many swaps over that after a quarter of them: until then malloc fills its arenas."""
    world, scale = bench.world, bench.scale
    more = make_subjects(scale.swapped_adapters, world.package, bench.folder / "adapters", first=len(world.subjects))
    # Few packed rows fit, so that a swap goes all the way from the file on disk.
    host_rows = max(2, scale.swapped_adapters // 4)
    home = bench.folder / "swaps"
    async with running_service(world, home, usable(), more=more, host_rows=host_rows) as service:
        [one] = world.requests(1, 1, turn=500)
        before, after = await resident_after(service, [replace(one, subject=subject) for subject in more], scale)
    resident = {str(scale.swaps_before): before >> 20, str(scale.swaps): after >> 20}
    return Measured(
        {"memory_growth_2000_swaps": after / before}, {"swaps": {"adapters": len(more), "resident_mib": resident}}
    )
