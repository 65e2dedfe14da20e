"""Generates the bare foundation's portraits, which checkpoints are judged against, once for a foundation and recipe."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import NotFoundError
from headshots.faces import FaceAnalyzer, Pixels
from services.trainer.lora.stored_images import image_folder, load_image, save_image
from services.trainer.progress.phases import Entered, Phase
from services.trainer.selection.covering import cover_unsafe
from services.trainer.selection.sampling import CheckpointSampler


def bare_portraits(
    store: ArtifactStore,
    foundation: Foundation,
    foundation_digest: str,
    sampler: CheckpointSampler,
    analyzer: FaceAnalyzer | None,
    check_stop: Callable[[], None],
    tell: Callable[[Entered], object],
) -> list[list[Pixels]]:
    """[prompts][seeds]: the sampler's portraits without an adapter; from the store if all of them are there.

    What ``analyzer`` takes for unsafe is covered before it is stored. ``tell`` gets a message where they are painted.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    portraits = sampler.portraits
    folder = image_folder(foundation, foundation_digest, "bare", "\n".join(portraits.prompts), portraits.steps)
    keys = [[f"{folder}/{row}-{seed}.png" for seed in portraits.seeds] for row in range(len(portraits.prompts))]
    try:
        return [[load_image(store, key) for key in row] for row in keys]
    except NotFoundError:
        told = "painting without the adapter; later trainings share the pictures"
        tell(Entered(Phase.CLASS_IMAGES, message=told))
        images = cover_unsafe(analyzer, sampler.sample(check_stop, bare=True))
    for key_row, image_row in zip(keys, images, strict=True):
        for key, image in zip(key_row, image_row, strict=True):
            save_image(store, key, Image.fromarray(image))
    return [[load_image(store, key) for key in row] for row in keys]
