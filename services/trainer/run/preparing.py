"""Prepares a run before its first step: loads the models, encodes photos and captions, keeps the UNet and the VAE."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from headshots.acceptance import PROFILE_WORTHY, Gate, measure_reference
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import Face, FaceAnalyzer, Pixels
from headshots.telemetry import spans
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import EMPTY, FIRST_SCENE, TrainingData
from services.trainer.lora.class_images import class_images
from services.trainer.lora.data_parallel import DataParallelProcesses
from services.trainer.lora.frozen import encode_captions, encode_images, load_unet, load_vae, noise_levels
from services.trainer.lora.loop import TrainingLoop
from services.trainer.lora.objective import Head, LossMasks, Objective, centre_weights
from services.trainer.lora.recipe import Recipe
from services.trainer.lora.scenes import run_captions
from services.trainer.run.messages import Task
from services.trainer.selection.bare_portraits import bare_portraits
from services.trainer.selection.holding_out import hold_out
from services.trainer.selection.judging import Judge
from services.trainer.selection.sampling import CheckpointSampler, PortraitSet, score_prompts, score_seeds
from services.trainer.selection.scores import NO_ANALYZER, NO_CHECKPOINTS, TOO_FEW_PHOTOS
from services.trainer.selection.selection import Selection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A run before its first step.

    ``held_out``: centre crops of the photos kept from training; ``bare``: [prompts][seeds], the bare foundation's
    portraits.
    """

    loop: TrainingLoop
    selection: Selection
    held_out: list[Pixels]
    bare: list[list[Pixels]]


@dataclass(frozen=True)
class _Split:
    """The photos that train, as crops, and those that are held out, as centre crops; and a face of each photo.

    ``photos``: a centre crop of each.
    """

    photos: list[Pixels]
    trained: list[Pixels]
    held_out: list[Pixels]
    trained_faces: list[Face]
    held_out_faces: list[Face]


@spans.traced("prepare")
def prepare(
    task: Task,
    crops: Sequence[Pixels],
    store: ArtifactStore,
    foundation: Foundation,
    recipe: Recipe,
    analyzer: FaceAnalyzer | None,
    device: torch.device,
    check_stop: Callable[[], None],
) -> Prepared:
    """Load and encode everything. ``crops``: of one photo after the other; ``check_stop`` may raise, to end it."""
    # The processes load the UNet while this one prepares.
    parallel = DataParallelProcesses.for_run(task.processes, foundation.path, recipe)
    split = _split(task, crops, recipe, analyzer)
    vae = load_vae(foundation, device)
    class_BCHW = None
    with spans.span("latents"):
        if recipe.prior_rows:
            class_BCHW = _class_latents(task, store, foundation, recipe, vae, device, check_stop)
        subject_BCHW = encode_images(vae, split.trained, device)
    check_stop()
    height, width = (int(side) for side in subject_BCHW.shape[2:])
    masks = loss_masks(analyzer, split.trained, height, width, recipe).to(device)
    # Without known heads there is nothing that scenes could be put around.
    scenes = recipe.scenes if bool(masks.has_head_B.any()) else 0
    captions = run_captions(foundation, recipe, task.request.class_noun, scenes)
    portraits = _portrait_set(foundation, recipe, task.request.class_noun, FIRST_SCENE + 2 * scenes)
    with spans.span("captions"):
        conditions = encode_captions(foundation, [*captions, *portraits.prompts], device)
    check_stop()
    adapted = AdaptedUNet(load_unet(foundation, device), foundation.adapted_layers, recipe, device)
    if foundation.initial_weights is not None:
        adapted.load_initial_weights(foundation.initial_weights, task.foundation_digest)
    data = TrainingData(subject_BCHW, masks, class_BCHW, conditions, scenes)
    loop = TrainingLoop(adapted, _objective(foundation, recipe, device), data, recipe, device, parallel)
    sampler = CheckpointSampler(adapted.unet, vae, foundation, conditions, portraits, device)
    bare = bare_portraits(store, foundation, task.foundation_digest, sampler, check_stop)
    return Prepared(loop, _selection(sampler, split, bare, analyzer, recipe), split.held_out, bare)


def _split(task: Task, crops: Sequence[Pixels], recipe: Recipe, analyzer: FaceAnalyzer | None) -> _Split:
    """Hold photos out for judging, where there is an analyzer and checkpoints are judged."""
    centres = list(crops[:: recipe.crops_per_photo])
    faces = [analyzer.faces(crop) for crop in centres] if analyzer and recipe.checkpoints else []
    held_out = hold_out(faces, [photo.sha256 for photo in task.request.photos], recipe.held_out) if faces else []
    return _Split(
        photos=centres,
        trained=[crop for number, crop in enumerate(crops) if number // recipe.crops_per_photo not in held_out],
        held_out=[centres[number] for number in held_out],
        trained_faces=[found[0] for number, found in enumerate(faces) if found and number not in held_out],
        held_out_faces=[faces[number][0] for number in held_out],
    )


def _class_latents(
    task: Task,
    store: ArtifactStore,
    foundation: Foundation,
    recipe: Recipe,
    vae: AutoencoderKL,
    device: torch.device,
    check_stop: Callable[[], None],
) -> Tensor:
    noun, digest = task.request.class_noun, task.foundation_digest
    return encode_images(vae, class_images(store, foundation, digest, recipe, noun, device, check_stop), device)


def _objective(foundation: Foundation, recipe: Recipe, device: torch.device) -> Objective:
    return Objective(
        alphas_cumprod_T=noise_levels(foundation).to(device),
        v_prediction=foundation.prediction_type == "v_prediction",
        snr_gamma=recipe.snr_gamma,
    )


def _portrait_set(foundation: Foundation, recipe: Recipe, class_noun: str, first_caption: int) -> PortraitSet:
    """The portraits that checkpoints are judged by."""
    return PortraitSet(
        prompts=score_prompts(foundation, class_noun, recipe.score_prompts),
        seeds=score_seeds(recipe.score_seeds),
        first_caption=first_caption,
        empty_caption=EMPTY,
        steps=recipe.score_steps,
    )


def _selection(
    sampler: CheckpointSampler,
    split: _Split,
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


def _gate(analyzer: FaceAnalyzer, split: _Split) -> Gate:
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


def loss_masks(
    analyzer: FaceAnalyzer | None, crops: Sequence[Pixels], height: int, width: int, recipe: Recipe
) -> LossMasks:
    """What is learned of each crop, in latent cells: its head if the analyzer can tell heads, otherwise its middle."""
    wanted = analyzer if recipe.face_weight > 0 or recipe.hair_weight > 0 or recipe.scene_share > 0 else None
    parts = [wanted.parts(crop) if wanted else None for crop in crops]
    heads = [
        Head.of_parts(
            found.face_HW,
            found.hair_HW,
            height,
            width,
            face_weight=recipe.face_weight,
            hair_weight=recipe.hair_weight,
        )
        for found in parts
        if found is not None
    ]
    if len(heads) < len(crops):
        if recipe.scene_share > 0:
            who = f"the analyzer {analyzer.name} tells no heads" if analyzer else "no analyzer tells heads"
            log.warning("%s from the rest: whole photos are learned, and scenes are left out", who)
        return LossMasks.of_photos([centre_weights(height, width, recipe.face_weight)] * len(crops))
    if recipe.scene_share > 0:
        return LossMasks.of_heads(heads, surround_weight=recipe.surround_weight, margin=recipe.head_margin)
    return LossMasks.of_photos([head.cell_weights for head in heads])
