"""Everything a run needs before its first step: loaded, encoded once, and let go of but for the UNet and the VAE."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.faces import Face, FaceAnalyzer, Part
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import EMPTY, FIRST_SCENE, Material
from services.trainer.lora.class_images import bare_portraits, class_pictures
from services.trainer.lora.data_parallel import Mates
from services.trainer.lora.frozen import (
    encode_captions,
    encode_pictures,
    load_unet,
    load_vae,
    noise_levels,
)
from services.trainer.lora.loop import Run
from services.trainer.lora.objective import Head, Objective, Places, place_weights
from services.trainer.lora.recipe import Recipe
from services.trainer.lora.scenes import run_captions
from services.trainer.run.messages import Task
from services.trainer.run.photos import Pixels
from services.trainer.selection.judging import Judge, hold_out
from services.trainer.selection.sampling import Painter, PortraitSet, score_prompts, score_seeds
from services.trainer.selection.scores import NO_ANALYZER, NO_CHECKPOINTS, TOO_FEW_PHOTOS
from services.trainer.selection.selection import Selection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A run that nobody drives yet, and what judges it. ``held_out``: pictures of the photos kept from training;
    ``bare``: [prompts][seeds], what the bare foundation paints."""

    run: Run
    selection: Selection
    held_out: list[Pixels]
    bare: list[list[Pixels]]


def prepare(
    task: Task,
    pictures: Sequence[Pixels],
    store: ArtifactStore,
    foundation: Foundation,
    recipe: Recipe,
    analyzer: FaceAnalyzer | None,
    device: torch.device,
    tick: Callable[[], None],
) -> Prepared:
    """Load and cache. ``pictures``: the crops of each photo, one photo after the other; ``tick`` may end it."""
    # They load while this process prepares.
    mates = Mates.of_run(task.processes, foundation.path, recipe)
    centre = list(pictures[:: recipe.crops_per_photo])
    faces = [analyzer.faces(picture) for picture in centre] if analyzer and recipe.checkpoints else []
    held_out = hold_out(faces, [photo.sha256 for photo in task.request.photos], recipe.held_out) if faces else []
    crops = [picture for number, picture in enumerate(pictures) if number // recipe.crops_per_photo not in held_out]
    vae = load_vae(foundation, device)
    prior_BCHW = None
    if recipe.prior_rows:
        prior = class_pictures(store, foundation, task.foundation_digest, recipe, task.request.class_noun, device, tick)
        prior_BCHW = encode_pictures(vae, prior, device)
    subject_BCHW = encode_pictures(vae, crops, device)
    tick()
    height, width = (int(side) for side in subject_BCHW.shape[2:])
    places = learned_places(analyzer, crops, height, width, recipe).to(device)
    # Without heads there is nothing that scenes could be put around.
    scenes = recipe.scenes if bool(places.headed_B.any()) else 0
    wanted = _wanted(foundation, recipe, task.request.class_noun, FIRST_SCENE + 2 * scenes)
    captions = run_captions(foundation, recipe, task.request.class_noun, scenes)
    conditions = encode_captions(foundation, [*captions, *wanted.prompts], device)
    tick()
    adapted = AdaptedUNet(load_unet(foundation, device), foundation.adapted_layers, recipe, device)
    if foundation.initial_weights is not None:
        adapted.start_from(foundation.initial_weights, task.foundation_digest)
    objective = Objective(
        alphas_cumprod_T=noise_levels(foundation).to(device),
        v_prediction=foundation.prediction_type == "v_prediction",
        snr_gamma=recipe.snr_gamma,
    )
    material = Material(subject_BCHW, places, prior_BCHW, conditions, scenes)
    run = Run(adapted, objective, material, recipe, device, mates)
    painter = Painter(adapted.unet, vae, foundation, conditions, wanted, device)
    bare = bare_portraits(store, foundation, task.foundation_digest, painter, tick)
    selection = Selection(
        painter=painter,
        judge=_judge(analyzer, faces, held_out, bare),
        why_not=_why_not(analyzer, recipe),
        recipe=recipe,
        analyzer=analyzer.name if analyzer else "",
        same_person_from=analyzer.same_person_from if analyzer else 1.0,
        held_out=len(held_out),
    )
    return Prepared(run, selection, [centre[number] for number in held_out], bare)


def _wanted(foundation: Foundation, recipe: Recipe, class_noun: str, first_caption: int) -> PortraitSet:
    """The portraits that checkpoints are judged by."""
    return PortraitSet(
        prompts=score_prompts(foundation, class_noun, recipe.score_prompts),
        seeds=score_seeds(recipe.score_seeds),
        first_caption=first_caption,
        empty_caption=EMPTY,
        steps=recipe.score_steps,
    )


def _judge(
    analyzer: FaceAnalyzer | None,
    faces: Sequence[Sequence[Face]],
    held_out: Collection[int],
    bare: list[list[Pixels]],
) -> Judge | None:
    """Who compares portraits with the held-out photos; None where there is nobody or nothing to compare with."""
    if analyzer is None or not held_out:
        return None
    trained_on = [found[0] for number, found in enumerate(faces) if found and number not in held_out]
    return Judge(analyzer, [faces[number][0] for number in held_out], trained_on, bare)


def learned_places(
    analyzer: FaceAnalyzer | None, pictures: Sequence[Pixels], height: int, width: int, recipe: Recipe
) -> Places:
    """What of each photo is learned, in latent cells: its head, where the analyzer can tell; else its middle."""
    wanted = analyzer if recipe.face_weight > 0 or recipe.hair_weight > 0 or recipe.scene_share > 0 else None
    parts = [wanted.parts(picture) if wanted else None for picture in pictures]
    heads = [
        Head.of_parts(
            found == Part.FACE,
            found == Part.HAIR,
            height,
            width,
            face_weight=recipe.face_weight,
            hair_weight=recipe.hair_weight,
        )
        for found in parts
        if found is not None
    ]
    if len(heads) < len(pictures):
        if recipe.scene_share > 0:
            log.warning("nobody tells heads from the rest: whole photos are learned, and scenes are left out")
        return Places.of_photos([place_weights(height, width, recipe.face_weight)] * len(pictures))
    if recipe.scene_share > 0:
        return Places.of_heads(heads, surround_weight=recipe.surround_weight, margin=recipe.head_margin)
    return Places.of_photos([head.place_weights for head in heads])


def _why_not(analyzer: FaceAnalyzer | None, recipe: Recipe) -> str:
    """Why nothing is measured, where that is so."""
    if analyzer is None:
        return NO_ANALYZER
    return TOO_FEW_PHOTOS if recipe.held_out and recipe.checkpoints else NO_CHECKPOINTS
