"""Runs one training, from photos to adapter files, and yields the events that the training process reports."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Self

import torch

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import FailedPreconditionError
from headshots.faces import FaceAnalyzer
from headshots.telemetry import spans
from services.trainer.lora.loop import Step, TrainingLoop
from services.trainer.output.adapter_files import Extras, finished_adapter, take_prefix, write_adapter
from services.trainer.output.contact_sheet import card, contact_sheet
from services.trainer.output.provenance import Provenance, fingerprint, provenance_of
from services.trainer.progress.phases import Entered, Phase, not_told
from services.trainer.queue.job import JobRequest
from services.trainer.run.checkpoint import Checkpoint, Checkpoints
from services.trainer.run.messages import Event, Progress, Started, Stopped, Succeeded, Task
from services.trainer.run.photos import Crop
from services.trainer.run.preparing import Prepared, prepare
from services.trainer.run.retrying_store import RetryingStore
from services.trainer.selection.covering import cover_unsafe
from services.trainer.selection.selection import Choice

# Shortest time between two progress messages.
_PROGRESS_SECONDS = 0.25

_Asked = Callable[[], bool]
_Told = Callable[[Entered], object]


class _StopRequested(Exception):
    """The run was told to stop between two steps."""


def train(
    task: Task, crops: list[Crop], stop_requested: _Asked, analyzer: FaceAnalyzer | None = None, tell: _Told = not_told
) -> Iterator[Event]:
    """Do ``task`` on its photos' crops, from its newest checkpoint if there is one.

    ``stop_requested`` is called between steps. Without ``analyzer`` likeness is not measured; ``tell``: as `prepare`'s.

    Raises:
        FailedPreconditionError: LATENTS_NOT_FINITE, TRAINING_DIVERGED, OUTPUT_TAKEN, DEVICE_UNAVAILABLE.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    store = RetryingStore.open(task.store_url)
    foundation = Foundation.read(Path(task.foundation))
    provenance = provenance_of(foundation, task.foundation_digest, task.request)
    checkpoints = _checkpoints(task, provenance, analyzer)
    take_prefix(store, task.request.output_prefix, task.job_id)
    if finished := finished_adapter(store, task.request, provenance):
        checkpoints.clear()
        yield Succeeded(*finished)
        return
    check_stop = _stop_check(stop_requested)
    try:
        prepared = prepare(task, crops, store, foundation, provenance.recipe, analyzer, _device(task), check_stop, tell)
    except _StopRequested:
        yield Stopped(0)
        return
    loop = _resume(prepared, checkpoints.load())
    yield _started(prepared, provenance.recipe.steps)
    try:
        yield from _all_steps(prepared, checkpoints, task.checkpoint_seconds, check_stop)
        loop.end()
        yield Entered(Phase.SAVING)
        choice = prepared.selection.choose(loop, check_stop)
    except _StopRequested:
        checkpoints.save(_checkpoint(prepared))
        yield Stopped(loop.step)
        return
    succeeded = _write_result(store, task.request, provenance, prepared, choice)
    checkpoints.clear()
    yield succeeded


def _stop_check(stop_requested: Callable[[], bool]) -> Callable[[], None]:
    """A function that raises if the run was told to stop."""

    def check() -> None:
        if stop_requested():
            raise _StopRequested

    return check


def _checkpoints(task: Task, provenance: Provenance, analyzer: FaceAnalyzer | None) -> Checkpoints:
    """The checkpoints of this run.

    Another analyzer holds out other photos and selects another checkpoint, so its name is part of the fingerprint. The
    store does not retry when it writes: the training continues rather than wait for a checkpoint.
    """
    mark = f"{fingerprint(task.request, provenance)}/{analyzer.name if analyzer else ''}"
    return Checkpoints(ArtifactStore.open(task.store_url), task.request.checkpoint_folder, mark)


def _resume(prepared: Prepared, checkpoint: Checkpoint | None) -> TrainingLoop:
    """Continue from ``checkpoint``, if there is one; the loop."""
    if checkpoint is not None:
        prepared.loop.restore(checkpoint.loop)
        if checkpoint.selection is not None:
            prepared.selection.restore(checkpoint.selection)
    return prepared.loop


def _started(prepared: Prepared, total_steps: int) -> Started:
    loop, selection = prepared.loop, prepared.selection
    # Where nothing is judged, portraits are painted all the same: at the end, for the contact sheet.
    painted_after = selection.judged_after(loop.step) if selection.judge is not None else [total_steps]
    return Started(loop.step, total_steps, list(loop.curve), painted_after, selection.judging_work)


def _checkpoint(prepared: Prepared) -> Checkpoint:
    return Checkpoint(prepared.loop.snapshot(), prepared.selection.state())


def _all_steps(
    prepared: Prepared, checkpoints: Checkpoints, checkpoint_seconds: float, check_stop: Callable[[], None]
) -> Generator[Event, None, None]:
    """Do the remaining steps: judge and write checkpoints where they are due, and yield progress."""
    loop, selection, total = prepared.loop, prepared.selection, prepared.selection.recipe.steps
    saved = reported = time.monotonic()
    unreported: list[Step] = []
    steps = loop.steps()
    with _Interval(loop) as interval:
        while True:
            if selection.is_due(loop.step):
                if unreported:
                    yield _progress(unreported)
                    reported, unreported = time.monotonic(), []
                yield Entered(Phase.VALIDATING)
                with interval.paused():
                    selection.judge_checkpoint(loop, check_stop)
                yield Entered(Phase.TRAINING, loop.step, total)
            if selection.should_stop or (step := next(steps, None)) is None:
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
                    check_stop()
                except _StopRequested:
                    if unreported:
                        yield _progress(unreported)
                    raise
            if now - saved >= checkpoint_seconds and step.number < step.total:
                with interval.paused():
                    checkpoints.save(_checkpoint(prepared))
                saved = time.monotonic()


class _Interval:
    """The span of the steps between two interruptions: a span a step would be thousands."""

    def __init__(self, loop: TrainingLoop) -> None:
        self._loop = loop
        self._span = spans.span("steps", first_step=loop.step)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """The block makes no steps."""
        self._end()
        yield
        self._span = spans.span("steps", first_step=self._loop.step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._span.set(last_step=self._loop.step)
        self._span.end()
        self._span = spans.OFF


def _progress(steps: list[Step]) -> Progress:
    points = [step.point for step in steps if step.point is not None]
    return Progress(steps[-1].number, steps[-1].loss, [step.seconds for step in steps], points)


@spans.traced("write")
def _write_result(
    store: ArtifactStore, request: JobRequest, provenance: Provenance, prepared: Prepared, choice: Choice
) -> Succeeded:
    """Write the adapter files of the chosen checkpoint."""
    prompts, curve = prepared.selection.sampler.portraits.prompts, prepared.loop.curve
    # Those of the bare foundation too: a trainer without an analyzer may have stored them.
    portraits, bare = (cover_unsafe(prepared.analyzer, each) for each in (choice.portraits, prepared.bare))
    extras = Extras(
        sheet=contact_sheet(prepared.held_out, portraits, bare),
        card=lambda scores, sheet: card(request, provenance, scores, prompts, sheet),
    )
    files, scores = write_adapter(store, request, provenance, choice.weights, curve, choice.scores, extras)
    return Succeeded(files, list(curve), scores)


def _device(task: Task) -> torch.device:
    """Set torch up for this machine."""
    torch.set_num_threads(task.threads)
    if task.device == "cuda":
        if not torch.cuda.is_available():
            raise FailedPreconditionError(
                "DEVICE_UNAVAILABLE",
                "the trainer is set to CUDA and torch finds no GPU; set it to cpu, or repair the driver",
            )
        # Same photos, seed and machine, same bytes; operators that cannot promise it only warn.
        torch.use_deterministic_algorithms(True, warn_only=True)
    return torch.device(task.device)
