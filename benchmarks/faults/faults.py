"""Hurts all three services a hundred times while trainings and galleries run, and counts what is lost or doubled."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.faults.injuries import LEASE_SECONDS, draw, inflict, revive
from benchmarks.faults.report import Say, Scale
from benchmarks.faults.world import client_of, small_platform
from benchmarks.report import Measured
from headshots.client import AsyncHeadshots, Gallery, JobState, Subject, Training, TrainingOptions
from headshots.errors import HeadshotsError
from tests.support.consents import CONSENT
from tests.support.live_platform import LivePlatform, selfies

R = TypeVar("R")
FileOf = Callable[[str], Path]
"""The file of an object by its key."""

TENANT = "acme"
_SUBJECTS = 2
_RECIPE = TrainingOptions(steps=40, rank=4, batch_rows=2)
_STYLES = ("studio-navy-suit", "park-denim-jacket")
_SHOTS_PER_STYLE = 12
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 300.0
"""For what is still open after a round's last fault; what has not ended by then is lost."""
_ENVIRONMENT = {
    "HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS": str(LEASE_SECONDS),
    "HEADSHOTS_TRAINER_LEASE_SECONDS": str(LEASE_SECONDS),
    "HEADSHOTS_TRAINER_WORKERS": str(_SUBJECTS),
    "HEADSHOTS_TRAINER_THREADS": "1",
}


@dataclass
class Orders:
    """What was ordered and accepted, and what the callers met on the way."""

    trainings: list[str] = field(default_factory=list)
    galleries: dict[str, int] = field(default_factory=dict)
    """Shots by the gallery's name."""
    errors: Counter[str] = field(default_factory=Counter)
    """Reasons of calls that failed and were sent again."""


@dataclass
class Losses:
    """What is not as it was ordered; `notes` says what and why."""

    shots: int = 0
    doubled: int = 0
    trainings: int = 0
    attempts: Counter[int] = field(default_factory=Counter)
    """Trainings by the runs that each took."""
    notes: list[str] = field(default_factory=list)


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Rounds of ten faults; at the end of each everything that was ordered is let finish."""
    orders, faults, restarts = Orders(), Counter[str](), Counter[str]()
    chance, seconds = random.Random(seed), []
    with small_platform(folder, _ENVIRONMENT) as platform:
        async with client_of(platform, TENANT) as client:
            subjects = [await _trained(client, person) for person in range(_SUBJECTS)]
            for number in range(scale.rounds):
                begin = time.monotonic()
                await _round(platform, client, subjects, chance, orders, faults, restarts)
                seconds.append(round(time.monotonic() - begin, 1))
                say(f"round {number + 1}: {sum(faults.values())} faults, {len(orders.galleries)} galleries so far")
            losses = await count(platform.object, client, subjects, orders)
    details = {
        "kinds": dict(faults),
        "started_again": dict(restarts),
        "trainings": len(orders.trainings),
        "trainings_by_runs": dict(sorted(losses.attempts.items())),
        "galleries": len(orders.galleries),
        "shots": sum(orders.galleries.values()),
        "errors_met": dict(orders.errors),
        "round_seconds": seconds,
        "losses": losses.notes,
    }
    figures: dict[str, float] = {
        "faults": sum(faults.values()),
        "faults_lost_shots": losses.shots,
        "faults_doubled_images": losses.doubled,
        "faults_lost_trainings": losses.trainings,
    }
    return Measured(figures, {"faults": details})


async def _round(
    platform: LivePlatform,
    client: AsyncHeadshots,
    subjects: list[Subject],
    chance: random.Random,
    orders: Orders,
    faults: Counter[str],
    restarts: Counter[str],
) -> None:
    hurting = asyncio.Event()
    work = [
        asyncio.create_task(order(client, subject, orders, hurting))
        for subject in subjects
        for order in (_order_trainings, _order_galleries)
    ]
    for fault in draw(chance):
        await asyncio.sleep(fault.pause_seconds)
        await inflict(platform, fault)
        faults[f"{fault.kind} {fault.service}"] += 1
        restarts.update(revive(platform, {fault.service} if fault.kind == "kill" else set()))
    hurting.set()
    _, late = await asyncio.wait(work, timeout=_PATIENCE_SECONDS)
    for task in late:
        task.cancel()
    restarts.update(revive(platform, set()))
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _order_trainings(client: AsyncHeadshots, subject: Subject, orders: Orders, over: asyncio.Event) -> None:
    """One after another until `over`; the last is waited for."""
    while not over.is_set():
        request = f"training-{len(orders.trainings)}"
        made = await _insist(orders, partial(client.create_training, subject, _RECIPE, request_id=request))
        orders.trainings.append(made.name)
        await _ended(orders, partial(client.get_training, made.name))


async def _order_galleries(client: AsyncHeadshots, subject: Subject, orders: Orders, over: asyncio.Event) -> None:
    """One after another until `over`; the last is waited for."""
    while not over.is_set():
        number = len(orders.galleries)
        create = partial(client.create_gallery, subject, _STYLES, shots_per_style=_SHOTS_PER_STYLE)
        made = await _insist(orders, partial(create, seed=1000 * number, request_id=f"gallery-{number}"))
        orders.galleries[made.name] = made.total_shots
        await _ended(orders, partial(client.get_gallery, made.name))


async def _insist(orders: Orders, call: Callable[[], Awaitable[R]]) -> R:
    """The answer, however often it has to be asked for; what does not come back as asked is noted."""
    while True:
        try:
            return await call()
        except HeadshotsError as error:
            orders.errors[error.reason] += 1
            await asyncio.sleep(_POLL_SECONDS)


async def _ended(orders: Orders, get: Callable[[], Awaitable[Training | Gallery]]) -> None:
    """Asked again and again, as a caller who keeps no stream; the end-to-end tests watch."""
    while True:
        job = await _insist(orders, get)
        if job.state.terminal:
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _trained(client: AsyncHeadshots, person: int) -> Subject:
    subject = await client.create_subject(f"Person {person}", consent=CONSENT)
    await client.upload_photos(subject, selfies(person))
    await client.train(subject, _RECIPE)
    return subject


async def count(file_of: FileOf, client: AsyncHeadshots, subjects: list[Subject], orders: Orders) -> Losses:
    """Holds all that the subjects have against what was ordered."""
    losses, seen = Losses(), set()
    for subject in subjects:
        async for training in client.list_trainings(subject):
            seen.add(training.name)
            losses.attempts[training.attempt] += 1
            if training.state is not JobState.SUCCEEDED:
                losses.trainings += 1
                losses.notes.append(f"{training.name} is {training.state}: {training.failure}")
        images: dict[str, str] = {}
        async for listed in client.list_galleries(subject):
            gallery = await client.get_gallery(listed)
            seen.add(gallery.name)
            _count_gallery(file_of, subject, gallery, losses)
            images |= {image.name: image.sha256 for image in gallery.images}
        _count_files(_images_of(file_of, subject), set(images.values()), losses)
    missing = [name for name in (*orders.trainings, *orders.galleries) if name not in seen]
    losses.trainings += sum(name in orders.trainings for name in missing)
    losses.shots += sum(orders.galleries.get(name, 0) for name in missing)
    losses.notes += [f"{name} was accepted and is gone" for name in missing]
    return losses


def _count_gallery(file_of: FileOf, subject: Subject, gallery: Gallery, losses: Losses) -> None:
    names = [image.name for image in gallery.images]
    stored = {_digest(path) for path in _images_of(file_of, subject).glob("*")}
    whole = {image.name for image in gallery.images if image.sha256 in stored}
    lost, doubled = gallery.total_shots - len(whole), len(names) - len(set(names))
    losses.shots += lost
    losses.doubled += doubled
    if lost or doubled or gallery.state is not JobState.SUCCEEDED:
        losses.notes.append(f"{gallery.name} is {gallery.state}, {lost} lost, {doubled} doubled: {gallery.failure}")


def _count_files(folder: Path, recorded: set[str], losses: Losses) -> None:
    """A file that no shot names is a second image of one; what a death left half written is none, and is noted."""
    for path in sorted(folder.glob("*")):
        is_recorded = _digest(path) in recorded
        if not is_recorded and "#" not in path.name:
            losses.doubled += 1
        if not is_recorded or "#" in path.name:
            losses.notes.append(f"{path.name} belongs to no shot")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _images_of(file_of: FileOf, subject: Subject) -> Path:
    return file_of(f"tenants/{TENANT}/{subject.name}/images")
