"""Decides which photos train and which are held out, and measures a face of each. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headshots.faces import Face, FaceAnalyzer, Pixels
from services.trainer.captions.filling import NOTHING, SHOWN, TRAITS, Shown, what_is_shown
from services.trainer.captions.wearing import what_is_worn
from services.trainer.lora.recipe import Recipe
from services.trainer.run.messages import Task
from services.trainer.run.photos import Crop
from services.trainer.selection.holding_out import hold_out


@dataclass(frozen=True)
class Split:
    """The photos that train, as crops, and those that are held out, as centre crops; and a face of each photo.

    ``photos``: a centre crop of each; ``shown``: what was measured of each crop that trains.
    """

    photos: list[Pixels]
    trained: list[Crop]
    shown: list[Shown]
    held_out: list[Pixels]
    trained_faces: list[Face]
    held_out_faces: list[Face]


def split_photos(task: Task, crops: Sequence[Crop], recipe: Recipe, analyzer: FaceAnalyzer | None) -> Split:
    """Hold photos out for judging, where there is an analyzer and checkpoints are judged."""
    per_photo = recipe.crops_per_photo
    centres = [crop.pixels for crop in crops[::per_photo]]
    told = any(place in recipe.caption for place in (SHOWN, TRAITS))
    wanted = analyzer if recipe.checkpoints or told else None
    faces = [wanted.faces(centre) if wanted else [] for centre in centres]
    judged = [photo.sha256 for photo in task.request.photos] if wanted and recipe.checkpoints else []
    held_out = hold_out(faces, judged, recipe.held_out) if judged else []
    # A photo's crops differ by a few percent: what its centre crop shows all of them show.
    shown = _shown(wanted, faces, centres, recipe) if wanted and told else [NOTHING] * len(centres)
    trained = [number for number in range(len(crops)) if number // per_photo not in held_out]
    return Split(
        photos=centres,
        trained=[crops[number] for number in trained],
        shown=[shown[number // per_photo] for number in trained],
        held_out=[centres[number] for number in held_out],
        trained_faces=[found[0] for number, found in enumerate(faces) if found and number not in held_out],
        held_out_faces=[faces[number][0] for number in held_out],
    )


def _shown(
    analyzer: FaceAnalyzer, faces: Sequence[list[Face]], centres: Sequence[Pixels], recipe: Recipe
) -> list[Shown]:
    """Of each photo, those held out too: whether a person always wears glasses, all photos tell."""
    photos = list(zip(faces, centres, strict=True))
    views = [what_is_shown(found[0], centre) if found else "" for found, centre in photos]
    asked = TRAITS in recipe.caption
    traits = [analyzer.traits(centre, found[0]) if found and asked else None for found, centre in photos]
    return [Shown(view, worn) for view, worn in zip(views, what_is_worn(traits), strict=True)]
