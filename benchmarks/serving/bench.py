"""Opens two sides beside each other: the shape of each that suits it best, and images that are the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.serving import content
from benchmarks.serving.scale import Scale
from benchmarks.serving.shapes import best_first, shapes, usable
from benchmarks.serving.sides.plain import export_plain
from benchmarks.serving.sides.processes import Pool, running
from benchmarks.serving.sides.side import Shape
from benchmarks.serving.timing import milliseconds, seconds_of
from benchmarks.serving.world import World

OURS = "ours"


@dataclass
class Bench:
    """What all parts share.

    Attributes:
        world: what is served.
        scale: how much is measured.
        folder: for what sides write.
        tried: of each side and number of requests, seconds of bursts in each shape, the best first.
        details: for the report, whatever part they come from.
    """

    world: World
    scale: Scale
    folder: Path
    tried: dict[tuple[str, int], dict[Shape, list[float]]] = field(default_factory=dict)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    _ours: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)

    @asynccontextmanager
    async def beside(self, peer: str, people: int, images: int) -> AsyncIterator[tuple[Pool, Pool]]:
        """Our side and ``peer``, started, each in its best shape for so many images of so many people at once.

        Raises:
            ContentError: they do not paint the same; nothing was timed.
        """
        if peer == "merged":
            export_plain(self.world.foundation, self.world.package, self.world.plain_folder)
        ours, *_ = await self.in_every_shape(OURS, people, images)
        theirs, *_ = await self.in_every_shape(peer, people, images)
        async with self.running(OURS, ours) as one, self.running(peer, theirs) as other:
            yield one, other

    async def in_every_shape(self, side: str, people: int, images: int) -> dict[Shape, list[float]]:
        """Seconds of bursts in each shape, the best first; found once for so many requests.

        Raises:
            ContentError: in one of them it does not paint what ours does; that is looked at before it is timed.
        """
        key = side, images
        if key in self.tried:
            return self.tried[key]
        wanted = self.world.requests(people, images)
        tried = shapes(usable())
        ours = await self.keep_ours(people, images)

        async def timed(shape: Shape) -> list[float]:
            async with self.running(side, shape) as pool:
                psnr = content.check_same(side, ours, await pool.paint_all(wanted))
                worst = self.details.setdefault("content", {}).setdefault("worst_psnr_db_against_ours", {})
                worst[side] = min(worst.get(side, psnr), psnr)
                turns = range(1, self.scale.tries + 1)
                bursts = [self.world.requests(people, images, turn) for turn in turns]
                return [await seconds_of(pool.paint_all(burst)) for burst in bursts]

        found = self.tried[key] = await best_first(tried, timed)
        name = f"{side}, {images} at once"
        self.note("shapes", {name: str(next(iter(found)))})
        self.note("shapes_tried_ms", {name: {str(shape): milliseconds(each) for shape, each in found.items()}})
        return found

    async def keep_ours(self, people: int, images: int) -> list[bytes]:
        """Our images of so many people, which all others are held against; painted once.

        Raises:
            ContentError: another adapter changes too little for the comparison to mean anything.
        """
        if (people, images) not in self._ours:
            wanted = self.world.requests(people, images)
            async with self.running(OURS, shapes(usable())[0]) as pool:
                painted = self._ours[people, images] = await pool.paint_all(wanted)
                others = [one for one in self.world.subjects if one is not wanted[0].subject]
                another = await pool.paint(replace(wanted[0], subject=others[0]))
            shows = content.check_adapters_show(painted[0], another)
            self.note("content", {"psnr_db_of_one_request_with_two_adapters": round(shows, 1)})
        return self._ours[people, images]

    def running(self, side: str, shape: Shape) -> AbstractAsyncContextManager[Pool]:
        """A side in a shape, ended at the end."""
        return running(side, self.world, shape, self.folder)

    def note(self, key: str, more: dict[str, Any]) -> None:
        """Add to ``details``."""
        self.details.setdefault(key, {}).update(more)
