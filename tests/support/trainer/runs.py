"""Runs trainings on a tiny foundation in the test's own process."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.faces import Face, FaceAnalyzer, Parts, Pixels, Traits
from services.trainer.lora.loop import TrainingLoop
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.queue.job import JobRequest, PhotoRef
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.run.messages import Event, Succeeded, Task
from services.trainer.run.photos import Crop, load_crops
from services.trainer.run.preparing import Prepared, prepare
from services.trainer.run.training import train


def set_recipe(foundation: Path, **training: object) -> None:
    """Change the recipe in the foundation's ``headshots.yaml``."""
    settings = yaml.safe_load((foundation / "headshots.yaml").read_text())
    settings["training"] |= training
    (foundation / "headshots.yaml").write_text(yaml.safe_dump(settings))


def store_photos(store: ArtifactStore, count: int, size: tuple[int, int]) -> tuple[PhotoRef, ...]:
    """Photos of coarse noise, always the same."""
    photos = []
    for seed in range(count):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        packed = io.BytesIO()
        Image.fromarray(pixels).resize(size).save(packed, "PNG")
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        store.put_sync(f"photos/{digest}.png", packed.getvalue())
        photos.append(PhotoRef(f"photos/{digest}.png", digest))
    return tuple(photos)


def training_task(
    foundation: Path, home: Path, *, photos: int = 3, photo_size: tuple[int, int] = (80, 96), **options: float
) -> Task:
    """A task whose photos and objects are stored below ``home``."""
    store_url = (home / "objects").as_uri()
    refs = store_photos(ArtifactStore.open(store_url), photos, photo_size)
    return Task(
        job_id="job",
        request=JobRequest(refs, "tenants/t/adapters/a", "man", TrainingOptions(**options)),  # type: ignore[arg-type]
        foundation=str(foundation),
        foundation_digest=foundation_digest(foundation),
        foundation_stamp=foundation_stamp(foundation),
        store_url=store_url,
        device="cpu",
        threads=1,
        checkpoint_seconds=3600.0,
    )


def crops_of(task: Task) -> list[Crop]:
    """The crops of the task's photos."""
    foundation = Foundation.read(Path(task.foundation))
    recipe = Recipe.resolve(foundation, task.request.options)
    size = (foundation.native_width_px, foundation.native_height_px)
    return load_crops(ArtifactStore.open(task.store_url), task.request.photos, recipe, size)


def prepare_run(task: Task, analyzer: FaceAnalyzer | None = None) -> Prepared:
    """A run before its first step."""
    store, foundation = ArtifactStore.open(task.store_url), Foundation.read(Path(task.foundation))
    recipe = Recipe.resolve(foundation, task.request.options)
    return prepare(task, crops_of(task), store, foundation, recipe, analyzer, torch.device("cpu"), lambda: None, print)


def prepare_loop(task: Task) -> TrainingLoop:
    """The loop of a run before its first step."""
    return prepare_run(task).loop


def finish(task: Task) -> Succeeded:
    """Train to the end."""
    *_, last = train(task, crops_of(task), lambda: False)
    assert isinstance(last, Succeeded)
    return last


class OneFaceAnalyzer:
    """Takes every image for one face; its coarse colours are who it is. Implements ``FaceAnalyzer``."""

    name, same_person_from = "one-face-1", 0.5

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        small = np.asarray(Image.fromarray(pixels_HWC).resize((4, 4), Image.Resampling.BOX), np.float32).ravel()
        vector = small - small.mean() + 1e-3
        height, width = pixels_HWC.shape[:2]
        box = (0.0, 0.0, float(width), float(height))
        return [Face(box, np.zeros((5, 2), np.float32), vector / np.linalg.norm(vector), 1.0)]

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts:
        """Its right half is the face."""
        parts = Parts.nowhere(*pixels_HWC.shape[:2])
        parts.face_HW[:, pixels_HWC.shape[1] // 2 :] = 1
        return parts

    def unsafe(self, pixels_HWC: Pixels) -> float | None:
        return None

    def years(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return None

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits | None:
        return None

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return None


def judged_task(foundation: Path, home: Path, *, photos: int = 6) -> Task:
    """A task with enough photos to hold one out, and photos of the crops' size."""
    return training_task(foundation, home, photos=photos, photo_size=(64, 64))


def events_of(task: Task, analyzer: FaceAnalyzer | None, *, stop_after: int = 10**9) -> list[Event]:
    """All events of a run that is told to stop after it has asked ``stop_after`` times."""
    asked = iter(range(10**9))
    return list(train(task, crops_of(task), lambda: next(asked) >= stop_after, analyzer))
