"""Replaces every process of a platform twice while clients order galleries, and counts what was lost or done twice."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.gateway.report import Scale
from benchmarks.gateway.stubs import PAINTED
from benchmarks.gateway.world import LoadWorld, on_each_database, worst
from benchmarks.report import Measured
from headshots.client import GalleryRef, JobState, PaintedImage
from headshots.database import open_database, read
from headshots.errors import HeadshotsError
from headshots.schema import shots

_CLIENTS = 4
_SHOTS = 10
"""Of a gallery."""
_REPLICAS = 2
_SHOT_SECONDS = 0.5
_SETTINGS = {
    "HEADSHOTS_GATEWAY_SHOTS_IN_FLIGHT": "2",
    # Where a lease is lost after all, the shot is painted again within the run.
    "HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS": "5",
}
_STYLE = "studio-navy-suit"


@dataclass
class _Orders:
    """What the clients asked for, and what went wrong."""

    galleries: dict[str, int] = field(default_factory=dict)
    """Their names, and the first seed of each."""
    failures: list[str] = field(default_factory=list)
    """Calls that raised, also after the SDK's own retries."""
    unwatched: int = 0
    """Images that a watch ended without."""
    calls: int = 0


def run_rolling(scale: Scale) -> Measured:
    """Two gateways, generators and trainers are ended by SIGTERM and started again, one after another, twice.

    Meanwhile clients of the SDK order galleries of ten, watch each to its end, and order the next one, until all is
    replaced. Counted are shots without their one image, shots that were painted more than once, images that a watch
    did not tell of, and calls that failed.
    """
    details: dict[str, Any] = {}

    async def measure(url: str, folder: Path) -> dict[str, float]:
        settings = _SETTINGS | {"HEADSHOTS_GATEWAY_DRAIN_SECONDS": "5"}
        world = LoadWorld(folder, url, shot_seconds=_SHOT_SECONDS, replicas=_REPLICAS, settings=settings)
        orders = _Orders()
        async with world.open():
            key = world.key("acme")
            async with world.caller("acme") as caller:
                subject = await caller.trained_subject()
            codes = await _roll(world, subject, key, orders, scale)
        found = {**_count(url, folder / PAINTED, orders), "failed_calls": len(orders.failures)}
        found["unwatched"] = orders.unwatched
        details.setdefault("rolling_failures", []).extend(orders.failures[:10])
        assert not any(codes), f"processes ended with {codes}"
        wrong = sum(found.values())
        return {**found, "wrong": wrong, "shots": len(orders.galleries) * _SHOTS, "calls": orders.calls}

    found = on_each_database(measure, scale.databases)
    details["rolling"] = found
    return Measured({"rolling_update_lost_or_doubled": worst(found, "wrong")}, details)


async def _roll(world: LoadWorld, subject: str, key: str, orders: _Orders, scale: Scale) -> list[int]:
    """The exit codes of what was replaced, once all is and as many shots as asked are painted."""
    is_over = asyncio.Event()
    seeds = itertools.count(0, _SHOTS)

    async def order() -> None:
        while not is_over.is_set() or len(orders.galleries) * _SHOTS < scale.rolling_shots:
            await _one_gallery(world, subject, key, orders, next(seeds))

    clients = [asyncio.create_task(order()) for _ in range(_CLIENTS)]
    probing = asyncio.create_task(_ask_anew(world, subject, key, orders, is_over))
    codes = [await world.replace(name) for _ in range(scale.rounds) for name in world.names]
    is_over.set()
    await asyncio.gather(*clients, probing)
    return codes


async def _one_gallery(world: LoadWorld, subject: str, key: str, orders: _Orders, seed: int) -> None:
    """Orders a gallery and watches it to its end, as a program with a client of its own does."""
    async with world.client(key) as client:
        try:
            orders.calls += 2
            made = await client.create_gallery(subject, [_STYLE], shots_per_style=_SHOTS, seed=seed)
            orders.galleries[made.name] = seed
            told = [event async for event in client.watch_gallery(made) if isinstance(event, PaintedImage)]
            orders.unwatched += _SHOTS - len(told)
            await _check_ended(client, made, orders)
        except HeadshotsError as error:
            orders.failures.append(f"{type(error).__name__}: {error}")


async def _check_ended(client: Any, gallery: GalleryRef, orders: _Orders) -> None:
    orders.calls += 1
    if (found := await client.get_gallery(gallery)).state is not JobState.SUCCEEDED:
        orders.failures.append(f"{found.name} ended as {found.state}: {found.failure}")


async def _ask_anew(world: LoadWorld, subject: str, key: str, orders: _Orders, is_over: asyncio.Event) -> None:
    """Asks again and again, each time with a client that has just begun."""
    while not is_over.is_set():
        async with world.client(key) as client:
            try:
                orders.calls += 1
                await client.get_subject(subject)
            except HeadshotsError as error:
                orders.failures.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(0.05)


def _count(url: str, painted: Path, orders: _Orders) -> dict[str, float]:
    """Shots of the database without an image or with several tries, and what generators painted not once."""
    engine = open_database(url)
    with read(engine) as connection:
        rows = connection.execute(sa.select(shots.c.seed, shots.c.image_key, shots.c.tries)).all()
    engine.dispose()
    times = Counter(int(line.rsplit("|", 2)[1]) for line in painted.read_text("utf-8").splitlines())
    ordered = {first + number for first in orders.galleries.values() for number in range(_SHOTS)}
    recorded = Counter(row.seed for row in rows if row.image_key is not None and row.tries == 1)
    return {
        "lost": sum(recorded[seed] == 0 for seed in ordered),
        "recorded_twice": sum(max(0, recorded[seed] - 1) for seed in ordered) + len(set(recorded) - ordered),
        "painted_twice": sum(max(0, times[seed] - 1) for seed in ordered),
    }
