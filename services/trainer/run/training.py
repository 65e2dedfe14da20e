"""One training from references to files: what the child process does, as a generator of the events it reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import FailedPreconditionError
from headshots.faces import FaceAnalyzer
from services.trainer.lora.loop import Step
from services.trainer.output.adapter_files import Extras, finished_adapter, write_adapter
from services.trainer.output.contact_sheet import card, contact_sheet
from services.trainer.output.provenance import fingerprint, provenance_of
from services.trainer.run.checkpoint import Checkpoints, Snapshot
from services.trainer.run.messages import Event, Progress, Started, Stopped, Succeeded, Task
from services.trainer.run.photos import Pixels
from services.trainer.run.preparing import Prepared, prepare
from services.trainer.run.retrying_store import PatientStore

# At most so many progress messages a second.
_PROGRESS_SECONDS = 0.25


class _Interrupted(Exception):
    """Told to stop between two steps."""


def train(
    task: Task, pictures: list[Pixels], stopping: Callable[[], bool], analyzer: FaceAnalyzer | None = None
) -> Iterator[Event]:
    """Do ``task`` on its photos' crops, from its newest checkpoint if there is one.

    ``stopping`` is asked between steps. Without ``analyzer`` likeness is not measured.

    Raises:
        FailedPreconditionError: LATENTS_NOT_FINITE, TRAINING_DIVERGED, OUTPUT_TAKEN, DEVICE_UNAVAILABLE.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    store = PatientStore.open(task.store_url)
    foundation = Foundation.read(Path(task.foundation))
    provenance = provenance_of(foundation, task.foundation_digest, task.request)
    mark = fingerprint(task.request, provenance)
    # Not the patient store: training goes on rather than wait for a checkpoint. Another analyzer holds out other photos
    # and takes another checkpoint, so what it left is another run's.
    checkpoints = Checkpoints(
        ArtifactStore.open(task.store_url), task.request.output_prefix, f"{mark}/{analyzer.name if analyzer else ''}"
    )
    if finished := finished_adapter(store, task.request, provenance):
        checkpoints.clear()
        yield Succeeded(*finished)
        return

    def tick() -> None:
        if stopping():
            raise _Interrupted

    try:
        device = _device(task)
        work = prepare(task, pictures, store, foundation, provenance.recipe, analyzer, device, tick)
    except _Interrupted:
        yield Stopped(0)
        return
    if snapshot := checkpoints.load():
        work.run.restore(snapshot)
        if snapshot.judged is not None:
            work.selection.restore(snapshot.judged)
    yield Started(work.run.step, provenance.recipe.steps, list(work.run.curve))
    try:
        yield from _steps(work, checkpoints, task.checkpoint_seconds, tick)
        work.run.end()
        weights, scores, portraits = work.selection.take(work.run, tick)
    except _Interrupted:
        checkpoints.save(_snapshot(work))
        yield Stopped(work.run.step)
        return
    extras = Extras(
        sheet=contact_sheet(work.held_out, portraits, work.bare),
        card=lambda chosen, sheet: card(task.request, provenance, chosen, work.selection.painter.wanted.prompts, sheet),
    )
    files, scores = write_adapter(store, task.request, provenance, weights, work.run.curve, scores, extras)
    checkpoints.clear()
    yield Succeeded(files, list(work.run.curve), scores)


def _steps(
    work: Prepared, checkpoints: Checkpoints, checkpoint_seconds: float, tick: Callable[[], None]
) -> Generator[Event, None, None]:
    """All steps that are left, with their checkpoints, their judgements and their reports."""
    run, selection = work.run, work.selection
    saved = reported = time.monotonic()
    unreported: list[Step] = []
    steps = run.steps()
    while True:
        if selection.is_due(run.step):
            selection.look(run, tick)
        if selection.is_over or (step := next(steps, None)) is None:
            if unreported:
                yield _progress(unreported)
            return
        unreported.append(step)
        now = time.monotonic()
        if now - reported >= _PROGRESS_SECONDS or step.number in (1, step.total):
            yield _progress(unreported)
            reported, unreported = now, []
        if step.number < step.total:
            try:
                tick()
            except _Interrupted:
                if unreported:
                    yield _progress(unreported)
                raise
        if now - saved >= checkpoint_seconds and step.number < step.total:
            checkpoints.save(_snapshot(work))
            saved = time.monotonic()


def _snapshot(work: Prepared) -> Snapshot:
    return replace(work.run.snapshot(), judged=work.selection.state())


def _progress(steps: list[Step]) -> Progress:
    points = [step.point for step in steps if step.point is not None]
    return Progress(steps[-1].number, steps[-1].loss, [step.seconds for step in steps], points)


def _device(task: Task) -> torch.device:
    """Set torch up for this machine."""
    torch.set_num_threads(task.threads)
    if task.device == "cuda":
        if not torch.cuda.is_available():
            raise FailedPreconditionError(
                "DEVICE_UNAVAILABLE",
                "the trainer is set to CUDA and torch finds no card; set it to cpu, or mend the driver",
            )
        # Same photos, seed and machine, same bytes; operators that cannot promise it only warn.
        torch.use_deterministic_algorithms(True, warn_only=True)
    return torch.device(task.device)
