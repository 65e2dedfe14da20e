"""Runs the measurements in order: same images first, then the clock."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.serving import bank, clock, content, hotload, swaps, threads
from benchmarks.serving.arrivals import ours_latencies, p95, peer_latencies, poisson
from benchmarks.serving.ours import OurEngine, running_engine, running_service
from benchmarks.serving.peers import Grouped, Peer, Preloaded, Reload
from benchmarks.serving.scale import Scale
from benchmarks.serving.world import Wanted, World, make_subjects


class Bench:
    """One run. ``figures`` and ``details`` fill up as parts are measured."""

    def __init__(self, world: World, scale: Scale, folder: Path) -> None:
        self.world = world
        self.scale = scale
        self.folder = folder
        self.figures: dict[str, float] = {}
        self.details: dict[str, Any] = {}
        self._peers: tuple[Peer, ...] = ()
        self._threads = 1
        self._capacity: float | None = None
        """Our images a second, once measured."""

    async def run(self, parts: Collection[str]) -> None:
        """Measure ``parts``.

        Raises:
            ContentError: the sides do not paint the same images; nothing was timed.
        """
        world, scale = self.world, self.scale
        preloaded, reload, grouped = self._peers = (Preloaded(world), Reload(world), Grouped(world))
        await self._prepare(preloaded, grouped)
        async with running_engine(world, self.folder / "ours", self._threads) as engine:
            # Also fills the caches that stay warm from one request to the next.
            await engine.paint_all(world.wanted)
            if "throughput" in parts:
                await self._throughput(engine)
            if "latency" in parts:
                await self._latency(engine, preloaded)
            if "poisson" in parts:
                await self._poisson(engine, preloaded)
            if "hotload" in parts:
                self._hotload(reload)
            if "grpc" in parts or "swaps" in parts:
                await self._service(engine, parts)
        if "bank" in parts:
            cost = bank.bank_cost(world, self.folder, scale.bank_rows, scale.bank_calls, self._threads)
            self.figures["bank_cost"] = cost["worst"]
            self.details["bank"] = cost["rows"]

    async def _prepare(self, preloaded: Preloaded, grouped: Grouped) -> None:
        """Compare the images of all sides; then find each side's number of threads: ours by the whole burst, the
        peers' by one subject's requests."""
        wanted, tries = self.world.wanted, self.scale.thread_tries
        async with AsyncExitStack() as stack:
            engines = {}
            for count in threads.candidates():
                home = self.folder / f"ours-{count}"
                engines[count] = await stack.enter_async_context(running_engine(self.world, home, count))
            await self._same_images(engines[1])
            self._threads, ours = await threads.fastest(lambda count: engines[count].paint_all(wanted), tries)
        tried = {"ours": ours}
        for peer in (preloaded, grouped):
            peer.threads, tried[peer.name] = await threads.fastest(partial(_one_subject, peer, wanted), tries)
        self._peers[1].threads = preloaded.threads
        self.details["threads"] = {"ours": self._threads, **{peer.name: peer.threads for peer in self._peers}}
        self.details["threads_tried_ms"] = {
            side: {str(count): round(seconds * 1000, 1) for count, seconds in found.items()}
            for side, found in tried.items()
        }

    async def _same_images(self, engine: OurEngine) -> None:
        wanted = self.world.wanted
        ours = await engine.paint_all(wanted)
        other = next(one.subject for one in wanted if one.subject is not wanted[0].subject)
        shows = content.check_adapters_show(ours[0], await engine.paint(replace(wanted[0], subject=other)))
        worst = content.check_same(ours, {peer.name: peer.paint_all(wanted) for peer in self._peers})
        self.details["content"] = {
            "worst_psnr_db_against_ours": {name: round(found, 1) for name, found in worst.items()},
            "psnr_db_of_one_request_with_two_adapters": round(shows, 1),
        }

    async def _throughput(self, engine: OurEngine) -> None:
        wanted = self.world.wanted
        calls: dict[str, clock.Call] = {"ours": lambda: engine.paint_all(wanted)}
        calls |= {peer.name: _blocking(peer.paint_all, wanted) for peer in self._peers}
        taken = await clock.in_turns(calls, self.scale.rounds)
        medians = clock.medians(taken)
        self._capacity = len(wanted) / medians["ours"]
        for peer in self._peers:
            self.figures[f"throughput_vs_{peer.name}"] = medians[peer.name] / medians["ours"]
        self.details["burst_ms"] = {name: clock.milliseconds(seconds) for name, seconds in taken.items()}
        self.details["images_per_second"] = {name: round(len(wanted) / s, 3) for name, s in medians.items()}

    async def _latency(self, engine: OurEngine, preloaded: Peer) -> None:
        taken: dict[str, list[float]] = {"ours": [], preloaded.name: []}
        for number in range(self.scale.alone):
            one = self.world.wanted[number % len(self.world.wanted)]
            calls: dict[str, clock.Call] = {
                "ours": partial(engine.paint, one),
                preloaded.name: _blocking(preloaded.paint, one),
            }
            for name, seconds in (await clock.in_turns(calls, 1)).items():
                taken[name] += seconds
        means = {name: statistics.fmean(seconds) for name, seconds in taken.items()}
        self.figures["latency_alone_vs_preloaded"] = means["ours"] / means[preloaded.name]
        self.details["latency_alone_ms"] = {name: clock.milliseconds(seconds) for name, seconds in taken.items()}

    async def _poisson(self, engine: OurEngine, preloaded: Peer) -> None:
        wanted = self.world.wanted
        if self._capacity is None:
            taken = await clock.in_turns({"ours": lambda: engine.paint_all(wanted)}, self.scale.rounds)
            self._capacity = len(wanted) / clock.medians(taken)["ours"]
        rate = self.scale.load * self._capacity
        times = poisson(self.scale.arrivals, rate)
        ours = await ours_latencies(engine, wanted, times)
        theirs = peer_latencies(preloaded, wanted, times)
        self.figures["p95_poisson_vs_preloaded"] = p95(ours) / p95(theirs)
        self.details["poisson"] = {
            "arrivals_per_second": round(rate, 3),
            "arrivals": len(times),
            "p95_ms": {"ours": round(p95(ours) * 1000, 1), preloaded.name: round(p95(theirs) * 1000, 1)},
            "median_ms": {
                "ours": round(statistics.median(ours) * 1000, 1),
                preloaded.name: round(statistics.median(theirs) * 1000, 1),
            },
        }

    def _hotload(self, reload: Reload) -> None:
        taken = hotload.load_seconds(self.world, reload, self.scale.hotloads, self._threads)
        medians = clock.medians(taken)
        self.figures["hotload_vs_load_lora"] = medians["ours"] / medians["load_lora_weights"]
        self.details["hotload_ms"] = {name: round(seconds * 1000, 4) for name, seconds in medians.items()}

    async def _service(self, engine: OurEngine, parts: Collection[str]) -> None:
        world, scale = self.world, self.scale
        folder = self.folder / "adapters"
        more = make_subjects(scale.swapped_adapters, world.package, folder, first=len(world.subjects))
        # Few packed rows fit, so that a swap goes all the way from the file on disk.
        host_rows = max(2, scale.swapped_adapters // 4)
        home = self.folder / "service"
        async with running_service(world, home, self._threads, more=more, host_rows=host_rows) as service:
            if "grpc" in parts:
                await service.paint_all(world.wanted)
                calls: dict[str, clock.Call] = {
                    "engine": lambda: engine.paint_all(world.wanted),
                    "grpc": lambda: service.paint_all(world.wanted),
                }
                medians = clock.medians(taken := await clock.in_turns(calls, scale.rounds))
                self.figures["grpc_vs_engine"] = medians["engine"] / medians["grpc"]
                self.details["grpc_ms"] = {name: clock.milliseconds(seconds) for name, seconds in taken.items()}
            if "swaps" in parts:
                wanted = [replace(world.wanted[0], subject=subject) for subject in more]
                before, after = await swaps.resident_after(service, wanted, scale)
                self.figures["memory_growth_2000_swaps"] = after / before
                self.details["swaps"] = {
                    "adapters": len(more),
                    "resident_mib": {str(scale.swaps_before): before >> 20, str(scale.swaps): after >> 20},
                }


async def _one_subject(peer: Peer, wanted: Sequence[Wanted], count: int) -> None:
    """The first subject's requests by ``peer`` with that many threads."""
    peer.threads = count
    peer.paint_all([one for one in wanted if one.subject is wanted[0].subject])


def _blocking(call: Any, *given: Any) -> clock.Call:
    """A peer's call. Our engine is idle meanwhile, so nothing waits for the event loop that it holds up."""

    async def run() -> None:
        call(*given)
        await asyncio.sleep(0)

    return run
