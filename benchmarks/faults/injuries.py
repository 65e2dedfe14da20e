"""Hurts running services: kills them, freezes them, fills their disk, locks their database."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.live_platform import LivePlatform

LEASE_SECONDS = 5.0
"""Of shots and trainings here: short, so that the lost are found soon, and longer than the short injuries."""
_SHORT, _LONG = (0.5, 3.0), (LEASE_SECONDS + 1, LEASE_SECONDS + 3)
_PAUSE_SECONDS = (0.3, 2.5)


@dataclass(frozen=True)
class Fault:
    """One injury. `kind` is kill, freeze, full-disk or locked-database, which is of all services."""

    kind: str
    service: str
    seconds: float
    """How long it lasts; the killed are started again after it."""
    pause_seconds: float
    """Before it."""


def draw(chance: random.Random) -> list[Fault]:
    """Ten faults in a random order.

    A training bears the loss of two runs and a shot that of any gateway that held others too: so at most two of them
    can end a run, the trainer's death and one that outlasts its lease or fills its disk.
    """
    heavy = chance.choice([("freeze", "trainer", _LONG), ("full-disk", "trainer", _SHORT)])
    kinds = [
        ("kill", "gateway", _SHORT),
        ("kill", "gateway", (0.0, 0.0)),
        ("kill", "generator", _SHORT),
        ("kill", "generator", (0.0, 0.0)),
        ("kill", "trainer", _SHORT),
        heavy,
        ("freeze", "gateway", chance.choice((_SHORT, _LONG))),
        ("freeze", "generator", chance.choice((_SHORT, _LONG))),
        ("full-disk", chance.choice(("gateway", "generator")), _SHORT),
        ("locked-database", "all", _SHORT),
    ]
    chance.shuffle(kinds)
    return [
        Fault(kind, service, chance.uniform(*seconds), chance.uniform(*_PAUSE_SECONDS))
        for kind, service, seconds in kinds
    ]


async def inflict(platform: LivePlatform, fault: Fault) -> None:
    """Hurts, and lets go after the fault's time. A killed service is left dead: see `revive`."""
    if fault.kind == "kill":
        platform.kill(fault.service)
        await asyncio.sleep(fault.seconds)
        return
    if fault.kind == "locked-database":
        await asyncio.to_thread(locked, platform.home / "headshots.db", lambda: time.sleep(fault.seconds))
        return
    with {"freeze": frozen, "full-disk": without_room}[fault.kind](platform.pid(fault.service)):
        await asyncio.sleep(fault.seconds)


def revive(platform: LivePlatform, dead: set[str]) -> list[str]:
    """Starts what was killed, and what ended by itself, as a cluster does; their names."""
    ended = [name for name in ("gateway", "trainer", "generator") if name in dead or platform.has_ended(name)]
    for name in ended:
        if name not in dead:
            platform.kill(name)
        platform.launch(name)
    return ended


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """SIGSTOP to the service with its children, as a paused virtual machine."""
    pids = _family(pid)
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


@contextlib.contextmanager
def without_room(pid: int) -> Iterator[None]:
    """No file may grow: the same failure in the middle of a write as on a full disk, of objects and database alike."""
    before = {each: _limit(each, (0, resource.RLIM_INFINITY)) for each in _family(pid)}
    try:
        yield
    finally:
        for each, limits in before.items():
            if limits is not None:
                _limit(each, limits)


def _family(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _limit(pid: int, limits: tuple[int, int]) -> tuple[int, int] | None:
    """Bounds the size of the files that a process writes; the bound that it had, None where it has ended."""
    with contextlib.suppress(ProcessLookupError):
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        return resource.prlimit(pid, resource.RLIMIT_FSIZE, (limits[0], min(limits[1], hard, key=_size)))
    return None


def _size(limit: int) -> float:
    return math.inf if limit == resource.RLIM_INFINITY else limit


def locked(path: Path, meanwhile: Callable[[], object]) -> None:
    """Holds the write lock of a database, as a backup or a second tool does, while `meanwhile` runs. Blocks."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        meanwhile()
        connection.execute("ROLLBACK")
    finally:
        connection.close()
