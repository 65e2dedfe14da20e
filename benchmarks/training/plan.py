"""Says what a run of the benchmark measures, and keeps a journal by which an interrupted run continues."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.training.people import PUBLISHED, Cast, Scene
from foundry.framing import framing_of
from foundry.train_judges import digest as judges_digest
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from services.trainer.lora.recipe import Recipe
from services.trainer.run.device import Cores


@dataclass(frozen=True)
class Plan:
    """Sizes of a run; the defaults are those of the published figures."""

    foundation: Path
    out: Path
    # Whose figures they are.
    cast: Cast = PUBLISHED
    # People trained, and of them those whom the peer trains too.
    people: int = 20
    peer_people: int = 5
    selfies: int = 10
    scenes: int = len(PUBLISHED.scenes)
    seeds: int = len(PUBLISHED.seeds)
    # People among whom a portrait has to name its own.
    gallery: int = 200
    # True renders of other people: half teach what natural and regular faces are, by the other half both are judged.
    reference: int = 1600
    # Pictures a person that teach the net of naturalness, under other guidance than those that are measured; as many of
    # the bare foundation a class noun; and the batches that each net of it learns from.
    teaching: int = 24
    teaching_steps: int = 2400
    # As HEADSHOTS_TRAINER_FACES; who selects checkpoints and keeps the gate, never who judges here.
    faces: str = "bundled"
    # People worked on at once, a thread each.
    jobs: int = 2
    # CPUs of what is timed alone: as many threads of the peer, and for ours what the service makes of them.
    threads: int = 2
    # People whose trainings are timed alone, and steps of each side for the ratio: enough for ours to use data-parallel
    # processes (services.trainer.lora.data_parallel.MIN_STEPS), as a whole training does.
    timed_people: int = 2
    timed_steps: int = 100
    # People by whose trainings the ratio is measured, one after the other, for its spread; and rows of
    # a step, beside those of the recipe.
    timed_repeats: int = 3
    timed_rows: tuple[int, ...] = (6, 12)

    @property
    def wanted_scenes(self) -> tuple[Scene, ...]:
        """What is painted."""
        return self.cast.scenes[: self.scenes]

    @property
    def wanted_seeds(self) -> tuple[int, ...]:
        """Each scene with each."""
        return self.cast.seeds[: self.seeds]

    @cached_property
    def described(self) -> Foundation:
        """The foundation without its weights."""
        return Foundation.read(self.foundation)

    @property
    def framing(self) -> str:
        """Of the foundation's portraits, and so of the true ones beside them, by its name in `FRAMINGS`."""
        return framing_of(self.described)

    @cached_property
    def digest(self) -> str:
        """The foundation's."""
        return foundation_digest(self.foundation)

    @property
    def cores(self) -> Cores:
        """As the trainer's service would use as many CPUs."""
        return Cores.shared_out(self.foundation, self.threads)

    @property
    def rows(self) -> int:
        """Of a step by the foundation's recipe."""
        return Recipe.resolve(self.described).batch_rows

    @property
    def all_timed_rows(self) -> tuple[int, ...]:
        """``timed_rows``, and those of the recipe."""
        return tuple(sorted({*self.timed_rows, self.rows}))

    @property
    def folder(self) -> Path:
        """Where everything but the result lies."""
        return self.out / "training"

    @property
    def gallery_file(self) -> Path:
        """Embeddings of true photos; ``gallery`` adds the judge's digest."""
        return self.folder / f"gallery-{self.cast.name}.npy"

    @property
    def store_url(self) -> str:
        """The object store of photos and adapters."""
        return (self.folder / "objects").absolute().as_uri()

    @property
    def store(self) -> ArtifactStore:
        """The same, open."""
        return ArtifactStore.open(self.store_url)

    @cached_property
    def key(self) -> str:
        """All that decides a person's figures: lines of the journal under another key do not count."""
        facts = {
            "cast": dataclasses.asdict(self.cast),
            "foundation": self.digest,
            "recipe": dataclasses.asdict(Recipe.resolve(self.described)),
            "adapted_layers": self.described.adapted_layers,
            "start": self.described.initial_weights_sha256,
            "sampler": [self.described.sampler, self.described.steps],
            "guidance": [self.described.guidance_scale, self.described.adapter_guidance_scale],
            "negative_adapter_share": self.described.negative_adapter_share,
            "sizes": [self.selfies, self.scenes, self.seeds, self.gallery],
            "naturalness": [self.reference, self.teaching, self.teaching_steps],
            "faces": self.faces,
            "judge": judges_digest(),
        }
        if self.described.adapter_strength != 1:
            facts["adapter_strength"] = self.described.adapter_strength
        if self.described.head_height is not None:
            facts["head_height"] = self.described.head_height
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


class Journal:
    """Finished pieces of work, a JSON line each, by kind and person."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        self._known: dict[tuple[str, int], dict[str, Any]] = {}
        text = path.read_text("utf-8") if path.exists() else ""
        # A run that was cut short may have left half a line.
        self._before = "" if text.endswith("\n") or not text else "\n"
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry["key"] == key:
                self._known[entry["kind"], entry["person"]] = entry["result"]

    def get(self, kind: str, person: int) -> dict[str, Any] | None:
        """What is known."""
        return self._known.get((kind, person))

    def add(self, kind: str, person: int, result: dict[str, Any]) -> None:
        """Keep a result."""
        self._known[kind, person] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        entry = {"key": self._key, "kind": kind, "person": person, "result": result}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(self._before + json.dumps(entry) + "\n")
        self._before = ""

    def all(self, kind: str) -> dict[int, dict[str, Any]]:
        """Results of a kind by person."""
        return {person: result for (each, person), result in sorted(self._known.items()) if each == kind}
