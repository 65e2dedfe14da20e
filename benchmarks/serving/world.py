"""Makes what all sides are given: the foundation, the subjects' adapters, and the images that are asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.serving.scale import Scale
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.files import LoraPair, diffusers_lora_bytes
from headshots.diffusion.lora.layout import Layout
from headshots.diffusion.package import EnginePackage
from services.generator.adapters.tiers import AdapterRef

_STRENGTH = 0.5
"""Standard deviation of what a random adapter adds to a layer's outputs, for inputs of unit variance: about as much as
the layer itself gives, so that the image plainly changes."""


@dataclass(frozen=True)
class Subject:
    """A person: the adapter's file as any user of diffusers would have it, and as our engine is told of it."""

    name: str
    path: Path
    ref: AdapterRef

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class Wanted:
    """One image."""

    subject: Subject
    prompt: str
    seed: int


@dataclass(frozen=True)
class World:
    """Everything that is served, and how.

    Attributes:
        steps, guidance: of every image.
        plain_folder: where the UNet without a bank is exported to.
    """

    foundation: Foundation
    package: EnginePackage
    subjects: tuple[Subject, ...]
    steps: int
    guidance: float
    plain_folder: Path

    def requests(self, subjects: int, count: int, turn: int = 0) -> list[Wanted]:
        """``count`` images of the first ``subjects`` people, in turn.

        No prompt is ever the same, neither in one ``turn`` nor in another: whoever keeps embeddings finds none.
        """
        nouns, outfits = self.foundation.class_nouns or ("person",), ("suit", "sweater", "shirt", "dress")
        trigger = self.foundation.trigger
        return [
            Wanted(
                subject=self.subjects[number % subjects],
                prompt=f"photo {turn} {number} of {trigger} {nouns[0]} wearing a {outfits[number % len(outfits)]}",
                seed=1000 + number,
            )
            for number in range(count)
        ]


def make_world(foundation: Foundation, package: EnginePackage, folder: Path, scale: Scale) -> World:
    """Random adapters of the engine's full rank; files go into ``folder``."""
    steps = scale.steps or foundation.steps
    subjects = make_subjects(scale.subjects, package, folder / "adapters")
    return World(foundation, package, subjects, steps, foundation.guidance_scale, folder / "plain")


def make_subjects(count: int, package: EnginePackage, folder: Path, first: int = 0) -> tuple[Subject, ...]:
    """Subjects number ``first`` and on, their files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(first, first + count):
        data = random_adapter(package.layout, number)
        path = folder / f"subject-{number}.safetensors"
        path.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        ref = AdapterRef(sha256, f"adapters/{sha256}.safetensors", package.foundation_digest)
        made.append(Subject(f"subject-{number}", path, ref))
    return tuple(made)


def random_adapter(layout: Layout, seed: int) -> bytes:
    """A LoRA file in diffusers' format that touches every site at the layout's full rank."""
    random = np.random.default_rng(seed)
    pairs = {}
    for site in layout.sites:
        a_RI = random.standard_normal((layout.max_rank, site.in_features), dtype=np.float32)
        b_OR = random.standard_normal((site.out_features, layout.max_rank), dtype=np.float32)
        a_RI /= np.sqrt(np.float32(site.in_features))
        b_OR *= _STRENGTH / np.sqrt(np.float32(layout.max_rank))
        pairs[site.name] = LoraPair(a_RI, b_OR, convolution=site.convolution)
    return diffusers_lora_bytes(pairs, {})
