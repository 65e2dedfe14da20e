"""A trainer whose child processes kill themselves, the service or both at planned points of a training.

``python -m tests.support.trainer.chaos`` starts the service and :mod:`tests.support.trainer.chaos_child` is its child
process; except for the kills both are the real ones. A point is the moment before or after one object is written: a
step's checkpoint (there is one after every step) or a file of the result. Each kill of the plan happens once, whatever
runs follow.
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
    """One point of a plan, and what happens there.

    ``name``: the last part of the object's key; ``when``: before or after. ``victim``: child, service or both are
    killed; disk or memory: there is no more of it for the child process; hold: the child process waits until it is told
    to stop or killed. ``always``: in every run, not only in the first.
    """

    name: str
    when: str
    victim: str
    always: bool = False


def draw_plan(seed: int, *, kills: int, steps: int) -> list[Kill]:
    """Random points of a training of ``steps`` steps with random victims; the same for the same seed."""
    random_ = random.Random(seed)
    names = [f"{step:08d}.safetensors" for step in range(1, steps)] + list(_FILES)
    points = [(name, when) for name in names for when in ("before", "after")]
    return [Kill(*point, random_.choice(("child", "service", "both"))) for point in random_.sample(points, kills)]


class Plan:
    """A plan in a folder, with a marker file for each kill that has happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, kills: list[Kill]) -> None:
        """Write the plan."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "plan.json").write_text(json.dumps([asdict(kill) for kill in kills]))

    def happened(self) -> int:
        """The number of its kills that have happened."""
        return len(list(self.folder.glob("*.happened")))

    def reach(self, key: str, when: str, size: int) -> None:
        """An object of ``size`` bytes is about to be written, or has been: do what the plan says."""
        for number, kill in enumerate(json.loads((self.folder / "plan.json").read_text())):
            marker = self.folder / f"{number}.happened"
            is_here = (kill["name"], kill["when"]) == (key.rpartition("/")[2], when)
            if is_here and (kill["always"] or not marker.exists()):
                marker.touch()
                _do(kill["victim"], size)


# The events that are set when the service tells the child process to stop.
_stopping: list[threading.Event] = []


def _do(victim: str, size: int) -> None:
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
    """Run the trainer with child processes that follow the plan."""
    from services.trainer import __main__
    from services.trainer.workers import process

    process.CHILD_MODULE = "tests.support.trainer.chaos_child"
    return __main__.main()


def work(plan: Plan) -> int:
    """Run the child process."""
    from headshots.artifacts import ArtifactStore
    from services.trainer.run import __main__ as run_main
    from services.trainer.run import retrying_store

    put, listen = ArtifactStore.put_sync, run_main._listen

    def put_by_plan(store: ArtifactStore, key: str, data: bytes) -> None:
        plan.reach(key, "before", len(data))
        put(store, key, data)
        plan.reach(key, "after", len(data))

    def listen_for_holds(messages: io.FileIO, stopping: threading.Event) -> None:
        _stopping.append(stopping)
        listen(messages, stopping)

    ArtifactStore.put_sync = put_by_plan  # type: ignore[method-assign]
    run_main._listen = listen_for_holds
    # Tests do not wait for the store as long as a training does.
    retrying_store.with_retries.__kwdefaults__["timeout_seconds"] = 1.0
    return run_main.main()


if __name__ == "__main__":
    sys.exit(serve())
