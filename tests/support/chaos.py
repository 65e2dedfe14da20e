"""Kills by plan: a trainer whose children end themselves, their service or both at exact points of a training; or stand
still there until somebody else ends them.

``python -m tests.support.chaos`` is the service and :mod:`tests.support.chaos_child` its child; but for the kills they
are the real ones. A point is the writing of one object: of a step's checkpoint (one follows every step) or of a
file of the result, and the moment before it or after it. Each point of the plan is met once, whatever runs come after.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PLAN = "HEADSHOTS_TESTS_CHAOS_PLAN"
_FILES = ("adapter.safetensors", "adapter.kohya.safetensors", "manifest.json")


@dataclass(frozen=True)
class Kill:
    """``name`` is the object's last part, ``when`` before or after. ``victim`` is child, service or both; or what is
    missing from then on, to the child: disk or memory; or hold, to stand still until it is told to stop, or killed.
    ``always``: in every run, not only in the first."""

    name: str
    when: str
    victim: str
    always: bool = False


def draw_plan(seed: int, *, kills: int, steps: int) -> list[Kill]:
    """Random points of a training of so many steps, each with a random victim; the same for the same seed."""
    random_ = random.Random(seed)
    names = [f"{step:08d}.safetensors" for step in range(1, steps)] + list(_FILES)
    points = [(name, when) for name in names for when in ("before", "after")]
    return [Kill(*point, random_.choice(("child", "service", "both"))) for point in random_.sample(points, kills)]


class Plan:
    """A plan in a folder, with a mark for each kill that has happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, kills: list[Kill]) -> None:
        """Begin."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "plan.json").write_text(json.dumps([asdict(kill) for kill in kills]))

    def happened(self) -> int:
        """How many of its kills there were."""
        return len(list(self.folder.glob("*.happened")))

    def meet(self, key: str, when: str, size: int) -> None:
        """An object of so many bytes is about to be written, or has been."""
        for number, kill in enumerate(json.loads((self.folder / "plan.json").read_text())):
            mark = self.folder / f"{number}.happened"
            is_here = (kill["name"], kill["when"]) == (key.rpartition("/")[2], when)
            if is_here and (kill["always"] or not mark.exists()):
                mark.touch()
                _strike(kill["victim"], size)


# What tells the child to stop.
_stopping: list[threading.Event] = []


def _strike(victim: str, size: int) -> None:
    if victim == "hold":
        while not any(event.is_set() for event in _stopping):
            time.sleep(0.01)
    if victim == "disk":
        # No file may become as large as this one: the same failure in the middle of a write as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, resource.RLIM_INFINITY))
    if victim == "memory":
        import torch

        # Far more than any machine has: torch's own error, at once.
        torch.empty(1 << 60)
    if victim in ("service", "both"):
        os.kill(os.getppid(), signal.SIGKILL)
    if victim in ("child", "both"):
        os.kill(os.getpid(), signal.SIGKILL)


def serve() -> int:
    """The trainer, with children that meet the plan."""
    from services.trainer import __main__
    from services.trainer.workers import process

    process.CHILD_MODULE = "tests.support.chaos_child"
    return __main__.main()


def work(plan: Plan) -> int:
    """The child."""
    from headshots.artifacts import ArtifactStore
    from services.trainer.run import __main__ as run_main
    from services.trainer.run import retrying_store

    put, listen = ArtifactStore.put_sync, run_main._listen

    def put_and_meet(store: ArtifactStore, key: str, data: bytes) -> None:
        plan.meet(key, "before", len(data))
        put(store, key, data)
        plan.meet(key, "after", len(data))

    def listen_for_holds(words: io.FileIO, stopping: threading.Event) -> None:
        _stopping.append(stopping)
        listen(words, stopping)

    ArtifactStore.put_sync = put_and_meet  # type: ignore[method-assign]
    run_main._listen = listen_for_holds
    # A store that stays away is to be seen in less than a minute and a half.
    retrying_store.patiently.__kwdefaults__["patience_seconds"] = 1.0
    return run_main.main()


if __name__ == "__main__":
    sys.exit(serve())
