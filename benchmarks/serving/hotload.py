"""Measures how long it takes until a subject's adapter can be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks.serving.peers import Reload
from benchmarks.serving.world import World
from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions
from headshots.diffusion.lora.files import load_row


def load_seconds(world: World, reload: Reload, count: int, threads: int) -> dict[str, list[float]]:
    """Seconds of ``count`` loads a side, in turns: a packed host row into a slot, and ``load_lora_weights``."""
    package = world.package
    backend = OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=threads))
    rows = [load_row(subject.data, package.layout, package.foundation_digest) for subject in world.subjects]
    taken: dict[str, list[float]] = {"ours": [], "load_lora_weights": []}
    for number in range(count + 1):
        subject, slot = number % len(rows), 1 + number % (package.slots - 1)
        ours = _seconds(partial(backend.write_slot, slot, rows[subject]))
        theirs = _seconds(partial(reload.load, world.subjects[subject]))
        reload.unload()
        if number:  # the first of each warms up
            taken["ours"].append(ours)
            taken["load_lora_weights"].append(theirs)
    return taken


def _seconds(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
