"""One training from references to files: what the child process does, as a generator of the events it reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundation import Foundation
from headshots.errors import FailedPreconditionError
from services.trainer.base import Conditions, encode_captions, encode_pictures, load_unet, noise_levels
from services.trainer.checkpoint import Checkpoints
from services.trainer.jobs import JobRequest
from services.trainer.objective import Objective, place_weights
from services.trainer.options import Recipe
from services.trainer.output import fingerprint, finished_adapter, provenance_of, write_adapter
from services.trainer.patience import PatientStore
from services.trainer.photos import Pixels
from services.trainer.prior import class_pictures
from services.trainer.protocol import Event, Progress, Started, Stopped, Succeeded, Task
from services.trainer.recipe import Material, Run, Step

# At most so many progress messages a second.
_PROGRESS_SECONDS = 0.25


class _Interrupted(Exception):
    """Told to stop before the first step was done."""


def train(task: Task, pictures: list[Pixels], stopping: Callable[[], bool]) -> Iterator[Event]:
    """Do ``task`` on its photos' crops, from its newest checkpoint if there is one.

    ``stopping`` is asked between steps.

    Raises:
        FailedPreconditionError: LATENTS_NOT_FINITE, TRAINING_DIVERGED, OUTPUT_TAKEN, DEVICE_UNAVAILABLE.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    store = PatientStore.open(task.store_url)
    foundation = Foundation.read(Path(task.foundation))
    provenance = provenance_of(foundation, task.foundation_digest, task.request)
    # Not the patient store: training goes on rather than wait for a checkpoint.
    checkpoints = Checkpoints(
        ArtifactStore.open(task.store_url), task.request.output_prefix, fingerprint(task.request, provenance)
    )
    if finished := finished_adapter(store, task.request, provenance):
        checkpoints.clear()
        yield Succeeded(*finished)
        return
    try:
        run = prepare(task, pictures, store, foundation, provenance.recipe, stopping)
    except _Interrupted:
        yield Stopped(0)
        return
    if snapshot := checkpoints.load():
        run.restore(snapshot)
    yield Started(run.step, provenance.recipe.steps, list(run.curve))
    yield from _steps(run, checkpoints, task.checkpoint_seconds, stopping)
    if run.step < provenance.recipe.steps:
        yield Stopped(run.step)
        return
    files = write_adapter(store, task.request, provenance, run.weights(), run.curve)
    checkpoints.clear()
    yield Succeeded(files, list(run.curve))


def _steps(
    run: Run, checkpoints: Checkpoints, checkpoint_seconds: float, stopping: Callable[[], bool]
) -> Iterator[Event]:
    """All steps that are left, with their checkpoints and reports."""
    saved = reported = time.monotonic()
    unreported: list[Step] = []
    for step in run.steps():
        unreported.append(step)
        now, is_last, stop = time.monotonic(), step.number == step.total, stopping()
        if now - reported >= _PROGRESS_SECONDS or is_last or stop or step.number == 1:
            yield _progress(unreported)
            reported, unreported = now, []
        if is_last:
            return
        if stop:
            checkpoints.save(run.snapshot())
            return
        if now - saved >= checkpoint_seconds:
            checkpoints.save(run.snapshot())
            saved = time.monotonic()


def _progress(steps: list[Step]) -> Progress:
    points = [step.point for step in steps if step.point is not None]
    return Progress(steps[-1].number, steps[-1].loss, [step.seconds for step in steps], points)


def prepare(
    task: Task,
    pictures: list[Pixels],
    store: ArtifactStore,
    foundation: Foundation,
    recipe: Recipe,
    stopping: Callable[[], bool],
) -> Run:
    """Load, cache, and let go of all but the UNet."""
    device = _device(task)

    def tick() -> None:
        if stopping():
            raise _Interrupted

    prior_BCHW = None
    if recipe.prior_rows:
        prior = class_pictures(store, foundation, task.foundation_digest, recipe, task.request.class_noun, device, tick)
        prior_BCHW = encode_pictures(foundation, prior, device)
    subject_BCHW = encode_pictures(foundation, pictures, device)
    tick()
    conditions = _captions(foundation, recipe, task.request, device)
    tick()
    unet = load_unet(foundation, device)
    height, width = subject_BCHW.shape[2:]
    objective = Objective(
        alphas_cumprod_T=noise_levels(foundation).to(device),
        v_prediction=foundation.prediction_type == "v_prediction",
        snr_gamma=recipe.snr_gamma,
        place_HW=place_weights(height, width, recipe.face_weight).to(device),
    )
    return Run(unet, objective, Material(subject_BCHW, prior_BCHW, conditions), recipe, device)


def _captions(foundation: Foundation, recipe: Recipe, request: JobRequest, device: torch.device) -> Conditions:
    """The three captions of a run, in the order of :mod:`services.trainer.recipe`."""
    words = {"trigger": foundation.trigger, "class_noun": request.class_noun}
    captions = [recipe.caption.format(**words), "", recipe.prior_caption.format(**words)]
    return encode_captions(foundation, captions, device)


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
