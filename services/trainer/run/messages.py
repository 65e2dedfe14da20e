"""What service and child say to each other: one JSON object a line. No torch here; both sides import it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from services.trainer.queue.job import AdapterFiles, Failure, JobRequest
from services.trainer.selection.scores import TrainingScores

# The only word a service says after the task: checkpoint after this step, then exit.
STOP = "stop"


@dataclass(frozen=True)
class Task:
    """All that a child needs. Paths and URLs as in the service's settings."""

    job_id: str
    request: JobRequest
    foundation: str
    foundation_digest: str
    # See services.trainer.run.foundation_stamp.
    foundation_stamp: str
    store_url: str
    device: str
    # Of each process.
    threads: int
    # Seconds between two checkpoints.
    checkpoint_seconds: float
    # Who judges checkpoints, and the folder of its files; empty: its own default. See headshots.faces.open_analyzer.
    faces: str = "none"
    faces_dir: str = ""
    # That share each step's rows: see services.trainer.lora.data_parallel.
    processes: int = 1


@dataclass(frozen=True)
class Started:
    """Everything is loaded; ``step`` is where the run goes on from."""

    step: int
    total_steps: int
    curve: list[tuple[int, float]]


@dataclass(frozen=True)
class Progress:
    """Steps done. ``step_seconds``: of each step since the last message; ``points``: of the curve, likewise."""

    step: int
    loss: float
    step_seconds: list[float]
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class Succeeded:
    """The adapter is in the store."""

    adapter: AdapterFiles
    curve: list[tuple[int, float]]
    scores: TrainingScores


@dataclass(frozen=True)
class Failed:
    """``final``: it would fail again, so the job fails; otherwise this run is one lost attempt."""

    failure: Failure
    final: bool


@dataclass(frozen=True)
class Stopped:
    """As told; a checkpoint of ``step`` is in the store."""

    step: int


Event = Started | Progress | Succeeded | Failed | Stopped
_EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Started, Progress, Succeeded, Failed, Stopped)}


def encode(message: Task | Event) -> bytes:
    """One line."""
    return json.dumps({"kind": type(message).__name__, **dataclasses.asdict(message)}).encode() + b"\n"


def decode_task(line: bytes) -> Task:
    """Inverse of :func:`encode`."""
    value = json.loads(line)
    del value["kind"]
    return Task(**{**value, "request": JobRequest.from_json(value["request"])})


def decode_event(line: bytes) -> Event:
    """Inverse of :func:`encode`."""
    value = json.loads(line)
    kind = _EVENTS[value.pop("kind")]
    for name in ("curve", "points"):
        if name in value:
            value[name] = [(int(step), float(loss)) for step, loss in value[name]]
    if "adapter" in value:
        value["adapter"] = AdapterFiles(**value["adapter"])
    if "scores" in value:
        value["scores"] = TrainingScores.from_json(value["scores"])
    if "failure" in value:
        value["failure"] = Failure(**value["failure"])
    event: Event = kind(**value)
    return event
