"""The training process: ``python -m services.trainer.run`` runs one training for the trainer service.

It reads its task from stdin, writes JSON lines to stdout (:mod:`.messages`), logs to stderr, and ends with its parent.
As a process of its own it can be killed at any moment, is the only one hit by an out-of-memory kill, and gives all
device memory back.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import HeadshotsError, UnavailableError
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.processes.imports import importing
from headshots.processes.parent_death import end_with_parent
from headshots.telemetry import spans
from headshots.telemetry.origins import resumed
from headshots.telemetry.starting import telemetry
from services.trainer.lora.recipe import Recipe
from services.trainer.progress.phases import Entered, Phase
from services.trainer.queue.job import Failure
from services.trainer.run.foundation_stamp import check_stamp
from services.trainer.run.messages import STOP, Event, Failed, Task, decode_task, encode
from services.trainer.run.photos import Crop, load_crops
from services.trainer.run.retrying_store import RetryingStore

# As it is run, its `__name__` says `__main__`.
log = logging.getLogger("services.trainer.run")

# Where a machine runs out of memory, the kernel shall kill this process rather than the service.
_OOM_SCORE = "500"
_OUT_OF_MEMORY = Failure(
    "TRAINING_OUT_OF_MEMORY",
    "the training does not fit into the memory: ask for fewer batch_rows or a lower rank, or give the trainer more",
)


def main() -> int:
    """Train one job; returns the exit status."""
    _end_with_parent()
    events = _private_stdout()
    # Unbuffered: a thread that waits within a buffer would hold its lock when the process ends.
    messages = io.FileIO(os.dup(0), "rb")
    line = messages.readline()
    if not line:
        return 1
    task = decode_task(line)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(messages, stop), daemon=True).start()
    text = f"%(levelname)s training {task.job_id}: %(message)s"
    with telemetry("trainer", os.environ, text=text, training=task.job_id), resumed(task.origin):
        _train(task, stop, events)
    return 0


def _train(task: Task, stop: threading.Event, events: BinaryIO) -> None:
    """Train, and send every event; the last tells how it ended."""

    def send(event: Event) -> None:
        events.write(encode(event))
        events.flush()

    try:
        with spans.span("load photos"):
            analyzer = open_analyzer(task.faces, Path(task.faces_dir) if task.faces_dir else None)
            crops = _load_crops(task, analyzer, send)
        send(Entered(Phase.LOADING))
        # Imported late: torch takes seconds to import, and a bad photo is reported before that.
        with spans.span("import"), importing():
            from services.trainer.run.training import train

        for event in train(task, crops, stop.is_set, analyzer, send):
            send(event)
    except HeadshotsError as error:
        log.exception("failed")
        final = not isinstance(error, UnavailableError)
        send(Failed(Failure(error.reason, error.message), final=final))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        log.exception("out of memory")
        send(Failed(_OUT_OF_MEMORY, final=False))


def _load_crops(task: Task, analyzer: FaceAnalyzer | None, tell: Callable[[Entered], object]) -> list[Crop]:
    """Check the foundation, the recipe and the photos: whatever can fail without torch fails here."""
    foundation = Foundation.read(Path(task.foundation))
    check_stamp(foundation.path, task.foundation_stamp)
    recipe = Recipe.resolve(foundation, task.request.options)
    size = (foundation.native_width_px, foundation.native_height_px)
    store, nearness = RetryingStore.open(task.store_url), foundation.head_height
    return load_crops(store, task.request.photos, recipe, size, analyzer, tell, head_height=nearness)


def _is_out_of_memory(error: Exception) -> bool:
    """Torch raises a class of its own on CUDA, and a plain error with a known text on the CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in str(error)
    )


def _end_with_parent() -> None:
    """On Linux the kernel kills this process when the parent dies; elsewhere the end of stdin ends it."""
    if sys.platform != "linux":
        return
    # A parent that is gone already has closed stdin, which ends this process too.
    end_with_parent(os.getppid(), signal.SIGKILL)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        # Some sandboxes forbid even raising it; then the kernel's own choice stands.
        file.write(_OOM_SCORE)


def _private_stdout() -> BinaryIO:
    """Keep stdout for events: whatever a library prints goes to stderr."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return events


def _listen(messages: io.FileIO, stop: threading.Event) -> None:
    """Set ``stop`` when the service asks for it; end the process at the end of stdin, as the service is gone then."""
    for line in messages:
        if line.strip() == STOP.encode():
            stop.set()
    os._exit(1)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Everything is written; tearing torch down would only delay the end.
    os._exit(status)
