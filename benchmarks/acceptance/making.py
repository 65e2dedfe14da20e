"""Trains people and paints them in every built-in style, once: what lies in the folder is not made again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.acceptance.people import Person, Pixels, upload
from benchmarks.training.engine import EnginePainter
from foundry.framing import framing_of
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.settings import default_foundation
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.queue.job import JobRequest
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.run.messages import Failed, Succeeded, Task, decode_event, encode

SEEDS = (101, 102)
"""Every style is painted from each."""
_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Shot:
    """One portrait of a person."""

    style: str
    seed: int
    pixels: Pixels


class Studio:
    """Trains and paints with the bundled foundation, into ``folder``, and knows its styles."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._path = default_foundation()
        self.foundation = Foundation.read(self._path)
        self.framing = framing_of(self.foundation)
        self.styles: tuple[Style, ...] = tuple(StyleLibrary.load(_REPOSITORY / "styles"))

    def painted(self, person: Person) -> list[Shot]:
        """The person's portraits, every style from every seed.

        Raises:
            RuntimeError: the training failed; the message has its reason.
        """
        wanted = [(style, seed) for style in self.styles for seed in SEEDS]
        files = [self._folder / "painted" / person.name / f"{style.name}-{seed}.png" for style, seed in wanted]
        if not all(file.exists() for file in files):
            prompts = [self._prompt(person, style) for style, _ in wanted]
            orders = [(prompt, seed) for prompt, (_, seed) in zip(prompts, wanted, strict=True)]
            files[0].parent.mkdir(parents=True, exist_ok=True)
            for file, pixels in zip(files, self._painter.paint(self._adapter(person), orders), strict=True):
                Image.fromarray(pixels).save(file)
            self._say(f"painted {person.name}")
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
        return [Shot(style.name, seed, picture) for (style, seed), picture in zip(wanted, pictures, strict=True)]

    @cached_property
    def _painter(self) -> EnginePainter:
        return EnginePainter(self._path, self._folder / "engines", threads=1)

    def _prompt(self, person: Person, style: Style) -> str:
        return self.foundation.prompt_template.format(
            framing=style.framing,
            subject=f"{self.foundation.trigger} {person.identity.class_noun}",
            outfit=style.outfit,
            backdrop=style.backdrop,
            lighting=style.lighting,
        )

    def _adapter(self, person: Person) -> bytes:
        """Trained by the recipe of the foundation, in the trainer's own process."""
        kept = self._folder / "adapters" / f"{person.name}.safetensors"
        if not kept.exists():
            store = ArtifactStore.open((self._folder / "objects").absolute().as_uri())
            last = _last_event(self._task(store, person))
            if not isinstance(last, Succeeded):
                raise RuntimeError(f"{person.name}: {last.failure if isinstance(last, Failed) else last}")
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(store.get_sync(last.adapter.key))
            self._say(f"trained {person.name}")
        return kept.read_bytes()

    def _task(self, store: ArtifactStore, person: Person) -> Task:
        prefix = f"people/{person.name}/adapters"
        store.delete_prefix_sync(prefix)
        noun = person.identity.class_noun
        return Task(
            job_id=person.name,
            request=JobRequest(upload(store, person), prefix, noun, TrainingOptions()),
            foundation=str(self._path),
            foundation_digest=foundation_digest(self._path),
            foundation_stamp=foundation_stamp(self._path),
            store_url=(self._folder / "objects").absolute().as_uri(),
            device="cpu",
            threads=1,
            processes=1,
            checkpoint_seconds=15.0,
            faces="bundled",
        )


def _last_event(task: Task) -> Any:
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "services.trainer.run"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_REPOSITORY, env=environment
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        # Its stdin stays open: the end of it would tell the child that its service is gone.
        child.stdin.write(encode(task))
        child.stdin.flush()
        last = None
        for line in child.stdout:
            last = decode_event(line)
    return last
