"""Trainings on the bundled foundation, of drawn people that it has never seen, in the test's own process."""

from __future__ import annotations

import hashlib
from pathlib import Path

from foundry.portraits import held_out_seed, sample_identity, sample_selfies
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.imaging import PhotoLimits, decode_photo
from headshots.settings import default_foundation
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.queue.job import JobRequest, PhotoRef
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.run.messages import Task


def bundled_task(home: Path, person: int, *, photos: int, options: TrainingOptions) -> Task:
    """A task on the bundled foundation whose photos and objects are stored below ``home``."""
    foundation, store_url, seed = default_foundation(), (home / "objects").as_uri(), held_out_seed(person)
    store = ArtifactStore.open(store_url)
    refs = []
    for selfie in sample_selfies(seed, photos):
        photo = decode_photo(selfie, PhotoLimits())
        digest = hashlib.sha256(photo.png).hexdigest()
        store.put_sync(f"photos/{digest}.png", photo.png)
        refs.append(PhotoRef(f"photos/{digest}.png", digest))
    noun = sample_identity(seed).class_noun
    return Task(
        job_id="job",
        request=JobRequest(tuple(refs), "tenants/t/adapters/a", noun, options),
        foundation=str(foundation),
        foundation_digest=foundation_digest(foundation),
        foundation_stamp=foundation_stamp(foundation),
        store_url=store_url,
        device="cpu",
        threads=1,
        checkpoint_seconds=3600.0,
    )
