"""Erases people while services are killed, and searches every file for what is left of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.faults.injuries import revive
from benchmarks.faults.residue import residue
from benchmarks.promises.report import Order
from benchmarks.promises.studio import SWEEP_SECONDS, Person, Studio, open_studio
from benchmarks.report import Measured
from headshots.errors import NotFoundError, UnavailableError
from tests.support.live_platform import SERVICES

Make = Callable[[Studio, Person], Awaitable[None]]
Trigger = Callable[[Studio, Person], Awaitable[None]]

_SETTLE_SECONDS = 3 * SWEEP_SECONDS
"""After an erasure is complete. A generator that nobody could tell reads of it within a sweep."""
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.1
_KILLED = (("gateway",), ("gateway",), ("gateway",), ("generator",), ("trainer",), SERVICES)
_KILL_WITHIN_SECONDS, _AWAY_SECONDS = 0.3, 1.5


@dataclass(frozen=True)
class _Way:
    """How somebody comes to be erased: what is under way then, who asks for it, and how long that may take."""

    make: Make
    trigger: Trigger
    within_seconds: float


@dataclass(frozen=True)
class _Erasure:
    """What became of one."""

    way: str
    killed: tuple[str, ...]
    state_at_kill: str
    complete: bool
    seconds: float
    files: dict[str, int]
    """Whose kinds were known, with how many."""
    found_before: int
    """Bytes of theirs in all files before."""
    residue: dict[str, int]


def run(order: Order) -> Measured:
    """One erasure after the other, each with a kill at a random moment."""
    return asyncio.run(_run(order))


async def _run(order: Order) -> Measured:
    chance, erasures = random.Random(order.seed), []
    async with open_studio(order.work) as studio:
        # Stays, so that what files of everybody have in common is known.
        other = await studio.photographed(10**6)
        with other.witness.looking():
            await studio.portray(other)
        for number in range(order.scale.erasures):
            name = list(_WAYS)[number % len(_WAYS)]
            erasures.append(await _erased(studio, other, number, name, chance))
    found = sum(sum(each.residue.values()) for each in erasures)
    figures: dict[str, float] = {
        "erasure_residue_bytes": found,
        "erasures_interrupted_and_completed": sum(each.complete for each in erasures),
    }
    details = {
        "killed": dict(Counter("+".join(each.killed) for each in erasures)),
        "state_at_kill": dict(Counter(each.state_at_kill for each in erasures)),
        "seconds": [round(each.seconds, 1) for each in erasures],
        "each": [vars(each) for each in erasures],
    }
    return Measured(figures, {"erasures": details})


async def _erased(studio: Studio, other: Person, number: int, name: str, chance: random.Random) -> _Erasure:
    person, way, killed = await studio.photographed(number), _WAYS[name], chance.choice(_KILLED)
    with person.witness.looking():
        await way.make(studio, person)
        person.witness.look()
        before = await asyncio.to_thread(_left, studio, person, other)
        begun = time.monotonic()
        asked = asyncio.create_task(_insist(way.trigger, studio, person))
        await asyncio.sleep(chance.uniform(0, way.within_seconds))
        for service in killed:
            studio.platform.kill(service)
        state = _state(studio, person)
        await asyncio.sleep(chance.uniform(0, _AWAY_SECONDS))
        revive(studio.platform, set(killed))
        await asked
        complete = await _completed(studio, person)
    seconds = time.monotonic() - begun
    await asyncio.sleep(_SETTLE_SECONDS)
    left = await asyncio.to_thread(_left, studio, person, other)
    print(f"erasure {number + 1}: {name}, {'+'.join(killed)} killed while {state}; {seconds:.1f} s, {left}", flush=True)
    kinds = person.witness.kinds()
    return _Erasure(name, tuple(killed), state, complete, seconds, kinds, sum(before.values()), left)


def _left(studio: Studio, person: Person, other: Person) -> dict[str, int]:
    """Bytes of theirs, and not of everybody, by file."""
    found = residue([studio.folder], *person.secrets, common=other.secrets)
    return {str(path.relative_to(studio.folder)): size for path, size in found.items()}


def _state(studio: Studio, person: Person) -> str:
    row = studio.row(person)
    if row is None:
        return "complete"
    if not row.deleting:
        return "visible"
    return "hidden" if row.erased_at is None else "erased"


async def _insist(trigger: Trigger, studio: Studio, person: Person) -> None:
    """As callers do: again where no answer came; somebody who is not found any more is erased or about to be."""
    while True:
        try:
            with contextlib.suppress(NotFoundError):
                await trigger(studio, person)
        except UnavailableError:
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return


async def _completed(studio: Studio, person: Person) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while studio.row(person) is not None:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _delete(studio: Studio, person: Person) -> None:
    await studio.client.delete_subject(person.subject)


async def _withdraw(studio: Studio, person: Person) -> None:
    await studio.client.withdraw_consent(person.subject)


async def _expire(studio: Studio, person: Person) -> None:
    studio.let_expire(person)


_WAYS = {
    "deleted": _Way(Studio.portray, _delete, _KILL_WITHIN_SECONDS),
    "withdrawn in training": _Way(Studio.begin_training, _withdraw, _KILL_WITHIN_SECONDS),
    "withdrawn in painting": _Way(Studio.begin_painting, _withdraw, _KILL_WITHIN_SECONDS),
    "expired": _Way(Studio.portray, _expire, SWEEP_SECONDS + _KILL_WITHIN_SECONDS),
}
