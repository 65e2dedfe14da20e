"""Prepares a run before its first step: loads the models, encodes photos and captions, keeps the UNet and the VAE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from headshots.acceptance import PROFILE_WORTHY, Gate, measure_reference
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import FaceAnalyzer, Pixels
from headshots.telemetry import spans
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.computing import Computing
from services.trainer.lora.data_parallel import DataParallelProcesses
from services.trainer.lora.frozen import load_unet, load_vae, noise_levels
from services.trainer.lora.loop import TrainingLoop
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe
from services.trainer.progress.phases import Entered, Phase
from services.trainer.run.encoding import Encoding
from services.trainer.run.messages import Task
from services.trainer.run.photos import Crop
from services.trainer.run.splitting import Split, split_photos
from services.trainer.selection.bare_portraits import bare_portraits
from services.trainer.selection.judging import Judge
from services.trainer.selection.sampling import CheckpointSampler
from services.trainer.selection.scores import NO_ANALYZER, NO_CHECKPOINTS, TOO_FEW_PHOTOS
from services.trainer.selection.selection import Selection


@dataclass(frozen=True)
class Prepared:
    """A run before its first step.

    ``held_out``: centre crops of the photos kept from training; ``bare``: [prompts][seeds], the bare foundation's
    portraits; ``analyzer``: that of the task.
    """

    loop: TrainingLoop
    selection: Selection
    held_out: list[Pixels]
    bare: list[list[Pixels]]
    analyzer: FaceAnalyzer | None


@spans.traced("prepare")
def prepare(
    task: Task,
    crops: Sequence[Crop],
    store: ArtifactStore,
    foundation: Foundation,
    recipe: Recipe,
    analyzer: FaceAnalyzer | None,
    device: torch.device,
    check_stop: Callable[[], None],
    tell: Callable[[Entered], object],
) -> Prepared:
    """Load and encode everything. ``crops``: of one photo after the other; ``check_stop`` may raise, to end it.

    ``tell`` gets what it does.
    """
    # The processes load the UNet while this one prepares.
    parallel = DataParallelProcesses.for_run(task.processes, foundation.path, recipe)
    split = split_photos(task, crops, recipe, analyzer)
    vae = load_vae(foundation)
    encoding = Encoding(task, store, foundation, recipe, analyzer, vae, device, check_stop, tell)
    data, portraits = encoding.encode(split)
    tell(Entered(Phase.LOADING))
    computing = Computing.on(device)
    adapted = AdaptedUNet(load_unet(foundation, computing), foundation.adapted_layers, recipe, computing)
    if foundation.initial_weights is not None:
        adapted.load_initial_weights(foundation.initial_weights, task.foundation_digest)
    loop = TrainingLoop(adapted, _objective(foundation, recipe, device), data, recipe, device, parallel)
    sampler = CheckpointSampler(adapted.unet, vae, foundation, data.conditions, portraits, device)
    bare = bare_portraits(store, foundation, task.foundation_digest, sampler, analyzer, check_stop, tell)
    return Prepared(loop, _selection(sampler, split, bare, analyzer, recipe), split.held_out, bare, analyzer)


def _objective(foundation: Foundation, recipe: Recipe, device: torch.device) -> Objective:
    return Objective(
        alphas_cumprod_T=noise_levels(foundation).to(device),
        v_prediction=foundation.prediction_type == "v_prediction",
        snr_gamma=recipe.snr_gamma,
    )


def _selection(
    sampler: CheckpointSampler,
    split: Split,
    bare: list[list[Pixels]],
    analyzer: FaceAnalyzer | None,
    recipe: Recipe,
) -> Selection:
    judge = None
    if analyzer is not None and split.held_out:
        judge = Judge(analyzer, split.held_out_faces, split.trained_faces, bare, _gate(analyzer, split))
    return Selection(
        sampler=sampler,
        judge=judge,
        not_measured_because=_not_measured_because(analyzer, recipe),
        recipe=recipe,
        analyzer=analyzer.name if analyzer else "",
        same_person_from=analyzer.same_person_from if analyzer else 1.0,
        held_out=len(split.held_out),
    )


def _gate(analyzer: FaceAnalyzer, split: Split) -> Gate:
    # Held-out photos among them, as galleries are judged by all photos of the subject.
    reference = measure_reference(analyzer, split.photos)
    # A photo is held out only if it shows a face.
    assert reference is not None
    return Gate(analyzer, reference, PROFILE_WORTHY)


def _not_measured_because(analyzer: FaceAnalyzer | None, recipe: Recipe) -> str:
    """Why likeness is not measured, where it is not."""
    if analyzer is None:
        return NO_ANALYZER
    return TOO_FEW_PHOTOS if recipe.held_out and recipe.checkpoints else NO_CHECKPOINTS
