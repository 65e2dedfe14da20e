"""The messages between the service and its training processes, one JSON object a line. No torch here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.trainer.progress.phases import Entered, Phase
from services.trainer.queue.job import AdapterFiles, Failure, JobRequest
from services.trainer.selection.scores import TrainingScores

# The only message to the process after its task: write a checkpoint after this step, then exit.
STOP = "stop"


@dataclass(frozen=True)
class Task:
    """Everything that a training process needs. Paths and URLs are as in the service's settings."""

    job_id: str
    request: JobRequest
    foundation: str
    foundation_digest: str
    # See services.trainer.run.foundation_stamp.
    foundation_stamp: str
    store_url: str
    device: str
    # Threads of each process.
    threads: int
    # Seconds between two checkpoints.
    checkpoint_seconds: float
    # The analyzer of faces that judges checkpoints, and the folder of its files; empty: the analyzer's default. See
    # headshots.faces.open_analyzer.
    faces: str = "none"
    faces_dir: str = ""
    # Processes that share each step's rows: see services.trainer.lora.data_parallel.
    processes: int = 1
    # What it is a part of, see headshots.telemetry.origins.
    origin: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Started:
    """Everything is loaded; the run continues after ``step``.

    ``judged_after``: the steps to come after which it paints portraits, to judge them where there is an analyzer;
    ``judging_work``: how much work that is each time, in optimizer steps.
    """

    step: int
    total_steps: int
    curve: list[tuple[int, float]]
    judged_after: list[int] = field(default_factory=list)
    judging_work: float = 0.0


@dataclass(frozen=True)
class Progress:
    """Steps that were done. ``step_seconds`` and ``points`` (of the curve): since the last message."""

    step: int
    loss: float
    step_seconds: list[float]
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class Succeeded:
    """The adapter is in the object store."""

    adapter: AdapterFiles
    curve: list[tuple[int, float]]
    scores: TrainingScores


@dataclass(frozen=True)
class Failed:
    """The run failed. ``final``: it would fail again, so the job fails; otherwise the run counts as lost."""

    failure: Failure
    final: bool


@dataclass(frozen=True)
class Stopped:
    """The run stopped as it was told to; a checkpoint of ``step`` is in the object store."""

    step: int


Event = Entered | Started | Progress | Succeeded | Failed | Stopped
_EVENTS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Entered, Started, Progress, Succeeded, Failed, Stopped)
}


def encode(message: Task | Event) -> bytes:
    """The message as one line."""
    return json.dumps({"kind": type(message).__name__, **dataclasses.asdict(message)}).encode() + b"\n"


def decode_task(line: bytes) -> Task:
    """Inverse of :func:`encode`, for a task."""
    value = json.loads(line)
    del value["kind"]
    return Task(**{**value, "request": JobRequest.from_json(value["request"])})


def decode_event(line: bytes) -> Event:
    """Inverse of :func:`encode`, for an event."""
    value = json.loads(line)
    kind = _EVENTS[value.pop("kind")]
    for name in ("curve", "points"):
        if name in value:
            value[name] = [(int(step), float(loss)) for step, loss in value[name]]
    if "phase" in value:
        value["phase"] = Phase(value["phase"])
    if "adapter" in value:
        value["adapter"] = AdapterFiles.from_json(value["adapter"])
    if "scores" in value:
        value["scores"] = TrainingScores.from_json(value["scores"])
    if "failure" in value:
        value["failure"] = Failure(**value["failure"])
    event: Event = kind(**value)
    return event
