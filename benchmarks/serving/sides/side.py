"""Says what a side is: what serves requests in a process of its own, and how requests are dealt to its processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.serving.world import Wanted, World

Unit = list[int]
"""Places of requests that go into one call."""

MOST_IMAGES = 8
"""Images that a call takes at most, as our batch has it: two rows of the UNet each."""


@dataclass(frozen=True)
class Shape:
    """Processes of a side, and the threads that each computes with."""

    processes: int
    threads: int

    def __str__(self) -> str:
        return f"{self.processes}x{self.threads}"


@dataclass(frozen=True)
class Spec:
    """What a process needs to become one of a side's.

    Attributes:
        name: of the side.
        world: what is served.
        folder: of this process alone.
        threads: that it computes with.
    """

    name: str
    world: World
    folder: Path
    threads: int


class Side(Protocol):
    """What serves, within its process."""

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of every image, in order; in one call, where the side batches."""
        ...


def alone(wanted: Sequence[Wanted], processes: int) -> list[Unit]:
    """Every request in a call of its own."""
    return [[place] for place in range(len(wanted))]


def by_subject(wanted: Sequence[Wanted], processes: int) -> list[Unit]:
    """Requests of one subject together, subjects in the order in which they first appear."""
    groups: dict[str, Unit] = {}
    for place, one in enumerate(wanted):
        groups.setdefault(one.subject.name, []).append(place)
    return [part for group in groups.values() for part in _parts(group)]


def mixed(wanted: Sequence[Wanted], processes: int) -> list[Unit]:
    """Requests of any subjects together, as many for each process."""
    share = -(-len(wanted) // processes)
    places = list(range(len(wanted)))
    return [part for start in range(0, len(places), share) for part in _parts(places[start : start + share])]


def _parts(places: Unit) -> list[Unit]:
    return [places[start : start + MOST_IMAGES] for start in range(0, len(places), MOST_IMAGES)]
