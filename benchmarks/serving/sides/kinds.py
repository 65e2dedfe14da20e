"""Lists the sides: how each is opened, and how requests are dealt to its processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.serving.sides import ours, side
from benchmarks.serving.sides.large import MergedLarge
from benchmarks.serving.sides.merged import Merged
from benchmarks.serving.sides.side import Spec, Unit
from benchmarks.serving.sides.stock import Grouped, Hotswap, Mixed, Preloaded, Reload
from benchmarks.serving.world import Wanted

Open = Callable[[Spec], AbstractAsyncContextManager[Any]]
Deal = Callable[[Sequence[Wanted], int], list[Unit]]


@dataclass(frozen=True)
class Kind:
    """A side.

    Attributes:
        open: makes it, within its process.
        deal: which requests go into one call, for so many processes.
        at_once: whether a process takes all calls at once, and not one after the other.
    """

    open: Open
    deal: Deal = side.alone
    at_once: bool = False


def _made(cls: Callable[[Spec], Any]) -> Open:
    @asynccontextmanager
    async def opened(spec: Spec) -> AsyncIterator[Any]:
        yield cls(spec)

    return opened


KINDS: Mapping[str, Kind] = {
    "ours": Kind(ours.opened, at_once=True),
    "preloaded": Kind(_made(Preloaded)),
    "reload": Kind(_made(Reload)),
    "grouped": Kind(_made(Grouped), side.by_subject),
    "mixed": Kind(_made(Mixed), side.mixed),
    "merged": Kind(_made(Merged), side.by_subject),
    "ours_cold": Kind(_made(ours.Cold)),
    "hotswap": Kind(_made(Hotswap)),
    "merged_large": Kind(_made(MergedLarge)),
}
